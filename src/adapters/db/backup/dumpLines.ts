/** What of a PostgreSQL dump is handed to psql: the statements that pg_dump writes for our tables, their rows, and nothing else. */
import { AppError } from '../../../core/errors.ts';

/** How each statement of a dump of ours begins. */
const STATEMENT =
  /^(SET \w+ = |SELECT pg_catalog\.(set_config|setval)\('|(CREATE|ALTER|DROP) (TABLE|SEQUENCE|INDEX|UNIQUE INDEX)\b|(DROP|CREATE) SCHEMA (IF EXISTS )?\w+;$|COMMENT ON SCHEMA )/;
const COPY = /^COPY [\w."]+ \([\w", ]+\) FROM stdin;$/;
/** Newer versions of pg_dump fence the dump by these; older versions of psql do not know them. */
const FENCE = /^\\(un)?restrict [A-Za-z0-9]+$/;

/**
 * psql obeys more than SQL: a line with a backslash can start a program, and so can COPY and functions. Rows are data up to
 * `\.`, everything else has to be a statement of the kinds that a dump of ours consists of.
 *
 * @throws AppError `invalid` at the first line that is none
 */
export async function* plainDump(lines: AsyncIterable<string>): AsyncGenerator<string> {
  let inside: 'nothing' | 'statement' | 'rows' = 'nothing';
  for await (const line of lines) {
    if (inside === 'rows') {
      if (line === '\\.') inside = 'nothing';
    } else if (inside === 'nothing' && COPY.test(line)) {
      inside = 'rows';
    } else if (FENCE.test(line)) {
      continue;
    } else if (inside === 'statement' || !(line.trim() === '' || line.startsWith('--'))) {
      if (inside === 'nothing' && !STATEMENT.test(line)) throw refused(line);
      if (!isPlain(line)) throw refused(line);
      inside = line.endsWith(';') ? 'nothing' : 'statement';
    }
    yield line;
  }
}

/** Nothing in it that psql reads otherwise than line by line: commands, comments, quotes that go on, a second statement. */
function isPlain(line: string): boolean {
  const bare = line.replaceAll(/'[^'\\]*'|"[^"\\]*"/g, '');
  return !/[\\'"$]|\/\*|--|;./.test(bare);
}

function refused(line: string): AppError {
  return new AppError('invalid', `The backup holds what no backup of ours does: ${line.slice(0, 80)}`);
}
