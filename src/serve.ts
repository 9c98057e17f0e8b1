/** Serves until told to stop: configuration, signals, first words to whoever typed the command. */
import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import type { App } from './app.ts';
import { switchedOff } from './composition/switchedOff.ts';
import { type Config, readConfig } from './config.ts';
import { jobActor } from './core/actor.ts';
import { requireWorkers } from './core/processes/workers.ts';
import { unaskedRemediations } from './domain/healing/remediation.ts';
import { processEnv } from './environment.ts';
import { startService } from './service.ts';

export async function serve(): Promise<void> {
  // What is printed here is for whoever started it; that it cannot be written is no reason to end.
  process.stdout.on('error', () => {});
  const config = readConfig(processEnv());
  const service = await startService(config);
  const { app, url } = service;

  let stopping = false;
  const stop = async (signal: NodeJS.Signals) => {
    if (stopping) return;
    stopping = true;
    app.log.info({ signal }, 'stopping: letting running work end');
    await service.stop();
    process.exit(0);
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);

  app.log.info({ url, version: config.version, auth: config.authRequired }, 'DexOps is ready');
  process.stdout.write(`DexOps ${config.version} listens on ${url}\n`);
  for (const warning of config.warnings) {
    app.log.warn({}, warning);
    process.stdout.write(`Warning: ${warning}\n`);
  }
  const unasked = unaskedText(app);
  if (unasked !== null) process.stdout.write(`${unasked}\n`);
  if (config.DEX_REGISTER_SELF && (await app.ports.store.endpoints.count()) === 0) {
    const score = await watchThisMachine(app).catch(
      (error: Error) => `This machine has no score yet. ${error.message}`,
    );
    process.stdout.write(`\n${score}\n`);
  }
  process.stdout.write(nextSteps(url, config, switchedOff(config, app.model.llm !== null)));
}

/** What heals without a person's approval, so that nobody finds out by its having run; null when nothing does. */
function unaskedText(app: App): string | null {
  const plans = unaskedRemediations(app.ports.remediationMap.current().map, app.ports.settings.healing);
  if (plans.length === 0) return null;
  const listed = plans.map(({ alertName, playbook }) => `${alertName} (${playbook})`).join(', ');
  app.log.info({ plans }, 'self-healing is on: these run without asking');
  return `Self-healing is on. Without asking, on machines it is mapped for, run: ${listed}. DEX_HEALING_ALWAYS_ASKS=true makes each ask first.`;
}

/** On an empty registry: watches the machine it runs on, so that a newcomer sees real work at once. */
async function watchThisMachine(app: App): Promise<string> {
  const actor = jobActor('first_start');
  const name = hostname().toLowerCase();
  await app.invoke(
    'register_endpoint',
    { hostname: name, collector: 'local', os_platform: OS_NAMES[process.platform] ?? 'other' },
    actor,
  );
  const { output } = await app.invoke('scan_endpoint', { hostname: name }, actor);
  const until = performance.now() + FIRST_SCAN_MS;
  while (!(await app.ports.store.runs.get(String(output.run_id)))?.finishedAt) {
    if (app.config.RUN_QUEUE_URL !== '') await requireWorkers(app.ports);
    if (performance.now() > until)
      return `${name} is registered and its first scan goes on: npx dex run ${output.run_id}`;
    await delay(100);
  }
  return (await app.invoke('get_score', { hostname: name }, actor)).text;
}

/** Longer than a scan of this machine takes, also by a worker that has other work; milliseconds. */
const FIRST_SCAN_MS = 60_000;

const OS_NAMES: Partial<Record<NodeJS.Platform, string>> = { linux: 'linux', darwin: 'macos', win32: 'windows' };

function nextSteps(url: string, config: Config, off: ReturnType<typeof switchedOff>): string {
  const width = Math.max(0, ...off.map(({ what }) => what.length)) + 2;
  const keyOption = config.authRequired ? ' --header "Authorization: Bearer $API_KEY"' : '';
  const key = config.authRequired ? ' -H "X-API-Key: $API_KEY"' : '';
  return [
    '',
    'Next steps',
    `  Watch another machine   curl -X POST ${url}/api/v1/dex/endpoints${key} -H "Content-Type: application/json" -d '{"hostname": "dev-machine-01", "ip_address": "10.0.1.42"}'`,
    `  All of the API          ${url}/docs`,
    `  Claude and IDEs         claude mcp add --transport http dexops ${url}/mcp${keyOption} (mcp/README.md)`,
    '  Command line            npx dex help',
    ...(off.length > 0 ? ['', 'Off, and switched on by (.env.example says more)'] : []),
    ...off.map(({ what, by }) => `  ${what.padEnd(width)}${by}`),
    '',
  ].join('\n');
}
