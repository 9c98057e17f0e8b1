/** Where jobs lie, in this process or shared. */
import type { AgendaBackend } from 'agenda';
import type { Pool } from 'pg';

export interface JobStorage {
  backend: AgendaBackend;
  /** Connects, and makes what is not there yet, whoever else does so at the same moment. */
  connect(): Promise<void>;
  /** When the job was due that waits the longest; null when none does. */
  oldestDue(): Promise<Date | null>;
  close(): Promise<void>;
  /** What operators should know of how it works here; known once connected. */
  remark?(): string | null;
}

/** Connects to a PostgreSQL as its URL asks; `pooled` when a pooler lies between. */
export type OpenPostgresPool = (
  url: string,
  applicationName: string,
  max: number,
  onError: (error: Error) => void,
) => Promise<{ pool: Pool; pooled: boolean }>;
