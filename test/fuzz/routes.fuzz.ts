/** Every REST route and every tool, by their own schemas: no input is answered with a bug, and every answer is as described. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { openDatabase } from '../../src/adapters/db/open.ts';
import type { Actor, Interface } from '../../src/core/actor.ts';
import { AppError } from '../../src/core/errors.ts';
import { jsonSchema } from '../../src/core/invoke.ts';
import type { AnyTool } from '../../src/core/tool.ts';
import { TOOLS } from '../../src/core/tools/index.ts';
import { openapi } from '../../src/surfaces/http/docs/openapi.ts';
import { HTTP_STATUS } from '../../src/surfaces/http/errors.ts';
import { keptLog } from '../helpers/log.ts';
import { machines } from '../helpers/machines.ts';
import { type PostgresServer, startPostgres } from '../helpers/postgres.ts';
import { API_KEY, startTestService, type TestService } from '../helpers/service.ts';
import { ALWAYS, breachesIn } from '../helpers/storeInvariants.ts';
import { STORE_KINDS } from '../helpers/stores.ts';
import { type Known, type Schema, spoiledInput, validValue } from './schemaValues.ts';

/** A request that takes longer hangs. Milliseconds. */
const PATIENCE_MS = 30_000;

/** Tools that say `unavailable` where another program is missing. */
const NEEDS_OUTSIDE = new Set(['create_backup']);

interface Operation {
  tool: AnyTool;
  method: string;
  path: string;
  input: Schema;
  answer: z.ZodType;
}

/** The routes as the OpenAPI page describes them. */
const description = openapi(TOOLS, '1') as { paths: Record<string, Record<string, any>>; components: any };
const errorAnswer = z.fromJSONSchema(description.components.schemas.Error);
const OPERATIONS: Operation[] = Object.entries(description.paths).flatMap(([path, methods]) =>
  Object.entries(methods).flatMap(([method, { operationId, parameters = [], requestBody, responses }]) => {
    // Streams, and what other systems call, have suites of their own.
    const tool = TOOLS.find(({ name }) => name === operationId);
    if (!tool) return [];
    const body: Schema = requestBody?.content['application/json'].schema ?? {};
    const given = Object.fromEntries(parameters.map(({ name, schema }: any) => [name, schema]));
    const inPath = parameters.filter((parameter: any) => parameter.in === 'path').map(({ name }: any) => name);
    return {
      tool,
      method: method.toUpperCase(),
      path,
      input: {
        ...body,
        type: 'object',
        properties: { ...given, ...body.properties },
        required: [...inPath, ...(body.required ?? [])],
      },
      answer: z.fromJSONSchema(responses[tool.http!.status ?? 200].content['application/json'].schema),
    };
  }),
);

test('every tool with a route is among the operations', () => {
  const routed = TOOLS.filter((tool) => tool.http && !tool.hiddenFrom?.includes('rest'));
  expect(OPERATIONS.map(({ tool }) => tool.name).sort()).toEqual(routed.map(({ name }) => name).sort());
});

