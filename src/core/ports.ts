/** Every interface that core drives; adapters implement them, app.ts hands them in. */
import type { ScanTarget, Snapshot } from '../domain/telemetry.ts';

/** Time and names as a port, so that tests never sleep and never guess. */
export interface Clock {
  now(): Date;
}
export interface Ids {
  /** A sortable unique id (26 characters, Crockford base 32). */
  next(): string;
}

export interface CollectContext {
  now: Date;
  /** Aborted when the endpoint's time is up or the service stops. */
  signal: AbortSignal;
  /** The endpoint's previous snapshot, for rates over time; null when there is none. */
  previous: Snapshot | null;
  /** Set by fleet scans: a rate that needs a second sample is left to the next look instead of waited for. */
  quick?: boolean;
}

/** Looks at endpoints. Never throws for what the endpoint does: unreachable, slow and garbled are snapshots with a reason. */
export interface Collector {
  collect(target: ScanTarget, context: CollectContext): Promise<Snapshot>;
}

/** Structured log, pino-shaped. */
export interface Log {
  debug(fields: object, message?: string): void;
  info(fields: object, message?: string): void;
  warn(fields: object, message?: string): void;
  error(fields: object, message?: string): void;
  child(fields: object): Log;
}
