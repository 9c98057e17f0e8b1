/** How it is kept who is who, who was shown whom, and what a person may ask of what is kept about them. */

import type { EndpointRegistration } from '../../domain/fleet/endpoint.ts';
import type { Alias } from '../../domain/fleet/hostIdentity.ts';

/** What a machine could be recognised by. */
export interface Identity
  extends Pick<
    EndpointRegistration,
    'hostname' | 'ipAddress' | 'ownerEmail' | 'persona' | 'criticalityTier' | 'osPlatform' | 'tags'
  > {
  id: number;
  /** Other names, addresses and numbers. */
  names: Pick<Alias, 'kind' | 'value'>[];
  registeredAt: Date;
  /** Not registered any more. */
  isGone: boolean;
}

export interface IdentityRepository {
  /** Another text whenever a machine, its owner or a name of it changed. */
  marker(): Promise<string>;
  /** Of all machines, those that are registered no more too. */
  all(): Promise<Identity[]>;
}

/** That somebody is shown a person's name, for a time. */
export interface Reveal {
  id: string;
  endpointId: number;
  hostname: string;
  ownerEmail: string | null;
  /** Actor ids. */
  requestedBy: string;
  approvedBy: string | null;
  role: string;
  reason: string;
  requestedAt: Date;
  minutes: number;
  /** Null while a second person has not agreed. */
  startsAt: Date | null;
  endsAt: Date | null;
}

export interface RevealRepository {
  add(reveal: Reveal): Promise<void>;
  get(id: string): Promise<Reveal | null>;
  /** Begins a reveal that waits; false when it does not wait any more. */
  begin(id: string, approvedBy: string, startsAt: Date, endsAt: Date): Promise<boolean>;
  end(id: string, at: Date): Promise<boolean>;
  /** Those in force at a timestamp. */
  active(at: Date): Promise<Reveal[]>;
  /** Newest first. */
  list(filter: { endpointId?: number }, limit: number): Promise<Reveal[]>;
}

/** How often somebody of a role asked about a machine on a day. */
export interface Access {
  endpointId: number;
  /** `2026-03-02`, UTC. */
  day: string;
  role: string;
  via: string;
  tool: string;
  times: number;
}

export interface AccessRepository {
  /** Adds to what is counted already. */
  count(accesses: readonly Access[]): Promise<void>;
  /** Newest first. */
  of(endpointId: number): Promise<Access[]>;
}

export interface PauseRepository {
  set(endpointId: number, from: Date, until: Date): Promise<void>;
  /** Those that are in force at a timestamp, or ended after it. */
  since(at: Date): Promise<Map<number, { from: Date; until: Date }>>;
}

export interface PersonalDataRepository {
  /** All rows of all tables that are about a machine or name it, by table. */
  export(machine: { endpointId: number; words: readonly string[] }): Promise<Record<string, Record<string, unknown>[]>>;
  /**
   * Deletes what was measured and raised, and replaces every word where it still stands.
   * @returns how many rows were deleted and changed
   */
  erase(machine: { endpointId: number; words: readonly string[]; replacement: string }): Promise<{
    deleted: number;
    changed: number;
  }>;
  /** Leaves nothing of deleted rows in the files of an embedded database. */
  compact(): Promise<void>;
}
