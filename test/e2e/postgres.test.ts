/** PostgreSQL as it is met in the field: with TLS, over a socket, behind pgbouncer. For the store and for the queue. */
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { openDatabase } from '../../src/adapters/db/open.ts';
import { openPostgresPool } from '../../src/adapters/db/postgresPool.ts';
import { createStore } from '../../src/adapters/db/store.ts';
import { jobName, openScheduler, wait } from '../adapters/scheduler/queueRules.ts';
import { makeCertificates, OPENSSL } from '../helpers/certificates.ts';
import { PGBOUNCER, startPgbouncer } from '../helpers/pgbouncer.ts';
import { serveFrom } from '../helpers/postgres.ts';
import { type Program, runProgram } from '../helpers/program.ts';
import { API_KEY, startTestService } from '../helpers/service.ts';
import { createTestDatabase } from '../helpers/testDatabase.ts';

const QUOTE_TLS =
  '`DATABASE_URL` keeps its query: `sslmode` (disable, prefer, require, verify-ca, verify-full, sslrootcert)';
const QUOTE_SOCKET = '`DATABASE_URL` keeps its query: `host=` sockets, `options`';
const QUOTE_POOLER =
  'Behind pgbouncer: no start-up parameters that it refuses; locks and notifications that survive transaction pooling, or a clear word';

const cleanUp: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

/** Whether the connections of store and queue are encrypted, as the server sees them. */
async function encryption(url: string): Promise<{ store: boolean; queue: boolean }> {
  const statement = 'select ssl from pg_stat_ssl where pid = pg_backend_pid()';
  const database = await openDatabase(url);
  const [row] = await database.em.fork().execute<{ ssl: boolean }[]>(statement);
  await database.close();
  const { pool } = await openPostgresPool(url, 'test', 1, () => {});
  const { rows } = await pool.query<{ ssl: boolean }>(statement);
  await pool.end();
  return { store: row!.ssl, queue: rows[0]!.ssl };
}

describe.skipIf(!OPENSSL)('a server with TLS, certified for localhost', () => {
  let dir: string;
  let url: string;
  let certificates: Awaited<ReturnType<typeof makeCertificates>>;
  let stop: () => Promise<void>;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'dexops-tls-'));
    await chmod(dir, 0o755);
    certificates = await makeCertificates(dir, ['DNS:localhost']);
    const { cert, key } = certificates.server;
    const flags = ['ssl=on', `ssl_cert_file=${cert}`, `ssl_key_file=${key}`, `unix_socket_directories=${dir}/sockets`];
    await mkdir(join(dir, 'sockets'));
    await chmod(join(dir, 'sockets'), 0o777);
    const served = await serveFrom(dir, { persistent: false, flags: flags.flatMap((flag) => ['-c', flag]) });
    url = await served.createDatabase('dexops');
    stop = () => served.server.stop();
  });
  afterAll(async () => {
    await stop();
    await rm(dir, { recursive: true, force: true });
  });
  const at = (host: string, query: string) =>
    `${url.replace('127.0.0.1', host)}?${query.replace('ROOT', certificates.authority).replace('STRANGER', certificates.stranger)}`;

  test.each([
    ['127.0.0.1', 'sslmode=disable', false],
    ['127.0.0.1', 'sslmode=prefer', true],
    ['127.0.0.1', 'sslmode=require', true],
    ['127.0.0.1', 'sslmode=verify-ca&sslrootcert=ROOT', true],
    ['localhost', 'sslmode=verify-full&sslrootcert=ROOT', true],
  ])(`${QUOTE_TLS}: %s with %s is encrypted: %s`, async (host, query, encrypted) => {
    expect(await encryption(at(host, query))).toEqual({ store: encrypted, queue: encrypted });
  });

  test.each([
    ['127.0.0.1', 'sslmode=verify-full&sslrootcert=ROOT', /Write the host as the certificate names it/],
    ['localhost', 'sslmode=verify-full', /Name the certificate of the authority.*sslrootcert/],
    ['localhost', 'sslmode=verify-full&sslrootcert=STRANGER', /sslrootcert/],
    ['127.0.0.1', 'sslmode=require&sslrootcert=STRANGER', /sslrootcert/],
  ])(`${QUOTE_TLS}, or the start is refused by name: %s with %s`, async (host, query, message) => {
    await expect(openDatabase(at(host, query))).rejects.toThrow(message);
    await expect(openScheduler(at(host, query))).rejects.toThrow(message);
  });

  test(`${QUOTE_SOCKET}`, async () => {
    const { port } = new URL(url);
    const sockets = encodeURIComponent(join(dir, 'sockets'));
    for (const socket of [
      `postgresql://dexops:dexops@/dexops?host=${sockets}&port=${port}`,
      `postgresql://dexops:dexops@${sockets}:${port}/dexops`,
    ]) {
      const database = await openDatabase(`${socket}${socket.includes('?') ? '&' : '?'}options=-cwork_mem%3D5MB`);
      const [row] = await database.em
        .fork()
        .execute<{ addr: string | null; mem: string }[]>(
          "select inet_client_addr()::text as addr, current_setting('work_mem') as mem",
        );
      await database.close();
      expect(row).toEqual({ addr: null, mem: '5MB' });
    }
  });
});

