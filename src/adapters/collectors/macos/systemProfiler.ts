/** Takes apart what `system_profiler TYPE -json` prints. */

export type JsonObject = Record<string, unknown>;

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The entries of one data type; null when the text is not that. */
export function entriesOf(output: string, type: string): JsonObject[] | null {
  try {
    const parsed: unknown = JSON.parse(output);
    const entries = isObject(parsed) ? parsed[type] : null;
    return Array.isArray(entries) ? entries.filter(isObject) : null;
  } catch {
    return null;
  }
}

/** The objects in a list that may not be one. */
export const objectsIn = (value: unknown): JsonObject[] => (Array.isArray(value) ? value.filter(isObject) : []);

/** `87`, `"87 %"`, `"-58 dBm / -92 dBm"`: the first number. */
export function firstNumber(value: unknown): number | null {
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  const digits = typeof value === 'string' ? /-?\d+(\.\d+)?/.exec(value)?.[0] : undefined;
  return digits === undefined ? null : Number(digits);
}
