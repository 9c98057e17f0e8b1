/** A command that does its work itself, on the configured database: no service has to run. */
import { createApp } from '../../app.ts';
import { restore } from '../../composition/restore.ts';
import { readConfig } from '../../config.ts';
import { openedApp, runCommandLine } from './commandLine.ts';
import type { Terminal } from './terminal.ts';

/** @returns the exit code; never rejects */
export function runCli(
  argv: readonly string[],
  env: Record<string, string | undefined>,
  terminal: Terminal,
): Promise<number> {
  return runCommandLine(argv, terminal, {
    async open() {
      const config = readConfig({ LOG_LEVEL: 'WARNING', LOG_FORMAT: 'text', ...env });
      const app = await createApp(
        config,
        {},
        { connectAgent: async (...args) => (await import('../../../mcp/agent.ts')).connectAgent(...args) },
      );
      return {
        ...openedApp(app, config.PUBLIC_URL || `http://127.0.0.1:${config.PORT}`),
        work: () => app.startWorking({ recover: false }),
        close: () => app.close(),
      };
    },
    restore: (file, options) => restore(readConfig(env), file, options),
  });
}
