/** Whoever typed a command: where its text goes, and what it may ask of the place it was typed in. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { createInterface } from 'node:readline/promises';
import { buffer } from 'node:stream/consumers';
import { visibleLine } from '../../core/characters.ts';
import { progressBar } from './progressBar.ts';

export interface Terminal {
  /** The answer. */
  out(text: string): void;
  /** What goes on beside it, and mistakes. */
  err(text: string): void;
  /** How far long work is, 0–1. */
  progress?(share: number, message: string): void;
  /** Asks whoever sits there; absent where nobody does. */
  ask?(question: string): Promise<boolean>;
  /** A file of the place it was typed in, `-` for the standard input; rejects with what the system says. */
  read(name: string): Promise<Uint8Array>;
  write(name: string, bytes: Uint8Array): Promise<void>;
  /** Shows a page to whoever sits there. */
  browse(url: string): void;
  facts: TerminalFacts;
}

export interface TerminalFacts {
  user: string;
  /** IANA zone. */
  timeZone: string;
  /** Characters of a line; null when the answer goes to a file or a program. */
  columns: number | null;
  colours: boolean;
}

/** The terminal that this process was started in. @param mayColour whether its environment allows colours */
export function processTerminal(mayColour: boolean): Terminal {
  const bar = progressBar(process.stderr);
  const { stdin, stdout, stderr } = process;
  return {
    out(text) {
      bar.clear();
      stdout.write(`${text}\n`);
    },
    err(text) {
      bar.clear();
      stderr.write(`${text}\n`);
    },
    progress: (share, message) => bar.show(share, visibleLine(message)),
    ...(stdin.isTTY && stderr.isTTY && { ask: askPerson }),
    read: (name) => (name === '-' ? buffer(stdin) : readFile(name)),
    write: (name, bytes) => writeFile(name, bytes),
    browse: openBrowser,
    facts: {
      user: userInfo().username,
      timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
      columns: stdout.isTTY ? stdout.columns : null,
      colours: stdout.isTTY === true && mayColour,
    },
  };
}

/** Anything but a yes is a no, the end of the input too. */
async function askPerson(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const closed = once(terminal, 'close').then(() => '');
  const typed = await Promise.race([terminal.question(`${question} [y/N] `), closed]).catch(() => '');
  terminal.close();
  return /^y(es)?$/i.test(typed.trim());
}

/** What opens an address on each system; elsewhere it has to be enough that it was printed. */
const OPENERS: Partial<Record<NodeJS.Platform, [program: string, ...args: string[]]>> = {
  linux: ['xdg-open'],
  darwin: ['open'],
  win32: ['rundll32', 'url.dll,FileProtocolHandler'],
};

function openBrowser(url: string): void {
  const [program, ...args] = OPENERS[process.platform] ?? [];
  // A service that was told a strange address must not start programs here.
  if (program === undefined || !process.stdout.isTTY || !/^https?:\/\//.test(url)) return;
  const child = spawn(program, [...args, url], { stdio: 'ignore', detached: true });
  child.on('error', () => {});
  child.unref();
}
