/** Starts the service: configuration, application, faces, signals; the one file that also mounts MCP. */
import { hostname } from 'node:os';
import type { Context } from 'koa';
import { connectAgent } from '../mcp/agent.ts';
import { createMcpHttp, type McpHttp } from '../mcp/http.ts';
import { createMcpServer } from '../mcp/server.ts';
import { type App, createApp, type Overrides } from './app.ts';
import { type Config, processEnv, readConfig } from './config.ts';
import { jobActor } from './core/actor.ts';
import { identifyKey } from './core/apiKeys.ts';
import { AppError } from './core/errors.ts';
import { agentSnapshotRoutes } from './surfaces/http/agentSnapshots.ts';
import { alertmanagerRoutes } from './surfaces/http/alertmanager.ts';
import { apiRoutes } from './surfaces/http/api.ts';
import { authenticate, configuredKey, firstOf, type KeyLookup } from './surfaces/http/auth.ts';
import { docsRoutes } from './surfaces/http/docs.ts';
import { openapi } from './surfaces/http/openapi.ts';
import { createRateLimit } from './surfaces/http/rateLimit.ts';
import { runEventRoutes } from './surfaces/http/runEvents.ts';
import { createKoa, type HttpServer, listen } from './surfaces/http/server.ts';
import { serviceRoutes } from './surfaces/http/service.ts';
import { ticketCallbackRoutes } from './surfaces/http/ticketCallback.ts';
import { schedule, startJobs } from './surfaces/jobs.ts';
import { createSlack, SLACK_PATH, type SlackFace } from './surfaces/slack/app.ts';
import { slackWording } from './surfaces/slack/wording.ts';

export interface Service {
  app: App;
  url: string;
  stop(): Promise<void>;
}

export async function startService(config: Config, overrides: Overrides = {}): Promise<Service> {
  const app = await createApp(config, overrides, { connectAgent, slackWording });
  try {
    const mcp = mountMcp(app);
    const slack = mountSlack(app);
    const server = await openDoors(app, mcp, slack);
    await app.startWorking({ recover: true, jobs: config.RUN_QUEUE_URL === '' });
    // Slack may be slow or down; the service is ready without it.
    void slack?.start();
    const survey = { cron: config.DEX_SURVEY_CRON, sharePct: config.DEX_SURVEY_SHARE_PCT };
    await startJobs(
      schedule(config.DEX_SCAN_INTERVAL_MINUTES, survey, { agents: app.model.llm !== null }),
      app.scheduler,
      app.invoke,
    );
    return {
      app,
      url: server.url,
      async stop() {
        await slack?.stop();
        await mcp.close();
        await server.close();
        await app.close();
      },
    };
  } catch (error) {
    await app.close();
    throw error;
  }
}

async function openDoors(app: App, mcp: McpHttp, slack: SlackFace | null): Promise<HttpServer> {
  const { config, ports } = app;
  const guard = guardOf(app);
  const caller = (ctx: Context) => authenticate(ctx.headers, 'rest', guard);
  const koa = createKoa({
    log: app.log,
    tracing: ports.tracing,
    loopbackOnly: config.HOST === '127.0.0.1' && !config.authRequired,
    raw: { '/mcp': mcp.handle, ...(slack?.requestListener && { [SLACK_PATH]: slack.requestListener }) },
    ownBodies: ['/api/v1/webhooks'],
    routers: [
      apiRoutes({
        ...app,
        charts: ports.charts,
        authenticate: caller,
        rateLimit: createRateLimit(config.API_RATE_LIMIT_PER_MINUTE, ports.clock.now),
      }),
      runEventRoutes({ ...app, events: ports.runEvents, authenticate: caller }),
      agentSnapshotRoutes({
        invoke: app.invoke,
        endpointOf: (token) => ports.store.endpoints.byAgentToken(ports.tokens.digest(token)),
      }),
      alertmanagerRoutes({
        invoke: app.invoke,
        metrics: ports.metrics,
        secret: config.WEBHOOK_SECRET,
        required: config.WEBHOOK_REQUIRE_AUTH,
      }),
      ticketCallbackRoutes({
        invoke: app.invoke,
        metrics: ports.metrics,
        secret: config.WEBHOOK_SECRET,
        required: config.WEBHOOK_REQUIRE_AUTH,
        now: () => ports.clock.now(),
      }),
      docsRoutes(openapi(app.tools, config.version)),
      serviceRoutes({ metricsToken: config.METRICS_TOKEN, health: app.health, metricsPage: app.metricsPage }),
    ],
  });
  return listen(koa, config.HOST, config.PORT);
}

function mountMcp(app: App): McpHttp {
  const { config, log, ports } = app;
  return createMcpHttp({
    createServer: (actor) => createMcpServer({ ...app, actor, charts: ports.charts, version: config.version }),
    authenticate: (headers) => authenticate(headers, 'mcp', guardOf(app)),
    allowedOrigins: config.MCP_ALLOWED_ORIGINS,
    clock: ports.clock,
    log,
  });
}

/** Null while no bot token is set. */
function mountSlack({ config, tools, invoke, ports, log }: App): SlackFace | null {
  if (config.SLACK_BOT_TOKEN === '') return null;
  return createSlack(
    {
      botToken: config.SLACK_BOT_TOKEN,
      appToken: config.SLACK_APP_TOKEN,
      signingSecret: config.SLACK_SIGNING_SECRET,
      operators: config.SLACK_OPERATORS,
      approvers: config.SLACK_APPROVERS,
      apiUrl: config.SLACK_API_URL,
    },
    { tools, invoke, charts: ports.charts, clock: ports.clock, log },
  );
}

function guardOf({ config, ports }: App): { required: boolean; lookup: KeyLookup } {
  const stored: KeyLookup = (key, via) => identifyKey(ports, key, via);
  return { required: config.authRequired, lookup: firstOf(configuredKey(config.API_KEY), stored) };
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
  for (;;) {
    const run = await app.ports.store.runs.get(String(output.run_id));
    if (run?.finishedAt) break;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return (await app.invoke('get_score', { hostname: name }, actor)).text;
}

const OS_NAMES: Partial<Record<NodeJS.Platform, string>> = { linux: 'linux', darwin: 'macos', win32: 'windows' };

function nextSteps(url: string, config: Config): string {
  const key = config.authRequired ? ' -H "X-API-Key: $API_KEY"' : '';
  return [
    '',
    'Next steps',
    `  Watch another machine   curl -X POST ${url}/api/v1/dex/endpoints${key} -H "Content-Type: application/json" -d '{"hostname": "dev-machine-01", "ip_address": "10.0.1.42"}'`,
    `  All of the API          ${url}/docs`,
    '  Slack                   set SLACK_BOT_TOKEN and SLACK_APP_TOKEN (README, "Slack")',
    `  Claude and IDEs         claude mcp add --transport http dexops ${url}/mcp (mcp/README.md)`,
    '  Command line            npm run dex -- help',
    '',
  ].join('\n');
}

async function main(): Promise<void> {
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
  if (!config.authRequired)
    process.stdout.write('No API key is required: everybody who reaches it is an administrator.\n');
  if (config.DEX_REGISTER_SELF && (await app.ports.store.endpoints.count()) === 0) {
    const score = await watchThisMachine(app).catch(
      (error: Error) => `This machine could not be scored: ${error.message}`,
    );
    process.stdout.write(`\n${score}\n`);
  }
  process.stdout.write(nextSteps(url, config));
}

if (import.meta.main) {
  main().catch((error: unknown) => {
    process.stderr.write(`${error instanceof AppError ? error.message : (error as Error).stack}\n`);
    process.exit(1);
  });
}
