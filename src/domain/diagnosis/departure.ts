/** Holds one measure of a machine against its own usual, its peers and what people notice. */
import type { Measure } from '../signals/measures.ts';
import { levelFor, worseWay } from './levels.ts';
import type { Point } from './machineHistory.ts';
import { LEAST_DAYS, LEAST_PEERS, lately, quantile, sameHours, type Usual, usualOf } from './usual.ts';

const HOUR_MS = 3_600_000;
/** Scans that say how things are now. */
const NOW_MS = 1.25 * HOUR_MS;
const NOW_SCANS = 4;
/** Where scans are rare, the one before still says how things are. */
const PREVIOUS_MS = 6 * HOUR_MS;
/** A problem that comes and goes shows in some of the scans of so many hours. */
const LATELY_MS = 3 * HOUR_MS;
const LATELY_SCANS = 8;
/** What is serious this rarely is hardly ever so twice in a row by chance; a share of all scans. */
const RARELY = 0.004;
/** So many usual deviations are no chance: of a median of scans, whose own scatter is half of that. */
const SIGMAS = 4;

export interface Departure {
  measure: Measure;
  /** What it is now, in the unit of the measure. */
  current: number;
  /** What it was read of, where there are several. */
  item: string | null;
  /** The machine's own at the same hours; null while it is not known. */
  usual: number | null;
  /** The middle of the peers now; null where there are too few. */
  peers: number | null;
  fromUsual: boolean;
  fromPeers: boolean;
  /** Share of the peers that a person would notice it on too, 0–1; null where there are too few. */
  sharedBy: number | null;
  /** 0–1: how noticeable the level is and how sure it is that it departs. */
  strength: number;
  /** When it began; null where its beginning is not in sight. */
  sinceMs: number | null;
  /** It came on over hours, not at once. */
  gradual: boolean;
  /** Scans since it began. */
  scans: number;
}

/** @param peers the peers' values now, in the unit of the measure @returns null where nothing departs and nothing is serious */
export function departureOf(measure: Measure, points: readonly Point[], peers: readonly number[]): Departure | null {
  const newest = points.at(-1);
  if (!newest) return null;
  const way = worseWay(measure);
  const level = levelFor(measure);
  // From here on more is worse.
  const turned = points.map((point) => ({ ...point, value: way * point.value }));
  const [notable, serious] = [way * level.notable, way * level.serious];
  const now = levelNow(turned, serious, level.event ?? false);
  if (now.value < notable) return null;
  const departs = (usual: Usual | null): boolean =>
    usual !== null &&
    now.value >= usual.middle + Math.max(level.material, SIGMAS * usual.above) &&
    isTimesWorse(now.value, usual.middle, way, level.factor ?? 1);
  const { own, fromUsual } = ownUsual(turned, newest.atMs, departs);
  const others = peers.length >= LEAST_PEERS ? usualOf(peers.map((value) => way * value)) : null;
  const fromPeers = departs(others);

  const onset = fromUsual && own ? onsetOf(turned, own, now.value) : null;
  const share = serious === notable ? 1 : Math.min(1, (now.value - notable) / (serious - notable));
  const sure = sureness({ fromUsual, fromPeers, hasUsual: own !== null, isSerious: now.value >= serious, level });
  const seenOnce = onset !== null && onset.scans === 1 && !level.event ? 0.6 : 1;
  const strength = (0.45 + 0.55 * share) * sure * seenOnce;
  if (strength === 0) return null;
  return {
    measure,
    current: way * now.value,
    item: now.item,
    usual: own && way * own.middle,
    peers: others && way * others.middle,
    fromUsual,
    fromPeers,
    sharedBy:
      peers.length >= LEAST_PEERS ? peers.filter((value) => way * value >= notable).length / peers.length : null,
    strength,
    sinceMs: onset?.sinceMs ?? null,
    gradual: onset?.gradual ?? false,
    scans: onset?.scans ?? now.scans,
  };
}

/** A climb of some days makes the last days a part of itself; those before it still know what was usual. */
const EARLIER_MS = 4.5 * 24 * HOUR_MS;

