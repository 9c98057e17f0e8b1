/** Answers as tables: CSV for spreadsheets and JSON lines for programs. */

export const TABLE_TYPES = ['text/csv', 'application/x-ndjson'] as const;
export type TableType = (typeof TABLE_TYPES)[number];

export function writeTable(rows: Record<string, unknown>[], type: TableType): string {
  return type === 'text/csv' ? csv(rows) : rows.map((row) => `${JSON.stringify(row)}\n`).join('');
}

/** RFC 4180, with the first row's names as the header. */
function csv(rows: Record<string, unknown>[]): string {
  const [first] = rows;
  if (!first) return '';
  const names = Object.keys(first);
  const lines = [names, ...rows.map((row) => names.map((name) => row[name]))];
  return lines.map((line) => `${line.map(cell).join(',')}\r\n`).join('');
}

/** A text that begins like a formula is one to a spreadsheet; the apostrophe keeps it a text. */
function cell(value: unknown): string {
  if (value === null || value === undefined) return '';
  const text = typeof value === 'string' && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
