/** Lengths of time as people write them: `30m`, `4 hours`, `1d 12h`, `half an hour`. */

const UNIT_MS = new Map<string, number>(
  Object.entries({
    'm min mins minute minutes': 60_000,
    'h hr hrs hour hours': 3_600_000,
    'd day days': 86_400_000,
    'w wk wks week weeks': 7 * 86_400_000,
    'month months': 30 * 86_400_000,
  }).flatMap(([names, ms]) => names.split(' ').map((name): [string, number] => [name, ms])),
);

const PART = /(\d+(?:[.,]\d+)?)\s*([a-z]+)/y;
const BETWEEN = /(?:\s*(?:,|and)\s*|\s*)/y;

/** @returns milliseconds, or null when the text is not a length of time; a number without a unit is none */
export function readDuration(text: string): number | null {
  const written = text
    .trim()
    .toLowerCase()
    .replace(/^half an? hour$/, '30m')
    .replace(/^an? (?=[a-z]+$)/, '1 ');
  let total = 0;
  for (let at = 0; at < written.length || total === 0; ) {
    PART.lastIndex = at;
    const part = PART.exec(written);
    const unit = UNIT_MS.get(part?.[2] ?? '');
    if (!part || unit === undefined) return null;
    total += Number((part[1] as string).replace(',', '.')) * unit;
    BETWEEN.lastIndex = PART.lastIndex;
    BETWEEN.exec(written);
    at = Math.max(PART.lastIndex, BETWEEN.lastIndex);
    if (total === 0) return null;
  }
  return total;
}