function ownUsual(
  points: readonly Point[],
  atMs: number,
  departs: (usual: Usual | null) => boolean,
): { own: Usual | null; fromUsual: boolean } {
  const usualIn = (some: readonly Point[]): Usual | null => {
    const { of, days } = sameHours(some, atMs);
    return days >= LEAST_DAYS ? usualOf(of.map(({ value }) => value)) : null;
  };
  const own = usualIn(points);
  if (own === null || departs(own)) return { own, fromUsual: own !== null };
  const earlier = usualIn(points.filter((point) => point.atMs < atMs - EARLIER_MS));
  return departs(earlier) ? { own: earlier, fromUsual: true } : { own, fromUsual: false };
}

/**
 * What most of the last scans reached, or a quarter of the last hours' where that is worse, or both of the last two where that
 * is serious; events by the last scan.
 */
function levelNow(
  points: readonly Point[],
  serious: number,
  isEvent: boolean,
): { value: number; item: string | null; scans: number } {
  const newest = points.at(-1) as Point;
  if (isEvent) return { value: newest.value, item: newest.item, scans: 1 };
  const recent = lately(points, NOW_MS).slice(-NOW_SCANS);
  const last = recent.length >= 2 ? recent : lately(points, PREVIOUS_MS).slice(-2);
  const hours = lately(points, LATELY_MS);
  const sorted = (some: readonly Point[]) => some.map(({ value }) => value).sort((a, b) => a - b);
  // The lower of two in the middle: half of the scans are not most of them.
  const most = sorted(last)[Math.floor((last.length - 1) / 2)] as number;
  const often = hours.length >= LATELY_SCANS ? quantile(sorted(hours), 0.75) : most;
  const twice = Math.min(...points.slice(-2).map(({ value }) => value));
  const isRare = points.filter(({ value }) => value >= serious).length <= 2 + RARELY * points.length;
  const value = Math.max(most, often, twice >= serious && isRare ? twice : most);
  const shown = last.toSorted((a, b) => b.value - a.value)[0] as Point;
  return { value, item: shown.item, scans: last.length };
}

/** @param way of measures of which less is worse, values are negative here */
function isTimesWorse(value: number, usual: number, way: number, factor: number): boolean {
  return way > 0 ? value >= factor * usual : -value * factor <= -usual;
}

function sureness({
  fromUsual,
  fromPeers,
  hasUsual,
  isSerious,
  level,
}: {
  fromUsual: boolean;
  fromPeers: boolean;
  hasUsual: boolean;
  isSerious: boolean;
  level: { needsUsual?: true; event?: true };
}): number {
  if (fromUsual) return fromPeers ? 1 : 0.95;
  if (level.needsUsual) return 0;
  // Always so: what people got used to may still be what is wrong.
  if (fromPeers) return hasUsual ? 0.6 : 0.9;
  if (isSerious) return hasUsual ? 0.45 : 0.7;
  return 0;
}

/**
 * When the present departure began: the first scan of the last run beyond the halfway mark from usual. One that takes hours from a
 * quarter of the way to three quarters is a climb, which began half that time before its first quarter. Single scans that
 * fall back do not end a run.
 */
function onsetOf(
  points: readonly Point[],
  usual: Usual,
  current: number,
): { sinceMs: number; gradual: boolean; scans: number } {
  const rise = current - usual.middle;
  const [quarter, half, most] = [0.25, 0.5, 0.75].map((share) => beganAt(points, usual.middle + share * rise)) as [
    number,
    number,
    number,
  ];
  const at = (index: number) => (points[index] as Point).atMs;
  const climbMs = at(most) - at(quarter);
  if (climbMs < CLIMB_MS) return { sinceMs: at(half), gradual: false, scans: points.length - half };
  const sinceMs = Math.max(at(0), at(quarter) - climbMs / 2);
  return { sinceMs, gradual: true, scans: points.length - quarter };
}

/** From a quarter to three quarters of the way within less is a jump. */
const CLIMB_MS = 1.5 * HOUR_MS;
/** Scans in a row that may lie below without ending a run, and for how long. */
const LAPSE_SCANS = 3;

function beganAt(points: readonly Point[], line: number): number {
  let first = points.length - 1;
  for (let i = points.length - 1, below = 0; i >= 0 && below <= LAPSE_SCANS; i--) {
    if ((points[i] as Point).value >= line) {
      first = i;
      below = 0;
    } else below++;
  }
  return first;
}
