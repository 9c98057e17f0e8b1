/** Between which lines of the rules a value lies: samples that lie between the same lines are judged alike, so that most need no judging. */
import type { ScoreConfig } from '../alerts/alertRules.ts';
import { type Condition, type Line, lineAt } from '../scores/conditions.ts';
import { declarationOf, type SignalName } from '../signals/catalogue.ts';
import { type Measure, signalOf } from '../signals/measures.ts';
import type { SampleStretch, StoredLeaf, StoredSeries } from './sampleStretch.ts';

const DAY_MS = 86_400_000;

/** The lines of a signal in ascending order, or `exact` where its value itself counts. */
export type SignalLines = ReadonlyMap<SignalName, readonly number[] | 'exact'>;

/** Every line that a rule draws through a signal; a signal that no rule reads is absent. */
export function linesOf({ deductions, caps, alerts }: ScoreConfig): SignalLines {
  const found = new Map<SignalName, Set<number> | 'exact'>();
  const draw = (measure: Measure, at: readonly number[]) => {
    const signal = signalOf(measure);
    const lines = found.get(signal) ?? new Set<number>();
    if (lines !== 'exact') for (const each of at) lines.add(each);
    found.set(signal, lines);
  };
  const drawConditions = (...lists: (readonly Condition[] | undefined)[]) => {
    for (const condition of lists.flatMap((list) => list ?? [])) draw(condition.measure, [lineAt(condition)]);
  };
  for (const rule of Object.values(deductions).flat()) {
    draw(rule.measure, rule.steps?.map((step: Line) => lineAt(step)) ?? []);
    if (rule.pointsPerUnit !== undefined) found.set(signalOf(rule.measure), 'exact');
    drawConditions(rule.and, rule.unless, ...(rule.steps ?? []).flatMap(({ and, unless }) => [and, unless]));
  }
  for (const { when } of caps) {
    if ('componentAtMost' in when) continue;
    draw(when.measure, [lineAt(when)]);
    drawConditions(when.and, when.unless);
  }
  for (const rule of alerts) {
    if ('unreachable' in rule) continue;
    draw(rule.measure, [lineAt(rule), rule.clear]);
    drawConditions(rule.and, rule.unless);
  }
  return new Map(
    [...found].map(([signal, lines]) => [signal, lines === 'exact' ? lines : [...lines].sort((a, b) => a - b)]),
  );
}

/** Two samples of equal signature, of whatever machines, lie between the same lines with everything that rules read. */
export type Signature = number;

/**
 * Signs samples. Each value's band adds a number drawn for it, so that a sample is signed by what differs from the one before;
 * 53 bits make two different samples of one signature as likely as a cosmic ray.
 */
export function bandSigner(lines: SignalLines): (stretch: SampleStretch) => Float64Array {
  const drawn = new Map<string, Map<StoredLeaf, [high: number, low: number]>>();
  const draw = drawing();
  const numbersOf = (key: string) => {
    const known = drawn.get(key) ?? new Map<StoredLeaf, [number, number]>();
    drawn.set(key, known);
    return known;
  };
  return ({ timesMs, series }) => {
    const signed = timesMs.length;
    const high = new Int32Array(signed);
    const low = new Int32Array(signed);
    for (const each of series) {
      const bandOf = banding(each, timesMs, lines);
      const numbers = numbersOf(each.key);
      let band: StoredLeaf;
      let pair: [number, number] | null = null;
      for (let place = 0; place < signed; place++) {
        const leaf = each.leaves[place];
        const now = bandOf === null || leaf === undefined || leaf === null ? leaf : bandOf(leaf, place);
        if (now !== band) {
          band = now;
          pair = now === undefined ? null : (numbers.get(now) ?? null);
          if (pair === null && now !== undefined) {
            pair = [draw(), draw()];
            numbers.set(now, pair);
          }
        }
        if (pair !== null) {
          high[place] = (high[place] as number) ^ pair[0];
          low[place] = (low[place] as number) ^ pair[1];
        }
      }
    }
    return Float64Array.from(high, (bits, place) => (bits & 0x1fffff) * 2 ** 32 + ((low[place] as number) >>> 0));
  };
}

/** Whole numbers of 32 bits, the same in every process (xorshift, Marsaglia 2003). */
function drawing(): () => number {
  let state = 0x9e3779b9 | 0;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    // Two draws in a row are mixed, or a pair would follow from its first half.
    return Math.imul(state, 0x85ebca6b) ^ (state >>> 15);
  };
}

/** How a leaf becomes a band; null where every other leaf is another band. */
function banding(
  { signal }: StoredSeries,
  timesMs: readonly number[],
  lines: SignalLines,
): ((leaf: NonNullable<StoredLeaf>, place: number) => StoredLeaf) | null {
  if (signal === null) return null;
  const own = lines.get(signal) ?? [];
  const { kind, better } = declarationOf(signal);
  if (own === 'exact') return null;
  if (kind === 'number') {
    return better === 'zero' ? (leaf) => bandIn(Math.abs(leaf as number), own) : (leaf) => bandIn(leaf as number, own);
  }
  if (kind !== 'time') return null;
  let text: StoredLeaf;
  let beganMs = 0;
  return (leaf, place) => {
    if (leaf !== text) {
      text = leaf;
      beganMs = Date.parse(String(leaf));
    }
    // A time is read as its age, which grows while it stays the same.
    return bandIn(((timesMs[place] as number) - beganMs) / DAY_MS, own);
  };
}

/** Twice the lines below, and one more on a line itself: rules are strict on one side of a line and not on the other. */
function bandIn(value: number, lines: readonly number[]): number {
  let band = 0;
  for (const line of lines) {
    if (value < line) return band;
    if (value === line) return band + 1;
    band += 2;
  }
  return band;
}
