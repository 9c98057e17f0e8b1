/**
 * A day of a fleet in minutes: one application on a clock of its own does everything that its schedule says, while machines fill
 * up and fail, people acknowledge and approve, and at each full hour memory is measured and the store looked at.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { openDatabase } from '../../src/adapters/db/open.ts';
import { type App, createApp } from '../../src/app.ts';
import { readConfig } from '../../src/config.ts';
import { type Actor, jobActor } from '../../src/core/actor.ts';
import { TOOLS } from '../../src/core/tools/index.ts';
import { isFinished } from '../../src/domain/run.ts';
import { schedule } from '../../src/surfaces/jobs.ts';
import { testClock } from '../helpers/clock.ts';
import { type Findings, machines, WELL } from '../helpers/machines.ts';
import { ALWAYS, AT_REST, breachesIn } from '../helpers/storeInvariants.ts';
import type { Chance } from './random.ts';
import type { Outcome } from './storm.ts';

const ENDPOINTS = 250;
const HOURS = 24;
const SCAN_EVERY_MIN = 15;
/** Machines that something happens to in an hour. */
const INCIDENTS_PER_HOUR = 12;

/**
 * What the heap may hold more at the day's end than after its first quarter, in MB. A leak of one small object per endpoint and
 * scan (100 bytes × 250 × 72) is 1.8 MB, one of a whole snapshot is ten times that.
 */
const HEAP_GROWTH_MB = 6;

const MINUTE_MS = 60_000;
const ANN: Actor = { id: 'slack:UANN', name: 'Ann', kind: 'human', via: 'slack', role: 'admin' };

export async function life(luck: Chance, say: (line: string) => void): Promise<Outcome> {
  const dir = mkdtempSync(join(tmpdir(), 'dexops-life-'));
  const config = readConfig({
    DATA_DIR: dir,
    LOG_LEVEL: 'CRITICAL',
    LLM_PROVIDER: '',
    EMBEDDING_MODEL: 'none',
    DEX_SELF_HEALING_ENABLED: 'true',
    DEX_SCAN_INTERVAL_MINUTES: String(SCAN_EVERY_MIN),
  });
  const clock = testClock();
  const findings = new Map<string, Findings>();
  const fleet = createFleet(findings, luck);
  let told = 0;
  const app = await createApp(config, {
    clock,
    collector: machines(findings),
    people: { lookup: async () => ({ timeZone: 'UTC' }) },
    messengers: ['slack', 'survey'].map((name) => ({
      name,
      paceMs: 0,
      async deliver({ messages }) {
        told += messages.length;
        return { outcome: 'delivered' as const };
      },
    })),
    runner: {
      blockingReason: async () => null,
      async run({ endpoint, dryRun }) {
        if (!dryRun && luck.next() < 0.8) fleet.heal(endpoint.hostname);
        return { ok: true, reason: null, tasks: [], stats: {} };
      },
    },
  });
  const broken = new Set<string>();
  const heapMb: number[] = [];
  try {
    const database = await openDatabase(config.DATABASE_URL);
    await app.startWorking({ recover: true });
    for (const [index, hostname] of fleet.names.entries()) {
      await app.invoke(
        'register_endpoint',
        { hostname, owner_email: `owner${index}@example.com`, persona: 'developer' },
        ANN,
      );
    }
    const jobs = schedule(TOOLS, {
      scanIntervalMinutes: SCAN_EVERY_MIN,
      survey: { cron: '0 10 * * *', sharePct: 100 },
      hasAgents: false,
    });
    for (let minute = 0; minute < HOURS * 60; minute++) {
      if (minute % 60 === 0) for (let n = 0; n < INCIDENTS_PER_HOUR; n++) fleet.strike();
      if (minute % SCAN_EVERY_MIN === 0) fleet.age();
      for (const { cron, tool, input, name } of jobs) {
        if (!isDue(cron, clock.now())) continue;
        const { output } = await app.invoke(tool, input, jobActor(name));
        if (typeof output.run_id === 'string') await ended(app, output.run_id);
      }
      if (minute % 30 === 29) await peopleLook(app, luck);
      if (minute % 60 === 59) {
        for (const line of await breachesIn(database.em, ALWAYS)) broken.add(line);
        const rssMb = Math.round(process.memoryUsage().rss / 2 ** 20);
        heapMb.push(collectedHeapMb());
        say(
          `life hour ${(minute + 1) / 60}: heap ${heapMb.at(-1)?.toFixed(1)} MB, resident ${rssMb} MB, ${told} messages told${broken.size > 0 ? `, BROKEN: ${[...broken].join('; ')}` : ''}`,
        );
      }
      clock.advance(MINUTE_MS);
    }

    for (let tries = 0; tries < 100 && (await breachesIn(database.em, AT_REST)).length > 0; tries++) await delay(100);
    for (const line of await breachesIn(database.em, AT_REST)) broken.add(line);
    const count = async (table: string): Promise<number> =>
      Number((await database.em.fork().execute(`select count(*) as n from ${table}`))[0]?.n);
    const figures = {
      endpoints: ENDPOINTS,
      snapshots: await count('snapshot'),
      alerts: await count('alert'),
      remediations: await count('remediation'),
      predictions: await count('prediction'),
      messages: told,
      heap_growth_mb: Math.round((lowest(heapMb.slice(-6)) - lowest(heapMb.slice(0, 6))) * 10) / 10,
    };
    if (figures.snapshots < ENDPOINTS * HOURS * (60 / SCAN_EVERY_MIN))
      broken.add(`only ${figures.snapshots} snapshots were taken`);
    if (figures.alerts === 0 || figures.remediations === 0) broken.add('nothing happened in a whole day');
    if (figures.heap_growth_mb > HEAP_GROWTH_MB)
      broken.add(`the heap grew by ${figures.heap_growth_mb} MB: ${heapMb.map((mb) => mb.toFixed(1)).join(', ')}`);
    await database.close();
    return { broken: [...broken], figures };
  } finally {
    await app.close();
    rmSync(dir, { recursive: true, force: true });
  }
}

