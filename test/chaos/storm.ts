/** One storm: processes under load, faults at random, and after each round a look whether anything that must hold is broken. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Database, openDatabase } from '../../src/adapters/db/open.ts';
import { freePort } from '../helpers/freePort.ts';
import { API_KEY } from '../helpers/service.ts';
import { createSmallDisk } from '../helpers/smallDisk.ts';
import { ALWAYS, AT_REST, breachesIn } from '../helpers/storeInvariants.ts';
import { brokenPromises, brokenStates, readStored, type Seen } from './checks.ts';
import { createPostgres } from './database.ts';
import { createClock, faultsFor } from './faults.ts';
import { type Load, startLoad } from './load.ts';
import { MACHINES, type Outside, startOutside } from './outside.ts';
import { answers, type Member, member } from './processes.ts';
import type { Chance } from './random.ts';

/** `alone`: one process over SQLite. `shared`: a service and two workers over PostgreSQL, which is their queue too. */
export const SETUPS = ['alone', 'shared'] as const;
export type Setup = (typeof SETUPS)[number];

export interface Outcome {
  broken: string[];
  /** How often each fault struck. */
  struck?: Record<string, number>;
  figures: Record<string, number>;
}

/** How long one round's fault lasts; milliseconds. */
const FAULT_MS = 4000;

/**
 * How long a storm may need to come to rest; milliseconds. A delivery whose process was killed is tried again after a minute,
 * and by then its messenger may have backed off for a minute more.
 */
const REST_WITHIN_MS = 240_000;

/** How long after a fault the service may be away; milliseconds. */
const BACK_WITHIN_MS = 60_000;

