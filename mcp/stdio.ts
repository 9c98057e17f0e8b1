/** MCP over stdio (`npm run -s mcp`): a client starts this process, speaks to it on stdin and stdout, and ends it by closing them. */
import { parseArgs } from 'node:util';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { createApp } from '../src/app.ts';
import { readConfig } from '../src/config.ts';
import type { Actor } from '../src/core/actor.ts';
import { AppError } from '../src/core/errors.ts';
import { watchChanges } from '../src/core/processes/changes.ts';
import { processEnv } from '../src/environment.ts';
import { connectAgent } from './agent.ts';
import { createQuestions } from './modern/questions.ts';
import { createModernServer } from './modern/server.ts';
import { type Connection, serveBoth } from './modern/stdioRevisions.ts';
import { createMcpServer } from './server.ts';
import { readToolsets } from './view.ts';

/** Clients kill a server about four seconds after they have closed its stdin; running scans get what is left of that. */
const DRAIN_MS = 3000;

async function main(): Promise<void> {
  const { values: flags } = parseArgs({
    options: {
      toolsets: { type: 'string', multiple: true },
      structured: { type: 'boolean', default: false },
      'read-only': { type: 'boolean', default: false },
    },
  });
  const config = readConfig(processEnv());
  const toolsets = readToolsets((flags.toolsets ?? config.DEX_MCP_TOOLSETS).flatMap((list) => list.split(',')));
  const app = await createApp(config, {}, { connectAgent });
  const { log, ports } = app;
  await app.startWorking({ recover: false });
  const actor: Actor = {
    id: 'mcp:stdio',
    name: 'an assistant on this machine',
    kind: 'model',
    via: 'mcp',
    role: config.MCP_STDIO_ROLE,
    // The person sits at this machine.
    timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    ...(flags['read-only'] && { readOnly: true as const }),
  };
  const view = { toolsets, structured: flags.structured };
  const served = { ...app, actor, view, charts: ports.charts, version: config.version };
  const questions = createQuestions();
  let connection: Connection | null = null;

  let stopping = false;
  const stop = async () => {
    if (stopping) return;
    stopping = true;
    await connection?.close();
    await app.close(DRAIN_MS);
    process.exit(0);
  };
  // The transport does not notice that the client has gone; both of its pipes do.
  process.stdin.on('end', stop);
  process.stdin.on('close', stop);
  process.stdout.on('error', stop);
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);

  connection = await serveBoth(new StdioServerTransport(), {
    createServer: () => createMcpServer(served),
    createModernServer: () => createModernServer(served, questions),
    changes: watchChanges(ports.store, log),
    log,
  });
  log.info({ role: actor.role }, 'MCP over stdio is ready');
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof AppError ? error.message : (error as Error).stack}\n`);
  process.exit(1);
});
