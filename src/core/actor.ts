/** Who asks: every call through the invoker carries one, and the policy reads nothing else of the caller. */
import type { Selection } from '../domain/fleet/selection.ts';

/** The roles of keys and of staff, who see the whole fleet. */
export const STAFF_ROLES = ['viewer', 'operator', 'admin'] as const;
/** An employee sees and does what is their own, and reads the runbooks. */
export const ROLES = ['employee', ...STAFF_ROLES] as const;
export type Role = (typeof ROLES)[number];

export const INTERFACES = ['rest', 'slack', 'mcp', 'cli', 'job', 'webhook', 'agent', 'planner'] as const;
export type Interface = (typeof INTERFACES)[number];

/** Who holds an API key: a person, or a program that a model may drive. */
export const KEY_HOLDERS = ['human', 'agent'] as const;
export type KeyHolder = (typeof KEY_HOLDERS)[number];

/** A role, and the machines for which it holds. */
export interface Grant {
  role: Role;
  /** Null: the whole fleet. */
  within: Selection | null;
}

export interface Actor {
  /** Stable name for the audit: `key:admin`, `slack:U123`, `job:dex_scan_all_endpoints`. */
  id: string;
  /** How to call them in a sentence. */
  name: string;
  /** Only humans may approve; models and jobs never count as one. */
  kind: 'human' | 'model' | 'job' | 'system';
  via: Interface;
  /** The highest that they have, for whatever part of the fleet. */
  role: Role;
  /** Their roles by the part of the fleet for which each holds; absent where the role holds for all of it. */
  grants?: readonly Grant[];
  /** What the caller's key was marked as when it was made; absent where no such key was shown. */
  holder?: KeyHolder;
  /** Mail address that the interface vouches for: machines registered under it are the actor's own. */
  email?: string;
  /** The IANA zone of their clock, where the interface knows it (`Europe/Berlin`). */
  timeZone?: string;
  /** Set where the address that they call only reads, whatever their role. */
  readOnly?: true;
  /** Whether approvals are theirs to answer, where the interface knows it; elsewhere the role decides. */
  approver?: boolean;
}

/** The service itself, at work on a schedule. */
export function jobActor(job: string): Actor {
  return { id: `job:${job}`, name: job, kind: 'job', via: 'job', role: 'operator' };
}

/** The person who answered for a program: the same key, known to be a human for this one answer. */
export function personBehind(actor: Actor): Actor {
  return { ...actor, kind: 'human', name: `the person behind ${actor.name}` };
}

/** The same caller where nothing may be changed, whatever their role. */
export function readOnly(actor: Actor): Actor {
  return { ...actor, readOnly: true };
}
