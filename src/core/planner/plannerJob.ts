/** What a planner run remembers beside its steps: who asked for it, and how far the loop is. */
import type { Run } from '../../domain/run.ts';
import type { Grant, Role } from '../actor.ts';
import { highestRole } from '../policy.ts';
import type { PlannerState } from './plannerState.ts';

interface PlannerJob {
  /** Facts to start from; untrusted. */
  context: Record<string, unknown>;
  /** The agent may do no more than who asked for it. */
  asker: { name: string; role: Role; grants?: readonly Grant[]; email?: string };
  /** Subject of the outbox that receives the answer; null when whoever asked fetches it. */
  tell: string | null;
  /** Somebody waits for it inside this process, so that it is not reclaimed by another. */
  attended: boolean;
  /** How often it was reclaimed after a stop. */
  resumes: number;
  /** Whether the answer helped, as the last who said so found. */
  helpful?: boolean;
  /** Null before the first step. */
  loop: Omit<PlannerState, 'steps'> | null;
}

/** A run that stops its process this often is not given another. */
const MAX_RESUMES = 3;

export function newPlannerJob(asker: PlannerJob['asker'], changes: Partial<PlannerJob> = {}): PlannerJob {
  return {
    context: {},
    asker: {
      name: asker.name,
      role: asker.grants ? highestRole(asker.grants) : asker.role,
      ...(asker.grants && { grants: asker.grants }),
      ...(asker.email && { email: asker.email }),
    },
    tell: null,
    attended: false,
    resumes: 0,
    loop: null,
    ...changes,
  };
}

/** The job of a planner run, as it was stored. */
export const jobOf = (run: Run) => run.state as PlannerJob;

/** Whether a run that was cut off can go on from what it stored. */
export function isResumable(run: Run): boolean {
  const { attended, resumes } = jobOf(run);
  return !attended && resumes < MAX_RESUMES;
}
