/** The log: JSON lines (or readable text) by pino, with secrets taken out, on stderr so that stdout stays free for protocols. */
import pino from 'pino';
import { visible, visibleLine } from '../core/characters.ts';
import type { Log } from '../core/ports/ports.ts';

/** Field names whose values never reach the log, wherever they stand in the first three levels. */
const SECRET_FIELDS = ['authorization', 'cookie', 'token', 'password', 'secret', 'api_key', 'apiKey', 'privateKey'];

export function createLog(options: { level: string; format: 'json' | 'text' }): Log {
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
  return pino(settings, options.format === 'text' ? readable() : pino.destination({ fd: 2, sync: true }));
}

/** Turns each JSON line into `time LEVEL message field=value …`. */
function readable(): { write(line: string): void } {
  return {
    write(line) {
      const { time, level, msg, err, ...fields } = JSON.parse(line) as Record<string, unknown> & {
        err?: { stack?: string };
      };
      const rest = Object.entries(fields).map(
        ([key, value]) => `${key}=${visibleLine(typeof value === 'string' ? value : JSON.stringify(value))}`,
      );
      // A stack has lines of its own; those that an error's message brings stand indented among them.
      const stack = err?.stack ? `\n${visible(err.stack).replaceAll(/\n(?! )/g, '\n    ')}` : '';
      process.stderr.write(
        `${time} ${String(level).toUpperCase().padEnd(5)} ${[visibleLine(String(msg ?? '')), ...rest].join(' ')}${stack}\n`,
      );
    },
  };
}
