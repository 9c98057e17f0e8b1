/** A log that keeps its lines, for tests that ask what was said. */
import type { Log } from '../../src/core/ports/ports.ts';

export function collectingLog(): { log: Log; lines: string[] } {
  const lines: string[] = [];
  const at = (level: string) => (fields: object, message?: string) => {
    lines.push(`${level} ${message ?? ''} ${JSON.stringify(fields)}`);
  };
  const log: Log = { debug: () => {}, info: at('info'), warn: at('warn'), error: at('error'), child: () => log };
  return { log, lines };
}
