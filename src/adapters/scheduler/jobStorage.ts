/** Where jobs lie, in this process or shared. */
import type { AgendaBackend } from 'agenda';

export interface JobStorage {
  backend: AgendaBackend;
  /** When the job was due that waits the longest; null when none does. */
  oldestDue(): Promise<Date | null>;
  close(): Promise<void>;
}
