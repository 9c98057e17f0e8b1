/** A terminal that keeps what it was shown; files are those of this machine, and nobody sits there unless `ask` is given. */
import { readFile, writeFile } from 'node:fs/promises';
import type { Terminal } from '../../src/surfaces/cli/terminal.ts';

export interface RecordedTerminal extends Terminal {
  /** All of the answer so far. */
  readonly outText: string;
  readonly errText: string;
  readonly browsed: string[];
}

export function recordedTerminal(ask?: Terminal['ask'], facts: Partial<Terminal['facts']> = {}): RecordedTerminal {
  const [out, err, browsed]: [string[], string[], string[]] = [[], [], []];
  return {
    out: (text) => out.push(text),
    err: (text) => err.push(text),
    read: (name) => readFile(name),
    write: (name, bytes) => writeFile(name, bytes),
    browse: (url) => browsed.push(url),
    ...(ask && { ask }),
    facts: { user: 'tester', timeZone: 'UTC', columns: null, colours: false, ...facts },
    browsed,
    get outText() {
      return out.join('\n');
    },
    get errText() {
      return err.join('\n');
    },
  };
}
