/** Remembers each endpoint's counters from scan to scan, and turns what they rose by into readings. */
import { type ItemReading, measured, missing, type Reading } from '../../domain/signals/reading.ts';
import type { Collected } from './readings.ts';

/**
 * Counters since boot by name. A counter of one of several items bears the item's name behind a tab:
 * `disk.requests⇥sda`. Times are seconds.
 */
export type Counters = Map<CounterName, number>;
type MachineCounter =
  | 'cpu.idle'
  | 'cpu.total'
  | 'cpu.iowait'
  | 'cpu.steal'
  | 'pressure.cpu'
  | 'pressure.memory'
  | 'pressure.io'
  | 'swap.pages'
  | 'throttled';
type ItemCounter = 'disk.requests' | 'disk.requestTime' | 'disk.busyTime' | 'link.errors';
type CounterName = MachineCounter | `${ItemCounter}\t${string}`;

/** What counters rose by between two samples. */
export interface Rise {
  elapsedS: number;
  /** Signed; null when one of the samples lacks the counter. */
  of(name: CounterName): number | null;
}

export interface CounterHistory {
  /** The rise since the endpoint's last sample, which `now` replaces; null when there was none of use. */
  riseSince(hostname: string, now: Counters, at: Date): Rise | null;
  /** Whether an earlier sample of the endpoint is remembered. */
  knows(hostname: string): boolean;
}

/** Older counters would average over a time that says little about now: two of the longest scan intervals (1 h). */
const MAX_AGE_MS = 2 * 3_600_000;
/** The endpoint scanned longest ago is forgotten first. */
const MAX_ENDPOINTS = 100_000;
const MAX_SHAPES = 10_000;

interface Sample {
  names: readonly CounterName[];
  values: Float64Array;
  atMs: number;
}

export function createCounterHistory(maxEndpoints = MAX_ENDPOINTS): CounterHistory {
  const samples = new Map<string, Sample>();
  // Machines of a fleet resemble each other: their lists of names are kept once.
  const shapes = new Map<string, readonly CounterName[]>();
  const shapeOf = (counters: Counters): readonly CounterName[] => {
    const names = [...counters.keys()];
    const key = names.join('\n');
    const known = shapes.get(key);
    if (known) return known;
    if (shapes.size >= MAX_SHAPES) shapes.clear();
    shapes.set(key, names);
    return names;
  };
  return {
    knows: (hostname) => samples.has(hostname),
    riseSince(hostname, now, at) {
      const before = samples.get(hostname);
      samples.delete(hostname);
      samples.set(hostname, { names: shapeOf(now), values: Float64Array.from(now.values()), atMs: at.getTime() });
      for (const oldest of samples.keys()) {
        if (samples.size <= maxEndpoints) break;
        samples.delete(oldest);
      }
      if (!before) return null;
      const elapsedMs = at.getTime() - before.atMs;
      if (!(elapsedMs > 0 && elapsedMs <= MAX_AGE_MS)) return null;
      return {
        elapsedS: elapsedMs / 1000,
        of(name) {
          const after = now.get(name);
          const index = before.names.indexOf(name);
          const earlier = index === -1 ? undefined : before.values[index];
          return after === undefined || earlier === undefined ? null : after - earlier;
        },
      };
    },
  };
}

/** Below this many core-seconds between two samples the counters' own resolution (10 ms) shows in the result. */
const MIN_SPAN_S = 0.25;

/** Shares of processor time; null when the samples are too close together or a counter was reset. */
export function processorShares(rise: Rise): Pick<Collected, 'cpuPct' | 'iowaitPct' | 'stealPct'> | null {
  const totalS = rise.of('cpu.total');
  const idleS = rise.of('cpu.idle');
  // Linux' idle time may step back by a few hundredths of a second; a reboot or a removed core takes away far more.
  if (totalS === null || idleS === null || totalS < MIN_SPAN_S || idleS < -1 || idleS > totalS + 1) return null;
  const share = (partS: number): Reading<number> => measured(Math.min(100, Math.max(0, (100 * partS) / totalS)));
  const iowaitS = rise.of('cpu.iowait');
  const stealS = rise.of('cpu.steal');
  return {
    cpuPct: share(totalS - idleS),
    ...(iowaitS !== null && { iowaitPct: share(iowaitS) }),
    ...(stealS !== null && { stealPct: share(stealS) }),
  };
}