const lowest = (values: number[]): number => Math.min(...values);

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

function collectedHeapMb(): number {
  collectGarbage();
  collectGarbage();
  return process.memoryUsage().heapUsed / 2 ** 20;
}

/** Five fields of which each is `*`, a step or a number: what our schedule uses. */
function isDue(cron: string, at: Date): boolean {
  const now = [at.getUTCMinutes(), at.getUTCHours(), at.getUTCDate(), at.getUTCMonth() + 1, at.getUTCDay()];
  return cron.split(' ').every((field, index) => {
    if (field === '*') return true;
    const [, step] = /^\*\/(\d+)$/.exec(field) ?? [];
    return step === undefined ? Number(field) === now[index] : (now[index] ?? 0) % Number(step) === 0;
  });
}

async function ended({ ports }: App, runId: string): Promise<void> {
  for (let tries = 0; tries < 12_000; tries++) {
    const status = await ports.store.runs.status(runId);
    if (status && isFinished(status)) return;
    await delay(5);
  }
  throw new Error(`run ${runId} did not end within a minute`);
}

/** People acknowledge some of what is open, resolve a little, and answer what they are asked. */
async function peopleLook(app: App, luck: Chance): Promise<void> {
  const { output } = await app.invoke('list_alerts', { limit: 200 }, ANN);
  for (const { id, status } of output.alerts as { id: number; status: string }[]) {
    const drawn = luck.next();
    if (status === 'needs_human' && drawn < 0.3)
      await app.invoke('acknowledge_alert', { alert_id: id, hours: luck.between(1, 4) }, ANN);
    else if (status === 'needs_human' && drawn < 0.4) await app.invoke('resolve_alert', { alert_id: id }, ANN);
  }
  const { output: asked } = await app.invoke('list_approvals', { status: 'pending' }, ANN);
  for (const { approval_id } of asked.approvals as { approval_id: string }[]) {
    const decision = luck.next() < 0.8 ? 'approve' : 'deny';
    await app.invoke('decide_approval', { approval_id, decision }, ANN);
  }
}

/** Machines with a day of their own: most are well, some fill up, some fail, and what nobody heals ends by itself. */
function createFleet(findings: Map<string, Findings>, luck: Chance) {
  const names = Array.from({ length: ENDPOINTS }, (_, index) => `pc-${index}`);
  const troubles = new Map<
    string,
    { kind: 'disk' | 'service' | 'gone' | 'memory'; diskPct: number; scansLeft: number }
  >();
  return {
    names,
    strike() {
      const hostname = luck.pick(names);
      const kind = luck.pick(['disk', 'service', 'gone', 'memory'] as const);
      troubles.set(hostname, { kind, diskPct: luck.between(60, 90), scansLeft: luck.between(4, 40) });
    },
    heal(hostname: string) {
      troubles.delete(hostname);
    },
    /** A quarter of an hour passes. */
    age() {
      for (const hostname of names) {
        const trouble = troubles.get(hostname);
        const noise = {
          ...WELL,
          cpuPct: luck.between(5, 60),
          memoryPct: luck.between(30, 70),
          diskPct: 50 + luck.next(),
        };
        if (!trouble) {
          findings.set(hostname, noise);
          continue;
        }
        trouble.diskPct = Math.min(99, trouble.diskPct + 1.5);
        if (trouble.kind === 'gone') findings.set(hostname, 'unreachable');
        else if (trouble.kind === 'service') findings.set(hostname, { ...noise, servicesDown: ['cups.service'] });
        else if (trouble.kind === 'memory') findings.set(hostname, { ...noise, memoryPct: 97 });
        else findings.set(hostname, { ...noise, diskPct: trouble.diskPct });
        if (--trouble.scansLeft <= 0) troubles.delete(hostname);
      }
    },
  };
}
