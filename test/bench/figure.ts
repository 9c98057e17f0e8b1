/** One line of a benchmark's answer. */
export function figure(
  bench: string,
  name: string,
  value: number,
  unit: string,
  more: Record<string, unknown> = {},
): void {
  const rounded = Math.round(value * 1000) / 1000;
  process.stdout.write(`${JSON.stringify({ bench, figure: name, value: rounded, unit, ...more })}\n`);
}

/** @param share 0–1 */
export function percentile(values: number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
