/** How escalations in progress and overrides of who is on call are kept. */
import type { OnCallOverride } from '../../domain/escalation/onCall.ts';

/** An alert or an approval that waits for an answer under a policy. */
export interface EscalationState {
  /** As in the outbox: `alert:42`, `approval:ID`. */
  subject: string;
  /** Name of the policy that held when it began. */
  policy: string;
  beganAt: Date;
  stepsDone: number;
  /** Ids of the people and groups that were reached so far. */
  notified: string[];
  /** When its next step is due; null when there is none. */
  nextAt: Date | null;
  /** When it was answered, or lost its reason; null while it waits. */
  endedAt: Date | null;
}

export interface EscalationRepository {
  /** Begins anew for subjects that had one before. */
  begin(states: readonly EscalationState[]): Promise<void>;
  get(subject: string): Promise<EscalationState | null>;
  /** Those in progress whose next step is due, most overdue first. */
  due(now: Date, limit: number): Promise<EscalationState[]>;
  /** Moves on one that has done just so many steps; false when somebody else did, or it ended. */
  advance(
    at: Pick<EscalationState, 'subject' | 'beganAt' | 'stepsDone'>,
    patch: Pick<EscalationState, 'stepsDone' | 'notified' | 'nextAt'>,
  ): Promise<boolean>;
  end(subjects: readonly string[], now: Date): Promise<void>;
  /** Deletes those that ended before, and overrides that were over by then; returns how many. */
  prune(before: Date): Promise<number>;
}

export interface OnCallRepository {
  add(override: OnCallOverride): Promise<void>;
  /** Those that are not over. */
  standing(now: Date): Promise<OnCallOverride[]>;
  /** Ends those of a person for a rotation; returns how many. */
  end(rotation: string, personId: string, now: Date): Promise<number>;
}
