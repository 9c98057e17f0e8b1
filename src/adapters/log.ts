/** The log: JSON lines (or readable text) by pino, with secrets taken out, on stderr so that stdout stays free for protocols. */
import pino from 'pino';
import { visible, visibleLine } from '../core/characters.ts';
import type { Log } from '../core/ports/ports.ts';
import type { Probe } from '../core/processes/health.ts';
import { type LogOutput, standardError } from './logOutput.ts';

/** Field names whose values never reach the log, wherever they stand in the first three levels. */
const SECRET_FIELDS = ['authorization', 'cookie', 'token', 'password', 'secret', 'api_key', 'apiKey', 'privateKey'];

/** Lines that could not be written. */
export interface LostLines {
  /** Since the process started. */
  total: number;
  /** Since the last line that was written: of these the log itself says nothing yet. */
  unreported: number;
  /** Null while none is lost. */
  since: Date | null;
  reason: string;
}

export interface ProcessLog extends Log {
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
