/** Works on what the service puts into the shared queue (`npm run worker`): any number of processes, on any number of machines. */
import type Koa from 'koa';
import { connectAgent } from '../mcp/agent.ts';
import { type App, createApp, type Overrides } from './app.ts';
import { type Config, readConfig } from './config.ts';
import { AppError } from './core/errors.ts';
import { processEnv } from './environment.ts';
import { createKoa, type HttpServer, listen } from './surfaces/http/server.ts';
import { serviceRoutes } from './surfaces/http/service.ts';
import { retiredJobs, schedule, startJobs } from './surfaces/jobs.ts';

/** Longer than most scans, shorter than orchestrators wait before they kill. */
const DRAIN_MS = 25_000;

interface WorkerProcess {
  app: App;
  /** Where its health and metrics are; null without WORKER_PORT. */
  url: string | null;
  stop(): Promise<void>;
}

export async function startWorker(config: Config, overrides: Overrides = {}): Promise<WorkerProcess> {
  if (config.RUN_QUEUE_URL === '') {
    throw new AppError(
      'invalid',
      'A worker needs RUN_QUEUE_URL, and the service the same one. Without it the service does all work itself.',
    );
  }
  const app = await createApp(config, overrides, { connectAgent });
  let server: HttpServer | null = null;
  try {
    const survey = { cron: config.DEX_SURVEY_CRON, sharePct: config.DEX_SURVEY_SHARE_PCT };
    const agents = app.model.llm !== null;
    await startJobs(
      schedule(app.tools, { scanIntervalMinutes: config.DEX_SCAN_INTERVAL_MINUTES, survey, hasAgents: agents }),
      retiredJobs(app.tools),
      app.scheduler,
      app.invoke,
    );
    await app.startWorking({ recover: true, follow: false });
    if (config.WORKER_PORT > 0) server = await openHttp(app);
  } catch (error) {
    await app.close(0);
    throw error;
  }
  return {
    app,
    url: server?.url ?? null,
    async stop() {
      await server?.close();
      await app.close(DRAIN_MS);
    },
  };
}

/** Health and metrics, nothing else. */
function openHttp(app: App): Promise<HttpServer> {
  const { config, log, ports } = app;
  const koa: Koa = createKoa({
    log,
    tracing: ports.tracing,
    hosts: 'any',
    publicUrl: '',
    raw: {},
    ownOriginChecks: [],
    ownBodies: [],
    routers: [serviceRoutes({ metricsToken: config.METRICS_TOKEN, health: app.health, metricsPage: app.metricsPage })],
  });
  return listen(koa, config.HOST, config.WORKER_PORT);
}

async function main(): Promise<void> {
  const worker = await startWorker(readConfig(processEnv()));
  const { log, ports } = worker.app;
  let stopping = false;
  const stop = async (signal: NodeJS.Signals) => {
    if (stopping) return;
    stopping = true;
    log.info({ signal }, 'stopping: letting running work end');
    await worker.stop();
    process.exit(0);
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  for (const warning of worker.app.config.warnings) log.warn({}, warning);
  log.info({ worker: ports.worker.id, url: worker.url }, 'worker is ready');
}

if (import.meta.main) {
  main().catch((error: unknown) => {
    process.stderr.write(`${error instanceof AppError ? error.message : (error as Error).stack}\n`);
    process.exit(1);
  });
}
