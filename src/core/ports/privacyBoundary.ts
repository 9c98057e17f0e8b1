/** The boundary between names and pseudonyms, as those see it who let something through it. */
import type { StoredMessage } from '../../domain/outbox.ts';
import type { Actor } from '../actor.ts';
import type { Store } from './storePorts.ts';

/** What the boundary reads of a tool's declaration. */
export interface CrossingTool {
  effect: 'read' | 'write' | 'destructive';
  namesMachines?: boolean;
}

/** What a call is made with once names were resolved, and how its answer is shown. */
export interface Crossing {
  raw: unknown;
  actor: Actor;
  shown<T>(value: T): T;
}

/** The one boundary between names and pseudonyms. Absent where everything is shown by name. */
export interface PrivacyBoundary {
  /** A store, which may be narrowed to a part of the fleet, for tools that read: without attributes and orders that tell who somebody is. */
  readingStore(store: Store, actor: Actor): Store;
  /**
   * @param isApproved people approved exactly this call, whose input was checked when it was asked for
   * @throws AppError `refused` for an input that would single somebody out
   */
  enter(tool: CrossingTool, raw: unknown, actor: Actor, isApproved: boolean): Promise<Crossing>;
  /** How an answer is shown to the actor that `enter` gave. */
  readerOf(actor: Actor): Promise<Pick<Crossing, 'shown'>>;
  /** Something of the service's own that leaves it: a log line, a health page, a model's prompt. */
  leaving<T>(value: T): T;
  /** The same of what somebody wrote, as the path of a request: a pseudonym in the place of a name would answer whose it is. */
  withheld<T>(value: T): T;
  /** What came back from outside, with pseudonyms resolved. */
  returning<T>(value: T): T;
  /** Messages as the systems outside get them. */
  outbound(messages: readonly StoredMessage[]): Promise<StoredMessage[]>;
  /** Reads the names anew where they changed. */
  refresh(): Promise<void>;
}
