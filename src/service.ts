/** The service: the application with its interfaces. What an interface needs is loaded when the interface is wanted, so that starting is quick. */
import type { Context } from 'koa';
import type { McpHttp } from '../mcp/http.ts';
import { type App, createApp, type Overrides } from './app.ts';
import { openSignIn, type SignIn, sealerFor } from './composition/signIn.ts';
import { type Config, settingsThatDiffer } from './config.ts';
import { createTokenLookup } from './core/enrolment/agentTokens.ts';
import { offerUpdate } from './core/enrolment/agentUpdates.ts';
import { enrolmentOf } from './core/enrolment/enrolments.ts';
import { identifyKey } from './core/people/apiKeys.ts';
import { type Changes, watchChanges } from './core/processes/changes.ts';
import { toolTakingIn } from './core/tool.ts';
import { openedApp, runCommandLine } from './surfaces/cli/commandLine.ts';
import { listenForCommands } from './surfaces/cli/serviceSocket.ts';
import { agentDownloadRoutes } from './surfaces/http/agents/agentDownloads.ts';
import { agentEnrolmentRoutes } from './surfaces/http/agents/agentEnrolment.ts';
import { agentSnapshotRoutes } from './surfaces/http/agents/agentSnapshots.ts';
import { apiRoutes } from './surfaces/http/api.ts';
import { authenticate, configuredKey, firstOf, type KeyLookup } from './surfaces/http/auth.ts';
import { docsRoutes } from './surfaces/http/docs/docs.ts';
import { openapi } from './surfaces/http/docs/openapi.ts';
import { changeEventRoutes } from './surfaces/http/page/changeEvents.ts';
import { deviceSignInRoutes } from './surfaces/http/page/deviceSignIn.ts';
import { pageRoutes } from './surfaces/http/page/files.ts';
import { CALLBACK_PATH, providerSignInRoutes } from './surfaces/http/page/providerSignIn.ts';
import { createSessions, sessionRoutes, setSessionCookie } from './surfaces/http/page/session.ts';
import { createRateLimit } from './surfaces/http/rateLimit.ts';
import { metadataAddress, resourceMetadataRoutes } from './surfaces/http/resourceMetadata.ts';
import { runEventRoutes } from './surfaces/http/runEvents.ts';
import { createKoa, type HttpServer, listen } from './surfaces/http/server.ts';
import { serviceRoutes } from './surfaces/http/service.ts';
import { alertmanagerRoutes } from './surfaces/http/webhooks/alertmanager.ts';
import { fleetRoutes } from './surfaces/http/webhooks/fleet.ts';
import { ticketCallbackRoutes } from './surfaces/http/webhooks/ticketCallback.ts';
import { retiredJobs, schedule, startJobs } from './surfaces/jobs.ts';
import type { SlackInterface } from './surfaces/slack/app.ts';

export interface Service {
  app: App;
  url: string;
  stop(): Promise<void>;
}

/** The application, and who signs people in to its interfaces. */
type ServedApp = App & { signIn: SignIn | null };

export async function startService(config: Config, overrides: Overrides = {}): Promise<Service> {
  const created = await createApp(config, overrides, {
    connectAgent: async (...args) => (await import('../mcp/agent.ts')).connectAgent(...args),
    slackFormatting:
      config.SLACK_BOT_TOKEN === '' ? undefined : (await import('./surfaces/slack/formatting.ts')).slackFormatting,
  });
  try {
    const app: ServedApp = { ...created, signIn: openSignIn(config, created.ports, CALLBACK_PATH) };
    const changes = watchChanges(app.ports.store, app.log);
    const mcp = mountMcp(app, changes);
    const slack = await mountSlack(app);
    const server = await openHttp(app, mcp, slack, changes);
    await app.startWorking({ recover: true, jobs: config.RUN_QUEUE_URL === '' });
    // Slack may be slow or down; the service is ready without it.
    void slack?.start();
    const survey = { cron: config.DEX_SURVEY_CRON, sharePct: config.DEX_SURVEY_SHARE_PCT };
    const settings = {
      scanIntervalMinutes: config.DEX_SCAN_INTERVAL_MINUTES,
      survey,
      hasAgents: app.model.llm !== null,
    };
    const jobs = overrides.scheduled === false ? [] : schedule(app.tools, settings);
    await startJobs(jobs, retiredJobs(app.tools), app.scheduler, app.invoke);
    const commands = await takeCommands(app, server.url);
    return {
      app,
      url: server.url,
      async stop() {
        await commands.close();
        await slack?.stop();
        await mcp.close();
        await server.close();
        await app.close();
      },
    };
  } catch (error) {
    await created.close();
    throw error;
  }
}

