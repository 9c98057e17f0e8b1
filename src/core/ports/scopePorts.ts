/** How much of what is kept a call may read. */
import type { Selection } from '../../domain/fleet/selection.ts';

/** The machines of a selection and all that is about them, and what is the caller's own. */
export interface DataScope {
  selection: Selection;
  /** Machines registered under this address, in lower case, are seen too; null where nobody vouches for one. */
  ownerEmail: string | null;
  /** Runs and approvals that this actor asked for are seen too. */
  actorId: string;
}