export async function storm(
  setup: Setup,
  seconds: number,
  luck: Chance,
  say: (line: string) => void,
): Promise<Outcome> {
  const dir = mkdtempSync(join(tmpdir(), 'dexops-chaos-'));
  const outside = await startOutside(dir);
  const postgres = setup === 'shared' ? await createPostgres(dir) : null;
  const disk = setup === 'alone' ? await createSmallDisk(dir, say) : null;
  const clockFile = join(dir, 'clock');
  const clock = createClock(clockFile);
  const dataDir = disk?.dir ?? join(dir, 'data');
  const databaseUrl = postgres?.url ?? `sqlite:///${join(dataDir, 'chaos.db')}`;
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const env = {
    ...outside.env,
    API_KEY,
    HOST: '127.0.0.1',
    DATA_DIR: dataDir,
    DATABASE_URL: databaseUrl,
    CHAOS_CLOCK_FILE: clockFile,
    RUNBOOKS_DIR: join(import.meta.dirname, '../../runbooks'),
    EMBEDDING_MODEL: 'none',
    DEX_REGISTER_SELF: 'false',
    DEX_SCAN_INTERVAL_MINUTES: '1',
    LOG_LEVEL: 'WARNING',
    ...(postgres && { RUN_QUEUE_URL: postgres.url }),
  };
  const service = member('service', 'src/main.ts', { ...env, PORT: String(port) }, () => answers(url), disk?.dir);
  const workers = postgres ? await Promise.all([1, 2].map((n) => worker(n, env))) : [];
  const members = [service, ...workers];
  const broken = new Set<string>();
  let database: Database | null = null;
  try {
    await service.start();
    await Promise.all(workers.map((one) => one.start()));
    for (const hostname of MACHINES) await register(url, outside, hostname);

    const load = startLoad(url, outside, luck, clock.nowMs);
    const faults = faultsFor({ members, load, outside, postgres, disk, luck, clock });
    const struck = Object.fromEntries(faults.map(({ name }) => [name, 0]));
    const endsAt = Date.now() + seconds * 1000;
    let round = 0;
    // Every fault once before any comes again, and each at least once, however short the storm.
    let waiting = [...faults];
    while (Date.now() < endsAt || round < faults.length) {
      if (waiting.length === 0) waiting = [...faults];
      const fault = luck.pick(waiting);
      waiting.splice(waiting.indexOf(fault), 1);
      await delay(1500);
      const beganAt = Date.now();
      await fault.strike(FAULT_MS);
      struck[fault.name] = (struck[fault.name] ?? 0) + 1;
      database ??= await openDatabase(databaseUrl);
      const found = [...(await awayNow(url)), ...(await brokenNow(database, load, outside))];
      for (const line of found) broken.add(line);
      say(
        `${setup} round ${++round}: ${fault.name}, ${((Date.now() - beganAt) / 1000).toFixed(1)} s; ${found.length === 0 ? 'all holds' : `BROKEN: ${found.join('; ')}`}`,
      );
    }

    await load.stop();
    await load.settle();
    say(`${setup}: the storm is over and everybody was answered; waiting for rest`);
    database ??= await openDatabase(databaseUrl);
    const opened = database;
    const restedAfterMs = await rest(opened, say);
    for (const line of await brokenNow(opened, load, outside)) broken.add(line);
    if (postgres && restedAfterMs > REST_WITHIN_MS)
      say(`what the queue holds: ${JSON.stringify(await queued(opened))}`);
    const stored = await readStored(opened.em);
    for (const line of [...brokenStates(load.leftAs, stored), ...(await breachesIn(opened.em, AT_REST))])
      broken.add(line);
    for (const line of load.bugs) broken.add(line);

    for (const one of members) {
      const code = await one.end();
      if (code !== 0) broken.add(`${one.name} ended with ${code} when it was asked to end`);
    }
    await service.start();
    const health = (await (await fetch(`${url}/health`)).json()) as { checks: { database: { status: string } } };
    if (health.checks.database.status !== 'ok')
      broken.add(`after a restart the health of the database is ${JSON.stringify(health.checks.database)}`);
    for (const line of bugsIn(members)) broken.add(line);
    return {
      broken: [...broken],
      struck,
      figures: {
        rounds: round,
        rest_s: Math.round(restedAfterMs / 1000),
        deliveries: load.delivered.length,
        runs: load.runIds.length,
        approved: load.approvedIds.length,
        plays: outside.plays().length,
        tickets: stored.tickets.length,
        tickets_sent_again: sentAgain(outside),
        slack_calls: outside.slack.calls.length,
        answers_lost: Object.values(outside.flaky).reduce((sum, { lost }) => sum + lost, 0),
        ...Object.fromEntries([...load.statuses].map(([status, count]) => [`answers_${status}`, count])),
      },
    };
  } finally {
    await Promise.all(members.map((one) => one.kill()));
    await database?.close();
    await postgres?.halt();
    await outside.stop();
    await disk?.remove();
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Whether it does its work again: a page of alerts takes its database too. */
async function awayNow(url: string): Promise<string[]> {
  const until = AbortSignal.timeout(BACK_WITHIN_MS);
  while (!until.aborted) {
    const page = fetch(`${url}/api/v1/dex/alerts`, { headers: { 'X-API-Key': API_KEY }, signal: until });
    if ((await page.catch(() => null))?.status === 200) return [];
    await delay(200);
  }
  return [`the service did not answer within ${BACK_WITHIN_MS / 1000} s`];
}

async function brokenNow({ em }: Database, load: Load, outside: Outside): Promise<string[]> {
  // What is answered and seen before the store is read has to be in it.
  const told = { delivered: [...load.delivered], runIds: [...load.runIds], approvedIds: [...load.approvedIds] };
  const saw = seen(outside);
  return [...(await breachesIn(em, ALWAYS)), ...brokenPromises(told, saw, await readStored(em), seen(outside))];
}

async function worker(number: number, env: Record<string, string>): Promise<Member> {
  const port = await freePort();
  return member(`worker ${number}`, 'src/worker.ts', { ...env, WORKER_PORT: String(port) }, () =>
    answers(`http://127.0.0.1:${port}`),
  );
}

async function register(url: string, outside: Outside, hostname: string): Promise<void> {
  const response = await fetch(`${url}/api/v1/dex/endpoints`, {
    method: 'POST',
    headers: { 'X-API-Key': API_KEY, 'Content-Type': 'application/json' },
    body: JSON.stringify(outside.registration(hostname)),
  });
  if (response.status !== 201) throw new Error(`${hostname} could not be registered: ${await response.text()}`);
}

function seen(outside: Outside): Seen {
  return {
    plays: outside.plays(),
    tickets: outside.tickets.sent.map(({ headers, text }) => {
      const { id, event } = JSON.parse(text);
      return { key: String(headers['idempotency-key']), id, event };
    }),
    slackTs: new Set(outside.slack.calls.flatMap(({ answer }) => (answer.ok && answer.ts ? [answer.ts] : []))),
  };
}

/** Jobs that are due or taken, for whoever looks for the reason of unrest. */
function queued({ em }: Database): Promise<unknown[]> {
  const due = 'next_run_at < now() or locked_at is not null';
  return em
    .fork()
    .execute(`select name, data, next_run_at, locked_at, last_run_at, last_modified_by from agenda_jobs where ${due}`);
}

/** Calls of the ticket system that repeat an earlier one, as its key says. */
function sentAgain(outside: Outside): number {
  const { tickets } = seen(outside);
  return tickets.length - new Set(tickets.map(({ key }) => key)).size;
}

/** Waits until nothing is under way; returns how long it took, in milliseconds. */
async function rest(database: Database, say: (line: string) => void): Promise<number> {
  const startedAt = Date.now();
  for (;;) {
    const left = await breachesIn(database.em, AT_REST);
    const tookMs = Date.now() - startedAt;
    if (left.length === 0 || tookMs > REST_WITHIN_MS) return tookMs;
    if (Math.floor(tookMs / 2000) % 10 === 9)
      say(`coming to rest for ${Math.round(tookMs / 1000)} s: ${left.map((line) => line.slice(0, 160)).join('; ')}`);
    await delay(2000);
  }
}

/** What processes themselves call unexpected: a failure that no rule of ours names. */
function bugsIn(members: Member[]): string[] {
  const lines = members.flatMap(({ name, output }) =>
    output()
      .split('\n')
      .filter((line) => /unexpected error|unhandled|TypeError|ReferenceError|RangeError/i.test(line))
      .map((line) => `${name} said: ${messageOf(line)}`),
  );
  return [...new Set(lines)];
}

/** Without what differs from time to time, so that the same thing is told once. */
function messageOf(line: string): string {
  try {
    const { msg, err, path } = JSON.parse(line) as {
      msg?: string;
      path?: string;
      err?: { message?: string; stack?: string };
    };
    const at =
      err?.stack
        ?.split('\n')
        .find((frame) => frame.includes('/src/'))
        ?.trim() ?? '';
    return `${msg} ${path ?? ''} ${err?.message?.slice(-300) ?? ''} ${at}`;
  } catch {
    return line.slice(0, 300);
  }
}
