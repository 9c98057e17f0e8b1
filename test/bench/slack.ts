/**
 * How long Slack waits for an acknowledgement: 50 people type a command at the same moment, again and again, while the
 * service is idle and while it scans its fleet; and how long a question waits for its first words. The baseline is a bare HTTP server that checks the same signature.
 * Driver, bare server and service each have a thread or process of their own. `npm run bench -- slack [BURSTS]`
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { timingSafeEqual } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { endpointPath, startExporterFleet } from '../helpers/exporterFleet.ts';
import { freePort } from '../helpers/freePort.ts';
import {
  BOT_TOKEN,
  httpTransport,
  postSigned,
  SIGNING_SECRET,
  signature,
  startSlack,
  type TestSlack,
} from '../helpers/slack.ts';
import { figure, percentile } from './figure.ts';

const PEOPLE = 50;
const ENDPOINTS = 500;
const BURSTS = 20;
const QUESTIONS = 10;
const PAUSE_MS = 1000;
const LIMIT_MS = 60_000;

type Task = { work: 'drive'; url: string; respondUrl: string; userId: string; bursts: number } | { work: 'bare' };

if (!isMainThread && (workerData as Task).work === 'bare') parentPort?.postMessage(await startBare());
if (!isMainThread && (workerData as Task).work === 'drive') parentPort?.postMessage(await drive(workerData));

export async function run(args: string[]): Promise<void> {
  const bursts = Number(args[0] ?? BURSTS);
  const slack = await startSlack();
  const fleet = await startExporterFleet();
  const dir = await mkdtemp(join(tmpdir(), 'dexops-bench-'));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const service = startService(dir, port, slack.apiUrl, slack.users.otto!);
  const bare = thread({ work: 'bare' });
  const acknowledged = (target: string, bursts: number): Promise<number[]> => {
    const respondUrl = new URL('/respond/bench', slack.apiUrl).href;
    return thread({ work: 'drive', url: target, respondUrl, userId: slack.users.alice!, bursts }).first as Promise<
      number[]
    >;
  };
  try {
    await ready(url);
    for (let i = 0; i < ENDPOINTS; i++) {
      const options = { port: fleet.port, path: endpointPath(i) };
      await call(url, 'POST', '/endpoints', { hostname: `host-${i}`, ip_address: '127.0.0.1', options });
    }
    await scanned(url);
    report('bare', await acknowledged(String(await bare.first), bursts));
    report('idle', await acknowledged(url, bursts));
    await firstContent(slack, url, 'idle');
    let scanning = true;
    const scans = (async () => {
      let count = 0;
      for (; scanning; count++) await scanned(url);
      return count;
    })();
    report('scanning', await acknowledged(url, bursts));
    await firstContent(slack, url, 'scanning');
    scanning = false;
    figure('slack', 'fleet scans meanwhile', await scans, `scans of ${ENDPOINTS}`);
  } finally {
    service.kill('SIGTERM');
    await bare.stop();
    await fleet.stop();
    await slack.close();
    await rm(dir, { recursive: true, force: true });
  }
}

/** How long after a question, one by one, its first words stand in Slack; and its answer from the measurements. */
async function firstContent(slack: TestSlack, url: string, when: string): Promise<void> {
  const send = httpTransport(url);
  const firstMs: number[] = [];
  const answerMs: number[] = [];
  for (let i = 0; i <= QUESTIONS; i++) {
    slack.calls.length = 0;
    const from = performance.now();
    const until = async (methods: RegExp) => {
      await slack.until(() => slack.calls.find(({ method }) => methods.test(method)));
      return performance.now() - from;
    };
    await slack.write(send, 'otto', 'message', `why is host-${i} slow?`);
    const first = await until(/^chat\.(?:postMessage|startStream)$/);
    const whole = await until(/^chat\.update$/);
    // The first question loads what all the others use.
    if (i > 0) {
      firstMs.push(first);
      answerMs.push(whole);
    }
  }
  figure('slack', `first content p50, ${when}`, percentile(firstMs, 0.5), 'ms');
  figure('slack', `first content max, ${when}`, percentile(firstMs, 1), 'ms');
  figure('slack', `answer without a model p50, ${when}`, percentile(answerMs, 0.5), 'ms');
}

