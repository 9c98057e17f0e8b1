/**
 * The log: JSON lines (or readable text) by pino, with secrets taken out, on stderr so that stdout stays free for protocols. A full
 * disk or a reader that stopped costs lines and nothing else.
 */
import { fstatSync, writeSync } from 'node:fs';
import pino from 'pino';
import { visible, visibleLine } from '../core/characters.ts';
import type { Log } from '../core/ports/ports.ts';
import type { Probe } from '../core/processes/health.ts';

/** Field names whose values never reach the log, wherever they stand in the first three levels. */
const SECRET_FIELDS = ['authorization', 'cookie', 'token', 'password', 'secret', 'api_key', 'apiKey', 'privateKey'];

/** Lines that could not be written. */
interface LostLines {
  /** Since the process started. */
  total: number;
  /** Since the last line that was written: of these the log itself says nothing yet. */
  unreported: number;
  /** Null while none is lost. */
  since: Date | null;
  reason: string;
}

interface ProcessLog extends Log {
  lost(): Readonly<LostLines>;
}

/** No call on it fails, and none waits: a line that cannot be written is counted, and the next one that can is preceded by the count. */
export function createLog(
  options: { level: string; format: 'json' | 'text' },
  output: LogOutput = standardError(),
): ProcessLog {
  const settings: pino.LoggerOptions = {
    level: options.level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    redact: {
      paths: SECRET_FIELDS.flatMap((name) => [
        name,
        `*.${name}`,
        `*.*.${name}`,
        `*["x-api-key"]`,
        `*["x-webhook-token"]`,
      ]),
      censor: '[redacted]',
    },
  };
  const format = options.format === 'text' ? readable : (line: string) => line;
  const lost: LostLines = { total: 0, unreported: 0, since: null, reason: '' };
  const logger = pino(settings, {
    write(line) {
      if (lost.unreported > 0 && output(format(noticeOf(lost))) === null) {
        lost.unreported = 0;
        lost.since = null;
      }
      const failure = output(format(line));
      if (failure === null) return;
      lost.total++;
      lost.unreported++;
      lost.since ??= new Date();
      lost.reason = failure.message;
    },
  });
  return Object.assign(logger, { lost: () => lost });
}

/** The only place that can say so while the log cannot. */
export function logProbe(log: Pick<ProcessLog, 'lost'>): Probe {
  return async () => {
    const { total, unreported, since, reason } = log.lost();
    if (since === null) return { status: 'ok', lost_lines: total };
    return {
      status: 'degraded',
      lost_lines: total,
      detail: `${unreported} log lines could not be written since ${since.toISOString()}: ${reason}`,
    };
  };
}

function noticeOf({ unreported, since, reason }: LostLines): string {
  const [level, time] = ['warn', new Date().toISOString()];
  return `${JSON.stringify({ level, time, lost_lines: unreported, since, reason, msg: 'log lines could not be written' })}\n`;
}

/** Turns a JSON line into `time LEVEL message field=value …`. */
function readable(line: string): string {
  const { time, level, msg, err, ...fields } = JSON.parse(line) as Record<string, unknown> & {
    err?: { stack?: string };
  };
  const rest = Object.entries(fields).map(
    ([key, value]) => `${key}=${visibleLine(typeof value === 'string' ? value : JSON.stringify(value))}`,
  );
  // A stack has lines of its own; those that an error's message brings stand indented among them.
  const stack = err?.stack ? `\n${visible(err.stack).replaceAll(/\n(?! )/g, '\n    ')}` : '';
  return `${time} ${String(level).toUpperCase().padEnd(5)} ${[visibleLine(String(msg ?? '')), ...rest].join(' ')}${stack}\n`;
}

/** Takes a text, or says why it did not. */
type LogOutput = (text: string) => Error | null;

/** What a reader that has stopped may leave waiting in memory. */
const MOST_WAITING_BYTES = 4 * 1024 ** 2;

let opened: LogOutput | null = null;

/** A pipe or socket is written without waiting for its reader; a file at once, so that the last lines before a crash are there. */
function standardError(): LogOutput {
  opened ??= open();
  return opened;
}

function open(): LogOutput {
  let failure: Error | null = null;
  // Libraries and Node itself write there too; without a listener one failed write ends the process.
  process.stderr.on('error', (error) => {
    failure = error;
  });
  return isFile(2) ? fileOutput(2) : streamOutput(process.stderr, () => failure);
}

/** @param fd an open file */
function fileOutput(fd: number): LogOutput {
  let isTorn = false;
  return (text) => {
    const bytes = Buffer.from(isTorn ? `\n${text}` : text);
    let written = 0;
    try {
      while (written < bytes.length) written += writeSync(fd, bytes, written);
      isTorn = false;
      return null;
    } catch (error) {
      if (written > 0) isTorn = true;
      return error as Error;
    }
  };
}

function streamOutput(stream: NodeJS.WriteStream, failure: () => Error | null): LogOutput {
  return (text) => {
    if (!stream.writable) return failure() ?? new Error('nobody reads it any more');
    if (stream.writableLength > MOST_WAITING_BYTES) return new Error('its reader does not keep up');
    stream.write(text);
    return null;
  };
}

function isFile(fd: number): boolean {
  try {
    const stat = fstatSync(fd);
    return !stat.isFIFO() && !stat.isSocket();
  } catch {
    return false; // closed; the stream then takes what is written and drops it
  }
}
