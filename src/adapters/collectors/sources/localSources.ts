/** Reads sources on the machine that this process runs on. */
import { execFile } from 'node:child_process';
import { open, readdir } from 'node:fs/promises';
import { DEFAULT_TIMEOUT_S, MAX_SOURCE_BYTES, type Source, type SourceText, SPAN, Texts } from './source.ts';

/** Files that one pattern may stand for. */
const MAX_FILES = 512;
const MAX_FILE_BYTES = 128 * 1024;
const ON_WINDOWS = process.platform === 'win32';
/** No such program, or none that may be run; 126 and 127 are what `env` says of those. */
const ABSENT = new Set(['ENOENT', 'EACCES', '126', '127']);

/** Reads all of them, programs one after the other so that a laptop's cores stay free; never rejects. */
export async function readLocalSources(sources: readonly Source[], spanS: number, signal: AbortSignal): Promise<Texts> {
  const texts = new Map<string, SourceText>();
  for (const source of sources) {
    if (signal.aborted) break;
    const text = source.command
      ? await runSource(withSpan(source.command, spanS), source.timeoutS, signal)
      : await readFiles(source);
    if (text) texts.set(source.name, text);
  }
  return new Texts(texts);
}

const withSpan = ([file, ...args]: readonly [string, ...string[]], spanS: number): [string, ...string[]] => [
  file,
  ...args.map((arg) => (arg === SPAN ? String(spanS) : arg)),
];

async function readFiles({ files = [], withPaths = false }: Source): Promise<SourceText | null> {
  const parts: string[] = [];
  for (const path of (await Promise.all(files.map(expand))).flat().slice(0, MAX_FILES)) {
    const text = await readStart(path);
    if (text === null) continue;
    parts.push(withPaths ? markLines(path, text) : text);
  }
  return parts.length === 0 ? null : { text: parts.join('').slice(0, MAX_SOURCE_BYTES), remark: '', code: 0 };
}

const markLines = (path: string, text: string): string =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => `${path}:${line}\n`)
    .join('');

/** Paths that a pattern stands for, in order; directories that are not there stand for none. */
async function expand(pattern: string): Promise<string[]> {
  let paths = [''];
  for (const segment of pattern.split('/').slice(1)) {
    if (!segment.includes('*')) {
      paths = paths.map((path) => `${path}/${segment}`);
      continue;
    }
    const matcher = new RegExp(`^${segment.split('*').map(escaped).join('.*')}$`);
    const found = await Promise.all(
      paths.map(async (path) => {
        const names = await readdir(path === '' ? '/' : path).catch(() => []);
        return names
          .filter((name) => matcher.test(name))
          .sort()
          .map((name) => `${path}/${name}`);
      }),
    );
    paths = found.flat().slice(0, MAX_FILES);
  }
  return paths;
}

const escaped = (text: string): string => text.replace(/[.+?^${}()|[\]\\]/g, '\\$&');

/** The beginning of a file; null when it cannot be read, as files of absent hardware cannot. */
async function readStart(path: string): Promise<string | null> {
  try {
    const file = await open(path, 'r');
    try {
      const buffer = Buffer.allocUnsafe(MAX_FILE_BYTES);
      let length = 0;
      // Files of /proc have no size and are handed out piece by piece.
      while (length < buffer.length) {
        const { bytesRead } = await file.read(buffer, length, buffer.length - length);
        if (bytesRead === 0) break;
        length += bytesRead;
      }
      return buffer.toString('utf8', 0, length);
    } finally {
      await file.close();
    }
  } catch {
    return null;
  }
}

/** Runs one program with its output in English and its time limited; null when there is no such program. */
function runSource(
  [file, ...args]: readonly [string, ...string[]],
  timeoutS = DEFAULT_TIMEOUT_S,
  signal: AbortSignal,
): Promise<SourceText | null> {
  return new Promise((resolve) => {
    const options = {
      timeout: timeoutS * 1000,
      killSignal: 'SIGKILL' as const,
      maxBuffer: MAX_SOURCE_BYTES,
      windowsHide: true,
      signal,
    };
    // Reads in English whatever the machine's language; Windows' programs have no such switch.
    const [program, programArgs] = ON_WINDOWS ? [file, args] : ['/usr/bin/env', ['LC_ALL=C', file, ...args]];
    try {
      const child = execFile(program, programArgs, options, (error, stdout, stderr) => {
        if (error && ABSENT.has(String(error.code))) return resolve(null);
        const code = error ? (typeof error.code === 'number' ? error.code : null) : 0;
        resolve({ text: stdout, remark: stderr.trim().split('\n', 1)[0]?.slice(0, 300) ?? '', code });
      });
      child.stdin?.end();
    } catch {
      resolve(null);
    }
  });
}
