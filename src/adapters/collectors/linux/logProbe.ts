/** Counts the errors in a Linux machine's journal since the previous scan. */
import { missing, type Reading } from '../../../domain/signals/reading.ts';
import { journalArgs, journalErrors, NEWEST_ENTRY_ARGS } from '../journal.ts';
import type { Probe } from '../sources/probe.ts';
import { type Source, SPAN, type Texts } from '../sources/source.ts';

/** Entries are counted where they are: a thousand of them would be half a megabyte to send. */
const JOURNAL: Source = {
  name: 'journal',
  command: [
    'sh',
    '-c',
    `command -v journalctl >/dev/null || exit 3; journalctl ${journalArgs('"$1"').join(' ')} 2>&1 | awk '/^\\{/ { n++; next } { print } END { print "entries", n + 0 }'`,
    'journal',
    SPAN,
  ],
};
const NEWEST: Source = { name: 'newest', command: ['journalctl', ...NEWEST_ENTRY_ARGS] };

export const linuxLog: Probe = {
  name: 'log',
  everyS: 0,
  sources: [JOURNAL, NEWEST],
  read: (texts) => ({ logErrors: readErrors(texts) }),
};

function readErrors(texts: Texts): Reading<number> {
  const journal = texts.find(JOURNAL);
  if (!journal || journal.code === 3) return missing('the machine has no journalctl');
  if (journal.code === null) return missing('journalctl did not finish in time');
  const entries = /^entries (\d+)$/m.exec(journal.text)?.[1];
  return journalErrors(Number(entries ?? 0), texts.text(NEWEST).startsWith('{'), journal.text);
}