describe.each(STORE_KINDS)('%s', (kind) => {
  const log = keptLog();
  let dir: string;
  let postgres: PostgresServer | null = null;
  let databaseUrl: string;
  let service: TestService;
  const values = new Map<string, unknown[]>();
  const known: Known = (field) => values.get(field) ?? [];

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'dexops-fuzz-'));
    if (kind === 'postgresql') postgres = await startPostgres();
    databaseUrl = (await postgres?.createDatabase('fuzz')) ?? `sqlite:///${join(dir, 'fuzz.db')}`;
    service = await startTestService(
      {
        DATABASE_URL: databaseUrl,
        DATA_DIR: dir,
        BACKUP_DIR: join(dir, 'backups'),
        API_RATE_LIMIT_PER_MINUTE: '0',
        WEBHOOK_REQUIRE_AUTH: 'false',
      },
      {
        people: { lookup: async () => ({ timeZone: 'Europe/Berlin' }) },
        collector: machines(new Map([['pc-1', { diskPct: 97 }]])),
        log,
      },
    );
    await fill(service, values);
  });
  afterAll(async () => {
    await service.stop();
    await postgres?.stop();
    await rm(dir, { recursive: true, force: true });
  });

  describe.each(OPERATIONS.map((operation) => [`${operation.method} ${operation.path}`, operation] as const))(
    '%s',
    (_, operation) => {
      test('answers as described', async () => {
        await fc.assert(
          fc.asyncProperty(validValue(operation.input, known), accepted, (input, accept) =>
            holds(operation, input as object, accept),
          ),
        );
      });
      test('refuses what is wrong, and says what it is', async () => {
        await fc.assert(
          fc.asyncProperty(spoiledInput(operation.input, known), accepted, (input, accept) =>
            holds(operation, input, accept),
          ),
        );
      });
    },
  );

  /** Tools without a route are reached by their own interface, as a webhook or a job reaches them. */
  const inner = TOOLS.filter((tool) => !tool.http || tool.hiddenFrom?.includes('rest'));
  test.each(inner.map((tool) => [tool.name, tool] as const))('%s through the invoker', async (_, tool) => {
    const via = (['job', 'webhook', 'agent', 'slack', 'mcp', 'planner'] as Interface[]).find(
      (via) => !tool.hiddenFrom?.includes(via),
    )!;
    const actor: Actor = { id: 'test:fuzz', name: 'fuzz', kind: 'human', via, role: 'admin' };
    const schema = jsonSchema(tool.input, 'input') as Schema;
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(validValue(schema, known), spoiledInput(schema, known), fc.jsonValue()),
        async (input) => {
          const failure = await service.app.invoke(tool.name, input, actor).then(
            () => null,
            (error: unknown) => error,
          );
          if (failure !== null) expect(failure, JSON.stringify(input)).toBeInstanceOf(AppError);
        },
      ),
    );
  });

  test('stands after all of it', async () => {
    expect((await service.call('GET', '/health')).body.checks.database).toMatchObject({ status: 'ok' });
    const database = await openDatabase(databaseUrl);
    expect(await breachesIn(database.em, ALWAYS)).toEqual([]);
    await database.close();
    const bugs = log.lines.filter(
      ({ message }) => message === 'unexpected error' || message === 'job failed' || message === 'audit line lost',
    );
    expect(bugs.map(({ fields }) => String((fields as { err?: unknown }).err))).toEqual([]);
  });

  async function holds({ tool, method, path, answer }: Operation, input: object, accept: string): Promise<void> {
    const { url, body } = requestOf(method, path, input);
    const response = await fetch(service.url + url, {
      method,
      headers: {
        'X-API-Key': API_KEY,
        Accept: accept,
        ...(body !== undefined && { 'Content-Type': 'application/json' }),
      },
      body,
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    const text = await response.text();
    const said = `${response.status} ${text.slice(0, 500)}`;
    if (response.ok) {
      expect(response.status, said).toBe(tool.http!.status ?? 200);
      if (!response.headers.get('content-type')?.startsWith('application/json')) return;
      const checked = answer.safeParse(JSON.parse(text));
      expect(checked.success ? '' : z.prettifyError(checked.error), said).toBe('');
      return;
    }
    if (!NEEDS_OUTSIDE.has(tool.name)) expect(response.status, said).toBeLessThan(500);
    const checked = errorAnswer.safeParse(JSON.parse(text));
    expect(checked.success ? '' : z.prettifyError(checked.error), said).toBe('');
    const { kind } = JSON.parse(text).error;
    expect(response.status, said).toBe(HTTP_STATUS[kind as keyof typeof HTTP_STATUS]);
  }
});

const accepted = fc.constantFrom(
  'application/json',
  'application/json',
  '*/*',
  'image/png',
  'text/csv',
  'application/x-ndjson',
  'nonsense',
);

/** Path parameters into the path, the rest into the query or the body, by the method. */
function requestOf(method: string, path: string, input: object): { url: string; body?: string } {
  const rest = new Map(Object.entries(input));
  const url = path.replace(/\{(\w+)\}/g, (_, field: string) => {
    const value = rest.get(field);
    rest.delete(field);
    const text = spelled(value).slice(0, 5000);
    // A dot segment never leaves a client: it would ask for another address.
    return /^\.{0,2}$/.test(text) ? '%20' : encodeURIComponent(text);
  });
  if (method === 'POST' || method === 'PATCH') return { url, body: JSON.stringify(Object.fromEntries(rest)) };
  const query = new URLSearchParams(
    [...rest].map(([name, value]): [string, string] => [name.toWellFormed(), spelled(value).slice(0, 5000)]),
  );
  return { url: rest.size > 0 ? `${url}?${query}` : url };
}

function spelled(value: unknown): string {
  return (typeof value === 'string' ? value : (JSON.stringify(value) ?? '')).toWellFormed();
}

/** Something of everything, so that generated calls meet what exists. */
async function fill({ call, finished, app }: TestService, values: Map<string, unknown[]>): Promise<void> {
  for (const hostname of ['pc-1', 'pc-2', 'pc-3']) {
    await call('POST', '/api/v1/dex/endpoints', { hostname, owner_email: 'ann@example.com' });
    for (let scans = 0; scans < 3; scans++) {
      const { body } = await call('POST', `/api/v1/dex/endpoints/${hostname}/scan`);
      await finished(body.run_id);
      values.set('run_id', [body.run_id]);
    }
  }
  await call('POST', '/api/v1/dex/endpoints', { hostname: 'pc-push', collector: 'push' });
  await call('POST', '/api/v1/dex/runbooks/index', { doc_id: 'disk', content: '# Disk full\n\nDelete what is old.' });
  const { body } = await call('GET', '/api/v1/dex/alerts?status=all');
  values.set('hostname', ['pc-1', 'pc-2', 'PC-3 ', 'pc-push', 'nobody']);
  values.set('alert_id', [...body.alerts.map(({ id }: { id: number }) => id), 999_999]);
  values.set('doc_id', ['disk']);
  values.set('survey_id', [1]);
  // A model may only ask: its call waits for a yes, which gives an approval to decide on.
  const model: Actor = { id: 'key:m', name: 'a model', kind: 'model', via: 'mcp', role: 'operator' };
  await app.invoke('deregister_endpoint', { hostname: 'pc-3' }, model).catch(() => {});
  const { approvals } = (await call('GET', '/api/v1/approvals')).body;
  values.set(
    'approval_id',
    approvals.map(({ approval_id }: { approval_id: string }) => approval_id),
  );
}