/** This file again, in a thread; `first` is the first thing it says. */
function thread(task: Task): { first: Promise<unknown>; stop(): Promise<number> } {
  const worker = new Worker(new URL(import.meta.url), { workerData: task });
  const first = new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
  return { first, stop: () => worker.terminate() };
}

/** Milliseconds from request to acknowledgement. */
async function drive(task: Extract<Task, { work: 'drive' }>): Promise<number[]> {
  const timesMs: number[] = [];
  for (let burst = 0; burst <= task.bursts; burst++) {
    const times = await Promise.all(
      Array.from({ length: PEOPLE }, async (_, person) => {
        const form = new URLSearchParams({
          command: '/dex',
          text: `endpoint host-${(burst * PEOPLE + person) % ENDPOINTS}`,
          team_id: 'T000000001',
          channel_id: 'C000000001',
          user_id: task.userId,
          user_name: 'alice',
          trigger_id: `${Date.now()}.${burst}.${person}`,
          response_url: task.respondUrl,
        });
        const from = performance.now();
        const { status } = await postSigned(
          `${task.url}/slack/events`,
          String(form),
          'application/x-www-form-urlencoded',
        );
        if (status !== 200) throw new Error(`a command was answered ${status}`);
        return performance.now() - from;
      }),
    );
    // The first burst opens the connections and compiles what all the others use.
    if (burst > 0) timesMs.push(...times);
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  return timesMs;
}

function report(when: string, timesMs: number[]): void {
  figure('slack', `ack p50, ${when}`, percentile(timesMs, 0.5), 'ms');
  figure('slack', `ack p99, ${when}`, percentile(timesMs, 0.99), 'ms');
  figure('slack', `ack max, ${when}`, percentile(timesMs, 1), 'ms');
}

function startService(dir: string, port: number, slackApiUrl: string, operator: string): ChildProcess {
  return spawn(process.execPath, [join(import.meta.dirname, '../../src/main.ts')], {
    cwd: dir,
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      ...process.env,
      PORT: String(port),
      DATA_DIR: dir,
      LOG_LEVEL: 'CRITICAL',
      LLM_PROVIDER: '',
      EMBEDDING_MODEL: 'none',
      DEX_REGISTER_SELF: 'false',
      SLACK_BOT_TOKEN: BOT_TOKEN,
      SLACK_SIGNING_SECRET: SIGNING_SECRET,
      SLACK_API_URL: slackApiUrl,
      SLACK_VIEWERS: operator,
    },
  });
}

async function startBare(): Promise<string> {
  const server = createServer(async (request, response) => {
    const raw = Buffer.concat(await request.toArray()).toString();
    const expected = signature(raw, Number(request.headers['x-slack-request-timestamp']));
    const given = String(request.headers['x-slack-signature']);
    const same = given.length === expected.length && timingSafeEqual(Buffer.from(given), Buffer.from(expected));
    response.writeHead(same ? 200 : 401).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
}

async function call(url: string, method: string, path: string, body?: unknown): Promise<any> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${url}/api/v1/dex${path}`, {
    method,
    headers,
    body: body && JSON.stringify(body),
  } as RequestInit);
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  return response.json();
}

async function scanned(url: string): Promise<void> {
  const { run_id } = await call(url, 'POST', '/fleet/scan', {});
  const deadline = Date.now() + LIMIT_MS;
  while (Date.now() < deadline) {
    const run: any = await (await fetch(`${url}/api/v1/runs/${run_id}`)).json();
    if (run.finished_at) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('a fleet scan did not end');
}

async function ready(url: string): Promise<void> {
  const deadline = Date.now() + LIMIT_MS;
  while (Date.now() < deadline) {
    if (
      await fetch(`${url}/health`).then(
        ({ ok }) => ok,
        () => false,
      )
    )
      return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('the service did not start');
}
