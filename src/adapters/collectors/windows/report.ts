/** Takes apart what the PowerShell script prints, and reads its sections by name without trusting their shape. */
import { measured, missing, type Reading } from '../../../domain/signals/reading.ts';

export type Row = Record<string, unknown>;

const isRow = (value: unknown): value is Row => typeof value === 'object' && value !== null && !Array.isArray(value);

export class WindowsReport {
  private readonly sections: Map<string, unknown>;

  constructor(sections: Map<string, unknown>) {
    this.sections = sections;
  }

  /** Whether the script reached this section. */
  has(name: string): boolean {
    return this.sections.has(name);
  }

  /** The section's rows (a single object counts as one), or why there are none. */
  rows(name: string): Reading<Row[]> {
    const value = this.sections.get(name);
    if (value === undefined) return missing('PowerShell did not get to it in time');
    const rows = (Array.isArray(value) ? value : [value]).filter(isRow);
    const error = rows[0]?.error;
    return typeof error === 'string' ? missing(`Windows refuses: ${error.slice(0, 200)}`) : measured(rows);
  }

  /** The section's only object. */
  row(name: string): Reading<Row> {
    const rows = this.rows(name);
    if ('missing' in rows) return rows;
    const [first] = rows.value;
    return first ? measured(first) : missing('Windows reports nothing of the kind');
  }
}

const MAX_SECTION_CHARS = 1024 * 1024;

/** Lines `@@name JSON`; anything else (a login banner, a warning) is passed over. */
export function parseWindowsReport(output: string): WindowsReport {
  const sections = new Map<string, unknown>();
  for (const line of output.split(/\r?\n/)) {
    const [, name, json] = /^\uFEFF?@@(\w+) (.*)$/.exec(line) ?? [];
    if (!name || json === undefined || json.length > MAX_SECTION_CHARS) continue;
    try {
      sections.set(name, JSON.parse(json));
    } catch {
      sections.set(name, { error: 'what came is not readable' });
    }
  }
  return new WindowsReport(sections);
}

/** A number that may have come as text, as 64-bit counters do; null when it is none. */
export function numberOf(value: unknown): number | null {
  if (value === null || value === '' || typeof value === 'boolean') return null;
  const number = Number(value);
  return Number.isFinite(number) ? number : null;
}

export const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

/** A date from Unix seconds. */
export function dateOf(value: unknown): Date | null {
  const unixS = numberOf(value);
  return unixS !== null && unixS > 0 && unixS < 253_402_300_799 ? new Date(unixS * 1000) : null;
}
