/** The agent's report: what a machine posts about itself. The agent makes it with this file alone, so it needs no schema library. */
import type { Snapshot } from './telemetry.ts';
import { readingsToWire, type WireReadings } from './wire.ts';

/** The version of the report that this agent speaks: all signals of the catalogue under `readings`. */
const WIRE_VERSION = 2;

/** The longest duration that a report may state. Milliseconds. */
export const LONGEST_SCAN_MS = 600_000;

export interface AgentReport {
  version: number;
  /** ISO 8601 in UTC. */
  collected_at: string;
  duration_ms: number;
  readings: WireReadings;
}

/** What the agent sends of a snapshot that it took of its own machine. */
export function snapshotToWire(snapshot: Snapshot): AgentReport {
  return {
    version: WIRE_VERSION,
    collected_at: snapshot.collectedAt.toISOString(),
    duration_ms: Math.min(LONGEST_SCAN_MS, Math.round(snapshot.durationMs)),
    readings: readingsToWire(snapshot.readings),
  };
}
