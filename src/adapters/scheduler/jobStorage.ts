/** Where jobs lie, in this process or shared. */
import type { AgendaBackend } from 'agenda';

export interface JobStorage {
  backend: AgendaBackend;
  /** Connects, and makes what is not there yet, whoever else does so at the same moment. */
  connect(): Promise<void>;
  /** When the job was due that waits the longest; null when none does. */
  oldestDue(): Promise<Date | null>;
  close(): Promise<void>;
}
