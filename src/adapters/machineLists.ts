/** Reads lists of machines, as inventories and spreadsheets write them: CSV with any usual separator, or JSON. */
import { AppError } from '../core/errors.ts';
import type { MachineList, MachineLists } from '../core/ports/ports.ts';

/** More is no list of machines that one call takes. */
const MOST_ROWS = 20_000;

/** A quote that is not closed costs a second reading of what follows; who has more of them has another mistake. */
const MOST_BAD_LINES = 100;

/** Characters of one line. */
const LONGEST_RECORD = 100_000;

const SEPARATORS = [';', '\t', ',', '|'] as const;

export const machineLists: MachineLists = {
  async read(text) {
    const clean = text.replace(/^\uFEFF/, '');
    const list = /^\s*[[{]/.test(clean) ? readJson(clean) : await readCsv(clean);
    if (list.rows.length + list.problems.length === 0) throw new AppError('invalid', 'The list holds no machine.');
    if (list.rows.length > MOST_ROWS)
      throw new AppError(
        'too_large',
        `The list has ${list.rows.length} machines; at most ${MOST_ROWS} are read at once.`,
      );
    return list;
  },
};

/** An array of objects, or an object with one under `endpoints`, as a list of endpoints is answered. */
function readJson(text: string): MachineList {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new AppError('invalid', `The list looks like JSON and is none: ${(error as Error).message}.`);
  }
  const entries = Array.isArray(value) ? value : (value as { endpoints?: unknown }).endpoints;
  if (!Array.isArray(entries))
    throw new AppError('invalid', 'A list in JSON is an array of machines, or an object with one under "endpoints".');
  const list: MachineList = { rows: [], problems: [] };
  for (const [index, entry] of entries.entries()) {
    const line = index + 1;
    if (typeof entry === 'string') list.rows.push({ line, fields: { hostname: entry } });
    else if (typeof entry === 'object' && entry !== null && !Array.isArray(entry))
      list.rows.push({ line, fields: withoutNulls(entry) });
    else list.problems.push({ line, problem: 'this entry is neither an object nor a hostname' });
  }
  return list;
}

function withoutNulls(entry: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(entry).filter(([, value]) => value !== null));
}

async function readCsv(text: string): Promise<MachineList> {
  const { parse } = await import('csv-parse/sync');
  const lines = text.split(/\r\n|\n|\r/);
  const first = lines.findIndex((line) => line.trim() !== '' && !/^sep=/i.test(line));
  const header = lines[first] ?? '';
  const delimiter = separatorOf(header);
  const columns = columnsOf(parse(header, { delimiter, trim: true })[0] ?? [], header);
  const list: MachineList = { rows: [], problems: [] };
  for (let from = first + 1; from < lines.length; ) {
    // Where the last record ended that could be read.
    let end = from;
    try {
      parse(lines.slice(from).join('\n'), {
        delimiter,
        trim: true,
        skip_empty_lines: true,
        relax_column_count: true,
        max_record_size: LONGEST_RECORD,
        on_record(record: string[], { lines: read }) {
          end = from + read;
          add(list, columns, record, end - record.join('').split('\n').length + 1);
          return null;
        },
      });
      break;
    } catch (error) {
      if (error instanceof AppError) throw error;
      // One broken quote is not to cost what follows it: that is read again without its line.
      while (lines[end]?.trim() === '') end++;
      list.problems.push({
        line: end + 1,
        problem: 'a quote in this line is not closed, or stands in the wrong place',
      });
      if (list.problems.length > MOST_BAD_LINES)
        throw new AppError('invalid', `More than ${MOST_BAD_LINES} lines of the list cannot be read; is it CSV?`);
      from = end + 1;
    }
  }
  return list;
}

/** The separator that the line of names holds most of. */
function separatorOf(header: string): string {
  const counts = SEPARATORS.map((separator) => header.split(separator).length);
  return SEPARATORS[counts.indexOf(Math.max(...counts))] ?? ',';
}

function columnsOf(names: string[], header: string): string[] {
  const twice = names.find((name, at) => name !== '' && names.indexOf(name) !== at);
  if (twice !== undefined) throw new AppError('invalid', `The list has two columns named ${twice}.`);
  if (!names.some((name) => /host|name|computer|device|machine|fqdn/i.test(name)))
    throw new AppError(
      'invalid',
      `The first line has to name the columns, one of them hostname; it is: ${header.slice(0, 200)}`,
    );
  return names;
}

function add(list: MachineList, columns: readonly string[], record: readonly string[], line: number): void {
  if (record.every((cell) => cell === '')) return;
  if (record.length > columns.length && record.slice(columns.length).some((cell) => cell !== '')) {
    const problem = `it has ${record.length} cells, and the first line names ${columns.length} columns`;
    list.problems.push({ line, problem });
    return;
  }
  const fields = columns.flatMap((column, at) => (column === '' ? [] : [[column, record[at] ?? '']]));
  list.rows.push({ line, fields: Object.fromEntries(fields) });
}
