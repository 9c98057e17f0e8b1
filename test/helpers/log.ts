/** A log that keeps what was said, for tests that ask whether something was logged. */
import type { Log } from '../../src/core/ports/ports.ts';

export interface KeptLog extends Log {
  lines: { level: string; fields: object; message?: string }[];
}

export function keptLog(): KeptLog {
  const lines: KeptLog['lines'] = [];
  const write = (level: string) => (fields: object, message?: string) => {
    lines.push({ level, fields, message });
  };
  const log: KeptLog = {
    lines,
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child: () => log,
  };
  return log;
}