test(`${QUOTE_TLS}: a server without TLS`, async () => {
  const url = await createTestDatabase();
  expect(await encryption(`${url}?sslmode=prefer`)).toEqual({ store: false, queue: false });
  await expect(openDatabase(`${url}?sslmode=require`)).rejects.toThrow(/TLS turned off.*sslmode=disable/);
  await expect(openScheduler(`${url}?sslmode=require`)).rejects.toThrow(/RUN_QUEUE_URL.*TLS turned off/);
});

describe.skipIf(!PGBOUNCER).each(['session', 'transaction'])('pgbouncer, pool_mode = %s', (poolMode) => {
  let direct: string;
  let url: string;
  let stop: () => Promise<void>;
  beforeAll(async () => {
    direct = await createTestDatabase();
    ({ url, stop } = await startPgbouncer(direct, poolMode, ['default_pool_size = 30']));
  });
  afterAll(() => stop());

  test(`${QUOTE_POOLER}: the store keeps its limits in transactions, and leaves none behind`, async () => {
    const database = await openDatabase(url);
    cleanUp.push(database.close);
    const limit = "select current_setting('statement_timeout') as at";
    const inside = await database.em.fork().transactional((em) => em.execute<{ at: string }[]>(limit));
    expect(inside).toEqual([{ at: '1min' }]);
    expect(await database.em.fork().execute(limit)).toEqual([{ at: '0' }]);
    const store = createStore(database.em);
    await expect(
      store.transaction(async (inner) => {
        await inner.jobs.ended('x', new Date(), new Date(), null);
        throw new Error('no');
      }),
    ).rejects.toThrow('no');
    await Promise.all(Array.from({ length: 20 }, () => store.transaction((inner) => inner.ping())));
  });

  test(`${QUOTE_POOLER}: the store and the queue together, service and worker`, async () => {
    const dir = await mkdtemp(join(tmpdir(), 'dexops-pooled-'));
    const env = { DATABASE_URL: url, RUN_QUEUE_URL: url, DEX_SCAN_INTERVAL_MINUTES: '60', DATA_DIR: dir };
    const service = await startTestService(env);
    cleanUp.push(() => rm(dir, { recursive: true, force: true }), service.stop);
    const worker: Program = runProgram('src/worker.ts', [], {
      ...env,
      API_KEY,
      LLM_PROVIDER: '',
      EMBEDDING_MODEL: 'none',
    });
    cleanUp.push(() => worker.stop('SIGKILL'));
    await worker.said(/worker is ready/);
    expect(/keeps notifications back/.test(worker.output())).toBe(poolMode === 'transaction');
    for (let i = 0; i < 5; i++) {
      const endpoint = { hostname: `pc-${i}`, ip_address: '127.0.0.1', options: { port: 9 } };
      await service.call('POST', '/api/v1/dex/endpoints', endpoint);
    }
    const { body } = await service.call('POST', '/api/v1/dex/fleet/scan');
    expect((await service.finished(body.run_id)).result).toMatchObject({ total: 5, scanned: 5 });
    const { body: health } = await service.call('GET', '/health');
    expect(health.checks).toMatchObject({ database: { status: 'ok' }, queue: { status: 'ok', workers: 1 } });
  });

  test(`${QUOTE_POOLER}: several start at the same moment on an empty database, and make one schedule`, async () => {
    const empty = await createTestDatabase();
    const pooler = await startPgbouncer(empty, poolMode, ['default_pool_size = 30']);
    cleanUp.push(pooler.stop);
    const opened = await Promise.all([1, 2, 3].map(() => openDatabase(pooler.url, 2)));
    cleanUp.push(...opened.map(({ close }) => close));
    const job = jobName();
    const all = await Promise.all(['one', 'two', 'three'].map((name) => openScheduler(pooler.url, { name })));
    for (const { scheduler } of all) scheduler.define(job, async () => {}, 1);
    await Promise.all(all.map(({ scheduler }) => scheduler.every('0 4 * * *', job)));
    for (const { scheduler } of all) await scheduler.start();
    await all[0]!.scheduler.enqueue(job, {});
    await expect.poll(() => all.flatMap(({ ended }) => ended), wait).toEqual([`${job} ok`]);
    for (const { scheduler } of all) await scheduler.stop(0);
    const client = new Client({ connectionString: empty });
    await client.connect();
    const { rows } = await client.query("select count(*)::int as n from agenda_jobs where type = 'single'");
    await client.end();
    expect(rows).toEqual([{ n: 1 }]);
  });

  test(`${QUOTE_POOLER}: options in the URL, which it refuses, are named`, async () => {
    await expect(openDatabase(`${url}?options=-cwork_mem%3D5MB`)).rejects.toThrow(
      /takes no options from the URL.*alter role/,
    );
  });
});

test.skipIf(!PGBOUNCER)(
  `${QUOTE_POOLER}: one that ignores the settings instead of refusing them is noticed too`,
  async () => {
    const ignored = 'ignore_startup_parameters = statement_timeout,lock_timeout,idle_in_transaction_session_timeout';
    const pooler = await startPgbouncer(await createTestDatabase(), 'transaction', [ignored]);
    cleanUp.push(pooler.stop);
    const { pool, pooled } = await openPostgresPool(pooler.url, 'test', 1, () => {});
    await pool.end();
    expect(pooled).toBe(true);
  },
);
