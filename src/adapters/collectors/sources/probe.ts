/** A probe: some sources, how often they are worth reading, and the pure function that makes readings of them. */
import type { Counters } from '../counterHistory.ts';
import type { Collected } from '../readings.ts';
import type { Source, Texts } from './source.ts';

/** What a probe's function may know besides the texts. */
export interface ProbeContext {
  now: Date;
  /** Services that should run, when the operator listed some. */
  services: readonly string[] | undefined;
}

export interface Probe {
  /** Letters alone: it names the probe in a script's arguments. */
  name: string;
  /** 0: with every scan. Otherwise its last readings stand for this long. */
  everyS: number;
  sources: readonly Source[];
  read(texts: Texts, context: ProbeContext): Collected;
  /** Counters since boot, whose rise from scan to scan makes further readings. */
  counters?(texts: Texts): Counters;
}

export const HOURLY_S = 3_600;
export const DAILY_S = 24 * 3_600;

interface Kept {
  atMs: number;
  untilMs: number;
  collected: Collected;
}

/** The last readings of the probes that are not read with every scan, by endpoint. */
export interface ProbeMemory {
  /** Names of the probes that are due. */
  due(hostname: string, probes: readonly Probe[], now: Date): Probe[];
  keep(hostname: string, probe: Probe, collected: Collected, now: Date): void;
  /** What is still valid of this endpoint's kept readings. */
  kept(hostname: string, probes: readonly Probe[], now: Date): Collected;
}

/** The endpoint scanned longest ago is forgotten first, and its rare probes run again. */
const MAX_ENDPOINTS = 20_000;

export function createProbeMemory(): ProbeMemory {
  const byHost = new Map<string, Map<string, Kept>>();
  const isValid = (probe: Probe, hostname: string, now: Date): boolean => {
    const kept = byHost.get(hostname)?.get(probe.name);
    // A clock that was set back makes an age negative: read again.
    return kept !== undefined && now.getTime() >= kept.atMs && now.getTime() < kept.untilMs;
  };
  return {
    due: (hostname, probes, now) => probes.filter((probe) => !isValid(probe, hostname, now)),
    keep(hostname, probe, collected, now) {
      const known = byHost.get(hostname) ?? new Map<string, Kept>();
      byHost.delete(hostname);
      byHost.set(
        hostname,
        known.set(probe.name, { atMs: now.getTime(), untilMs: now.getTime() + probe.everyS * 1000, collected }),
      );
      for (const oldest of byHost.keys()) {
        if (byHost.size <= MAX_ENDPOINTS) break;
        byHost.delete(oldest);
      }
    },
    kept(hostname, probes, now) {
      const valid = probes.filter((probe) => isValid(probe, hostname, now));
      return Object.assign({}, ...valid.map(({ name }) => byHost.get(hostname)?.get(name)?.collected));
    },
  };
}