const FIRST_SAMPLE = 'it needs two samples; this was the first, the next scan has it';
const WAS_RESET = 'the counter was reset since the previous scan, as a restart does';

/** Readings of all counters but the processor's. @param rise null at a first sample */
export function counterReadings(now: Counters, rise: Rise | null): Collected {
  const collected: Collected = {};
  const perS = (name: MachineCounter): Reading<number> => {
    const risen = rise?.of(name) ?? null;
    if (rise === null || risen === null) return missing(FIRST_SAMPLE);
    return risen < 0 ? missing(WAS_RESET) : measured(risen / rise.elapsedS);
  };
  const percentOfTime = (name: MachineCounter): Reading<number> => {
    const rate = perS(name);
    return 'value' in rate ? measured(Math.min(100, 100 * rate.value)) : rate;
  };
  if (now.has('pressure.cpu')) collected.cpuPressurePct = percentOfTime('pressure.cpu');
  if (now.has('pressure.memory')) collected.memoryPressurePct = percentOfTime('pressure.memory');
  if (now.has('pressure.io')) collected.ioPressurePct = percentOfTime('pressure.io');
  if (now.has('swap.pages')) collected.swapPagesPerS = perS('swap.pages');
  if (now.has('throttled')) {
    const events = rise?.of('throttled') ?? null;
    collected.throttleEvents =
      events === null ? missing(FIRST_SAMPLE) : events < 0 ? missing(WAS_RESET) : measured(events);
  }
  const disks = itemsOf(now, 'disk.requests');
  if (disks.length > 0) {
    collected.diskLatencyMs = { items: worstFirst(disks.map((disk) => ({ item: disk, ...diskLatency(rise, disk) }))) };
    collected.diskBusyPct = { items: worstFirst(disks.map((disk) => ({ item: disk, ...diskBusy(rise, disk) }))) };
  }
  const links = itemsOf(now, 'link.errors');
  if (links.length > 0) {
    collected.linkErrorsPerMin = {
      items: worstFirst(links.map((link) => ({ item: link, ...linkErrors(rise, link) }))),
    };
  }
  return collected;
}

function itemsOf(counters: Counters, name: ItemCounter): string[] {
  const prefix = `${name}\t`;
  return [...counters.keys()].filter((each) => each.startsWith(prefix)).map((each) => each.slice(prefix.length));
}

const worstFirst = (items: ItemReading<number>[]): ItemReading<number>[] =>
  items.sort((a, b) => ('value' in b ? b.value : -1) - ('value' in a ? a.value : -1));

/** Below this many requests the mean says more about one of them than about the disk. */
const MIN_REQUESTS = 20;

function diskLatency(rise: Rise | null, disk: string): Reading<number> {
  const requests = rise?.of(`disk.requests\t${disk}`) ?? null;
  const timeS = rise?.of(`disk.requestTime\t${disk}`) ?? null;
  if (requests === null || timeS === null) return missing(FIRST_SAMPLE);
  if (requests < 0 || timeS < 0) return missing(WAS_RESET);
  return requests < MIN_REQUESTS
    ? missing('the disk was hardly used since the previous scan')
    : measured((1000 * timeS) / requests);
}

function diskBusy(rise: Rise | null, disk: string): Reading<number> {
  const busyS = rise?.of(`disk.busyTime\t${disk}`) ?? null;
  if (rise === null || busyS === null) return missing(FIRST_SAMPLE);
  return busyS < 0 ? missing(WAS_RESET) : measured(Math.min(100, (100 * busyS) / rise.elapsedS));
}

function linkErrors(rise: Rise | null, link: string): Reading<number> {
  const errors = rise?.of(`link.errors\t${link}`) ?? null;
  if (rise === null || errors === null) return missing(FIRST_SAMPLE);
  return errors < 0 ? missing(WAS_RESET) : measured((60 * errors) / rise.elapsedS);
}