/** The command line's quick way: this process does what is typed on this machine. */
function takeCommands(app: App, url: string): Promise<{ close(): Promise<void> }> {
  const { config, log } = app;
  const differing = (env: Record<string, string>) => settingsThatDiffer(config, env);
  return listenForCommands(config.DATA_DIR, log, differing, (argv, terminal, signal) =>
    runCommandLine(
      argv,
      terminal,
      {
        open: async () => ({
          ...openedApp(app, config.PUBLIC_URL || url),
          work: async () => {},
          close: async () => {},
        }),
      },
      signal,
    ),
  );
}

async function openHttp(
  app: ServedApp,
  mcp: McpHttp,
  slack: SlackInterface | null,
  changes: Changes,
): Promise<HttpServer> {
  const { config, ports } = app;
  const guard = guardOf(app);
  const now = ports.clock.now;
  const sessions = createSessions(sealerFor(config, 'page session'), now);
  const endpointOf = createTokenLookup(ports);
  const rateLimit = createRateLimit(config.API_RATE_LIMIT_PER_MINUTE, now);
  const caller = (ctx: Context) => authenticate(sessions.withKey(ctx.headers), 'rest', guard);
  const koa = createKoa({
    log: app.log,
    tracing: ports.tracing,
    hosts: config.authRequired ? 'any' : config.HOST === '127.0.0.1' ? 'loopback' : 'inner',
    publicUrl: config.PUBLIC_URL,
    raw: { '/mcp': mcp.handle, ...(slack?.requestListener && { [slack.path]: slack.requestListener }) },
    ownOriginChecks: ['/mcp'],
    ownBodies: ['/api/v1/webhooks'],
    routers: [
      apiRoutes({
        ...app,
        charts: ports.charts,
        authenticate: caller,
        rateLimit,
      }),
      runEventRoutes({ ...app, events: ports.runEvents, authenticate: caller }),
      agentSnapshotRoutes({
        tools: { one: toolTakingIn(app.tools, 'agent'), batch: toolTakingIn(app.tools, 'late_reports') },
        invoke: app.invoke,
        endpointOf,
      }),
      agentEnrolmentRoutes({
        tools: {
          enrol: toolTakingIn(app.tools, 'enrolment'),
          renew: toolTakingIn(app.tools, 'token_renewal'),
          signOff: toolTakingIn(app.tools, 'sign_off'),
        },
        invoke: app.invoke,
        enrolmentOf: (secret) => enrolmentOf(ports, secret),
        endpointOf,
        rateLimit,
      }),
      agentDownloadRoutes({
        releases: ports.agentReleases,
        publicUrl: config.PUBLIC_URL,
        endpointOf,
        offer: (...asked) => offerUpdate(ports, ...asked),
      }),
      alertmanagerRoutes({
        tool: toolTakingIn(app.tools, 'alertmanager'),
        invoke: app.invoke,
        metrics: ports.metrics,
        secret: config.WEBHOOK_SECRET,
        required: config.WEBHOOK_REQUIRE_AUTH,
      }),
      fleetRoutes({
        tool: toolTakingIn(app.tools, 'fleet'),
        invoke: app.invoke,
        metrics: ports.metrics,
        secret: config.WEBHOOK_SECRET,
        required: config.WEBHOOK_REQUIRE_AUTH,
      }),
      ticketCallbackRoutes({
        tool: toolTakingIn(app.tools, 'tickets'),
        invoke: app.invoke,
        metrics: ports.metrics,
        secret: config.WEBHOOK_SECRET,
        required: config.WEBHOOK_REQUIRE_AUTH,
        now: () => ports.clock.now(),
      }),
      pageRoutes(),
      ...(app.signIn ? [resourceMetadataRoutes(app.signIn.resource)] : []),
      sessionRoutes({
        tools: app.tools,
        sessions,
        required: config.authRequired,
        version: config.version,
        publicUrl: config.PUBLIC_URL,
        provider: app.signIn?.people?.host ?? null,
        signOut: async (key) => app.signIn?.people?.sessions.close(key),
        authenticate: (headers) => authenticate(headers, 'rest', guard),
      }),
      ...signInRoutes(app, (ctx, token) => setSessionCookie(ctx, sessions.seal(token), config.PUBLIC_URL)),
      changeEventRoutes({ changes, authenticate: caller }),
      docsRoutes(() => openapi(app.tools, config.version)),
      serviceRoutes({ metricsToken: config.METRICS_TOKEN, health: app.health, metricsPage: app.metricsPage }),
    ],
  });
  return listen(koa, config.HOST, config.PORT);
}

