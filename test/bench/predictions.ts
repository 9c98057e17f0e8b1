/**
 * `npm run bench -- predictions [ENDPOINTS]`: the hourly check over a fleet with a week and a day of quarter-hourly samples in
 * SQLite: time, memory, and how long other work has to wait for the event loop.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { openDatabase } from '../../src/adapters/db/open.ts';
import { createApp } from '../../src/app.ts';
import { readConfig } from '../../src/config.ts';
import { jobActor } from '../../src/core/actor.ts';
import { figure } from './figure.ts';

const QUARTERS = 8 * 96;
const QUARTER_MS = 15 * 60_000;
const HISTORY_CHUNK = 48;

export async function run(args: string[]): Promise<void> {
  const endpoints = Number(args[0] ?? 1000);
  const dir = mkdtempSync(join(tmpdir(), 'dexops-bench-'));
  const config = readConfig({
    DATA_DIR: dir,
    DATABASE_URL: `sqlite:///${join(dir, 'bench.db')}`,
    LOG_LEVEL: 'ERROR',
    LLM_PROVIDER: '',
    EMBEDDING_MODEL: 'none',
    RUNBOOKS_DIR: dir,
  });
  try {
    const database = await openDatabase(config.DATABASE_URL);
    await fill(database.em.fork() as SqlEntityManager, endpoints);
    await database.close();

    const app = await createApp(config, { healing: null });
    const delay = monitorEventLoopDelay({ resolution: 1 });
    let peakBytes = 0;
    const sampler = setInterval(() => {
      peakBytes = Math.max(peakBytes, process.memoryUsage.rss());
    }, 100);
    for (const pass of ['first', 'second']) {
      delay.reset();
      delay.enable();
      const startMs = performance.now();
      const before = process.cpuUsage();
      const { output } = await app.invoke('check_predictions', {}, jobActor('dex_check_predictive_alerts'));
      const seconds = (performance.now() - startMs) / 1000;
      const cpu = process.cpuUsage(before);
      delay.disable();
      figure('predictions', `${pass}_check`, seconds, 's', { ...output });
      figure('predictions', `${pass}_check_for_10000`, (seconds / endpoints) * 10_000, 's');
      figure('predictions', `${pass}_cpu_for_10000`, (((cpu.user + cpu.system) / 1e6) * 10_000) / endpoints, 's');
      figure('predictions', `${pass}_loop_delay_p99`, delay.percentile(99) / 1e6, 'ms');
      figure('predictions', `${pass}_loop_delay_max`, delay.max / 1e6, 'ms');
    }
    clearInterval(sampler);
    figure('predictions', 'peak_rss', peakBytes / 2 ** 20, 'MiB');
    await app.close();
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Samples in the order in which scans write them, made inside the database: one endpoint in fifty leaks. */
async function fill(em: SqlEntityManager, endpoints: number): Promise<void> {
  const now = Date.now();
  await em.execute(
    `with recursive n(i) as (select 1 union all select i + 1 from n where i < ?)
     insert into endpoint (id, hostname, persona, criticality_tier, os_platform, tags, collector, options, registered_at, updated_at, score_status, breaches)
     select i, 'bench-' || i, 'general', 2, 'linux', '{}', 'push', '{}', ?, ?, 'unknown', '{}' from n`,
    [endpoints, now - QUARTERS * QUARTER_MS, now],
  );
  for (let from = 0; from < QUARTERS; from += HISTORY_CHUNK) {
    await em.execute(
      `with recursive q(i) as (select ? union all select i + 1 from q where i < ?)
       insert into snapshot (endpoint_id, collected_at, collector, duration_ms, reachable, cpu_pct, memory_pct, disk_pct, disk_mount, unmeasured)
       select e.id, ? - (? - q.i) * ?, 'push', 5, 1,
         25 + abs(random() % 100) / 10.0, 45 + 10 * ((q.i / 48) % 2) + abs(random() % 20) / 10.0,
         50 + (case when e.id % 50 = 0 then q.i * 0.045 else 0 end) + abs(random() % 10) / 20.0, '/', '[]'
       from q, endpoint e order by q.i, e.id`,
      [from, Math.min(from + HISTORY_CHUNK, QUARTERS) - 1, now, QUARTERS - 1, QUARTER_MS],
    );
  }
}
