/** A YAML file that is read again when it changes; a broken edit is refused and the last good version stays in force. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Document, isNode, LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { inputProblem } from '../core/commands/inputProblems.ts';
import { AppError } from '../core/errors.ts';
import type { Log, Reloaded } from '../core/ports/ports.ts';

/** Longest gap between an edit and its effect, in milliseconds; a check of the file's time stamp costs microseconds. */
const CHECK_EVERY_MS = 1000;

/** No configuration of ours is anywhere near this, and a parser should not be handed more. */
const MAX_BYTES = 1_000_000;

interface ReloadedFileOptions {
  log: Log;
  /** Called for every refused edit. */
  onRefused?(problem: string): void;
  nowMs?(): number;
}

/** @throws AppError `invalid` when the file is wrong at the first read */
export function reloadedFile<S extends z.ZodType>(
  path: string,
  schema: S,
  options: ReloadedFileOptions,
): Reloaded<z.output<S>> {
  const nowMs = options.nowMs ?? (() => performance.now());
  let stamp = stampOf(path);
  let value = load(path, schema);
  let checkedMs = nowMs();

  return {
    current() {
      if (nowMs() - checkedMs < CHECK_EVERY_MS) return value;
      checkedMs = nowMs();
      const seen = stampOf(path);
      if (seen === stamp) return value;
      stamp = seen;
      try {
        value = load(path, schema);
        options.log.info({ file: path }, 'configuration file reloaded');
      } catch (error) {
        const problem = (error as Error).message;
        options.log.error({ file: path, problem }, 'configuration file refused; the last good version stays in force');
        options.onRefused?.(problem);
      }
      return value;
    },
  };
}

/** The YAML files directly in a folder, by name; none when there is no such folder. */
export function yamlFiles(folder: string): string[] {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .sort()
    .map((name) => join(folder, name));
}

function stampOf(path: string): string {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats ? `${stats.mtimeMs}/${stats.size}/${stats.ino}` : 'missing';
}

function load<S extends z.ZodType>(path: string, schema: S): z.output<S> {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (!stats) throw new AppError('invalid', `${path} does not exist.`);
  if (stats.size > MAX_BYTES)
    throw new AppError('invalid', `${path} has ${stats.size} bytes; at most ${MAX_BYTES} are read.`);
  return readYaml(path, readFileSync(path, 'utf8'), schema);
}

/**
 * What a YAML text says.
 * @param name how the text is called where it is wrong
 * @throws AppError `invalid` with the line of everything that is wrong
 */
export function readYaml<S extends z.ZodType>(name: string, text: string, schema: S): z.output<S> {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { uniqueKeys: true, lineCounter });
  const [broken] = document.errors;
  if (broken) throw new AppError('invalid', `${name} is not YAML: ${broken.message}`);
  let raw: unknown;
  try {
    raw = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    throw new AppError('invalid', `${name} is not YAML: ${(error as Error).message}`);
  }
  const parsed = schema.safeParse(raw);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => {
    const line = lineOf(document, lineCounter, issue.path);
    return `${line === null ? '' : `line ${line}, `}${issue.path.join('.') || '(file)'}: ${inputProblem(issue)}`;
  });
  throw new AppError('invalid', `${name} is wrong: ${problems.join('; ')}`);
}

/** The line of what stands at a path, or of the nearest that is there around it; null where nothing is. */
function lineOf(document: Document, lineCounter: LineCounter, path: readonly PropertyKey[]): number | null {
  for (let length = path.length; length > 0; length--) {
    const node = document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return lineCounter.linePos(node.range[0]).line;
  }
  return null;
}
