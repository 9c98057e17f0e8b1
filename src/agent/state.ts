/** What the agent keeps on disk, readable by its own user alone: its token, and reports that wait for the server. */
import {
  chmodSync,
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import type { AgentReport } from '../domain/signals/agentReport.ts';

/** An update that was taken, and how it has fared. */
export interface TakenUpdate {
  version: string;
  /** SHA-256 of the file, hex. */
  sha256: string;
  /** By the key that was pinned at enrolment, base64. */
  signature: string;
  /** How often it was started without having reported twice. */
  starts: number;
  /** Reports that the server took from it; at two it is kept. */
  reports: number;
}

export interface AgentState {
  server: string;
  token: string;
  /** Of the machine when it enrolled: another one is a copy of its disk. */
  machineId: string | null;
  /** What the server said last: nothing that tells something about the person at the machine is measured. */
  isPrivate: boolean;
  /** When to renew the token, milliseconds since 1970. */
  renewTokenAtMs: number;
  /** The key that signs updates, PEM, as it was at enrolment; null where none is offered. */
  updateKey: string | null;
  update: TakenUpdate | null;
  /** Versions that were given up. */
  failedVersions: string[];
}

/** Writes so that after a power cut there is either the old content or the new. */
export function writeWhole(file: string, content: string | Buffer): void {
  const beside = `${file}.new`;
  rmSync(beside, { force: true });
  const handle = openSync(beside, 'wx', 0o600);
  try {
    writeSync(handle, content as string);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  renameSync(beside, file);
}

export interface StateStore {
  /** Null before enrolment. @throws Error for a file that cannot be read */
  read(): AgentState | null;
  write(state: AgentState): void;
}

export function stateStore(dir: string): StateStore {
  const file = join(dir, 'state.json');
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  // On Windows the installer limits the folder to SYSTEM and administrators; modes mean nothing there.
  if (process.platform !== 'win32') chmodSync(dir, 0o700);
  return {
    read() {
      let text: string;
      try {
        text = readFileSync(file, 'utf8');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
        throw error;
      }
      try {
        const { server, token, ...rest } = JSON.parse(text) as Partial<AgentState>;
        if (typeof server !== 'string' || typeof token !== 'string') throw new Error('no server and token in it');
        return {
          machineId: null,
          isPrivate: false,
          renewTokenAtMs: 0,
          updateKey: null,
          update: null,
          failedVersions: [],
          ...rest,
          server,
          token,
        };
      } catch (error) {
        throw new Error(`${file} cannot be read (${(error as Error).message}): enroll this machine again`);
      }
    },
    write: (state) => writeWhole(file, `${JSON.stringify(state, null, 2)}\n`),
  };
}

/** Reports that wait for the server, oldest first. */
export interface Spool {
  add(report: AgentReport): void;
  /** The oldest, at most so many. */
  oldest(count: number): AgentReport[];
  /** Forgets so many of the oldest. */
  drop(count: number): void;
  size(): number;
}

/** A day of reports at the default interval; when the server is away for longer, the oldest are given up. */
const MOST_WAITING = 288;

export function memorySpool(): Spool {
  const waiting: AgentReport[] = [];
  return {
    add(report) {
      waiting.push(report);
      if (waiting.length > MOST_WAITING) waiting.shift();
    },
    oldest: (count) => waiting.slice(0, count),
    drop: (count) => void waiting.splice(0, count),
    size: () => waiting.length,
  };
}

/** One file a report, so that they survive a restart and none of them costs memory. */
export function fileSpool(stateDir: string): Spool {
  const dir = join(stateDir, 'waiting');
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const names = readdirSync(dir)
    .filter((name) => name.endsWith('.json'))
    .sort();
  const forget = (count: number) => {
    for (const name of names.splice(0, count)) rmSync(join(dir, name), { force: true });
  };
  const read = (name: string): AgentReport | null => {
    try {
      return JSON.parse(readFileSync(join(dir, name), 'utf8')) as AgentReport;
    } catch {
      return null;
    }
  };
  for (const name of names.filter((name) => read(name) === null)) {
    names.splice(names.indexOf(name), 1);
    rmSync(join(dir, name), { force: true });
  }
  return {
    add(report) {
      const name = `${report.collected_at.replaceAll(':', '')}.json`;
      writeWhole(join(dir, name), JSON.stringify(report));
      names.push(name);
      if (names.length > MOST_WAITING) forget(names.length - MOST_WAITING);
    },
    oldest: (count) => names.slice(0, count).flatMap((name) => read(name) ?? []),
    drop: forget,
    size: () => names.length,
  };
}