/** A command line asks twelve times a minute whether its person has answered. */
const DEVICE_QUESTIONS_PER_MINUTE = 60;

/** How people sign in by the identity provider; nothing without one. */
function signInRoutes({ config, ports, log, signIn }: ServedApp, remember: (ctx: Context, token: string) => void) {
  if (!signIn?.people) return [];
  const now = ports.clock.now;
  const { people } = signIn;
  return [
    providerSignInRoutes({
      ...people,
      sealer: sealerFor(config, 'sign-in'),
      publicUrl: config.PUBLIC_URL,
      remember,
      now,
      log,
    }),
    deviceSignInRoutes({
      ...people,
      sealer: sealerFor(config, 'device sign-in'),
      rateLimit: createRateLimit(DEVICE_QUESTIONS_PER_MINUTE, now),
    }),
  ];
}

/** @param changes what subscribers are notified of */
function mountMcp(app: ServedApp, changes: Changes): McpHttp {
  const { config, log, ports } = app;
  const load = async () => {
    const [{ createMcpHttp }, { createMcpServer }, { createModernServer }, { readToolsets }] = await Promise.all([
      import('../mcp/http.ts'),
      import('../mcp/server.ts'),
      import('../mcp/modern/server.ts'),
      import('../mcp/view.ts'),
    ]);
    const served = { ...app, charts: ports.charts, version: config.version };
    return createMcpHttp({
      createServer: (actor, view) => createMcpServer({ ...served, actor, view }),
      createModernServer: (actor, view, questions) => createModernServer({ ...served, actor, view }, questions),
      changes,
      toolsets: readToolsets(config.DEX_MCP_TOOLSETS),
      authenticate: (headers) => authenticate(headers, 'mcp', guardOf(app)),
      metadataUrl: app.signIn && config.PUBLIC_URL !== '' ? metadataAddress(config.PUBLIC_URL) : null,
      allowedOrigins: config.MCP_ALLOWED_ORIGINS,
      clock: ports.clock,
      log,
    });
  };
  let loaded: Promise<McpHttp> | null = null;
  return {
    async handle(request, response) {
      loaded ??= load();
      await (await loaded).handle(request, response);
    },
    close: async () => (await loaded)?.close(),
  };
}

/** Null while no bot token is set. */
async function mountSlack({ config, tools, invoke, ports, log, signIn }: ServedApp): Promise<SlackInterface | null> {
  if (config.SLACK_BOT_TOKEN === '') return null;
  const { createSlack } = await import('./surfaces/slack/app.ts');
  return createSlack(
    {
      botToken: config.SLACK_BOT_TOKEN,
      appToken: config.SLACK_APP_TOKEN,
      signingSecret: config.SLACK_SIGNING_SECRET,
      workspaces: config.SLACK_WORKSPACES,
      operators: config.SLACK_OPERATORS,
      viewers: config.SLACK_VIEWERS,
      approvers: config.SLACK_APPROVERS,
      apiUrl: config.SLACK_API_URL,
      publicUrl: config.PUBLIC_URL,
    },
    {
      tools,
      invoke,
      charts: ports.charts,
      messages: ports.store.slackMessages,
      grantsOf: async (email) => (await signIn?.people?.sessions.grantsOf(email)) ?? [],
      clock: ports.clock,
      log,
    },
  );
}

function guardOf({ config, ports, signIn }: ServedApp): { required: boolean; lookup: KeyLookup } {
  const stored: KeyLookup = (key, via) => identifyKey(ports, key, via);
  const lookups = [configuredKey(config.API_KEY), stored, ...(signIn ? [signIn.lookup] : [])];
  return { required: config.authRequired, lookup: firstOf(...lookups) };
}
