/** MCP as a client sees it: the real client of the SDK against our server over the real gate and a real database. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { LoggingMessageNotificationSchema, type Progress } from '@modelcontextprotocol/sdk/types.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { createMcpServer } from '../../mcp/server.ts';
import type { McpView } from '../../mcp/view.ts';
import { type App, createApp } from '../../src/app.ts';
import { readConfig } from '../../src/config.ts';
import type { Role } from '../../src/core/actor.ts';
import { createInvoke } from '../../src/core/invoke.ts';
import { type AnyTool, defineTool } from '../../src/core/tool.ts';
import { flatSnapshot } from '../helpers/flatSnapshot.ts';
import { keptLog } from '../helpers/log.ts';
import { machines, WELL } from '../helpers/machines.ts';
import { assistant, callTool, clientThatAnswers, connectTo, newClient } from '../helpers/mcpClient.ts';

const log = keptLog();
let dir: string;
let app: App;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'dexops-mcp-'));
  const config = readConfig({ DATA_DIR: dir, LLM_PROVIDER: '', EMBEDDING_MODEL: 'none' });
  app = await createApp(config, { collector: machines(new Map()), log });
  await app.startWorking({ recover: false });
});
afterAll(async () => {
  await app.close();
  await rm(dir, { recursive: true, force: true });
});

/** @param extra tools beside the product's own, behind the same gate */
async function connect(
  role: Role = 'operator',
  client = newClient(),
  extra: AnyTool[] = [],
  view: McpView = { toolsets: 'all', structured: true },
): Promise<Client> {
  const tools = [...app.tools, ...extra];
  const invoke = createInvoke(tools, app.ports);
  const { charts } = app.ports;
  return connectTo(
    createMcpServer({ tools, invoke, actor: assistant(role), view, charts, log, version: '1.2.3' }),
    client,
  );
}

/** Registers an endpoint that has been seen with these loads, an hour apart. */
async function seen(hostname: string, ...loads: number[]): Promise<void> {
  await app.invoke('register_endpoint', { hostname }, assistant('admin'));
  for (const [index, cpuPct] of loads.entries()) {
    const at = new Date(app.ports.clock.now().getTime() - (loads.length - 1 - index) * 3_600_000);
    await app.ports.snapshotIntake.take(hostname, (endpoint) => flatSnapshot(endpoint, at, { ...WELL, cpuPct }));
  }
}

describe('introduction', () => {
  test('the server names itself, its version, and how to go about its tools', async () => {
    const client = await connect();
    expect(client.getServerVersion()).toMatchObject({ name: 'dexops', title: 'DexOps', version: '1.2.3' });
    expect(client.getInstructions()).toContain('get_fleet');
    await client.setLoggingLevel('error');
    await client.close();
  });
});

describe('tools', () => {
  test('a machine is registered, scanned and scored by calls alone, with structured answers', async () => {
    const client = await connect();
    await client.listTools(); // from here on the client checks every answer against the output schema
    const registered = await callTool(client, 'register_endpoint', { hostname: 'Flow-01', persona: 'developer' });
    expect(registered.structuredContent).toMatchObject({ ok: true, endpoint: { hostname: 'flow-01', score: null } });

    const asked = await callTool(client, 'scan_endpoint', { hostname: 'flow-01' });
    const run_id = z.object({ run_id: z.string() }).parse(asked.structuredContent).run_id;
    await expect
      .poll(async () => (await callTool(client, 'get_run', { run_id })).structuredContent?.status, { timeout: 10_000 })
      .toBe('completed');

    const score = await callTool(client, 'get_score', { hostname: 'flow-01' });
    expect(score.text).toContain('flow-01: 100 of 100');
    expect(score.structuredContent).toMatchObject({ score: 100, status: 'healthy' });
    const fleet = await callTool(client, 'get_fleet');
    expect(fleet.structuredContent).toMatchObject({ healthy: 1 });
    expect(fleet.content.map(({ type }) => type)).toEqual(['text']);
    await client.close();
  });

  test('a history comes as text, and as a PNG where one is asked for', async () => {
    await seen('history-01', 10, 85, 99);
    const client = await connect('viewer');
    const answer = await callTool(client, 'get_score_history', { hostname: 'history-01', chart: true });
    const [text, image] = answer.content;
    const unasked = await callTool(client, 'get_score_history', { hostname: 'history-01' });
    expect(unasked.content.map(({ type }) => type)).toEqual(['text']);
    expect(text).toMatchObject({ type: 'text', text: expect.stringContaining('over 3 scans') });
    if (image?.type !== 'image') throw new Error('there is no image in the answer');
    expect(image.mimeType).toBe('image/png');
    expect(Buffer.from(image.data, 'base64').subarray(1, 4).toString()).toBe('PNG');
    await client.close();
  });

  test('a history of one scan has no history, so it is told in words', async () => {
    await seen('single-01', 10);
    const client = await connect('viewer');
    const { content } = await callTool(client, 'get_score_history', { hostname: 'single-01' });
    expect(content.map(({ type }) => type)).toEqual(['text']);
    await client.close();
  });

  test.each([
    ['get_score', {}, /hostname/],
    ['get_score', { hostname: 'nobody-here' }, /No endpoint named nobody-here/],
    ['get_score', { hostname: '../../etc/passwd' }, /No endpoint named/],
    ['get_score', { hostname: "x'; DROP TABLE endpoint; --" }, /No endpoint named/],
    ['get_score_history', { hostname: 'a', limit: 5000 }, /limit/],
    ['get_fleet', { worst: 'many' }, /worst/],
    ['get_fleet', { surprise: true }, /surprise/],
    ['register_endpoint', { hostname: 'rm -rf /' }, /must be a hostname/],
    ['register_endpoint', { hostname: 'meta', ip_address: '169.254.169.254' }, /no endpoint can have it/],
    ['list_endpoints', { prefix: '%' }, /prefix/],
  ])('%s refuses %j with what to mend, as a result that the model reads', async (name, input, words) => {
    const client = await connect();
    const answer = await callTool(client, name, input);
    expect(answer.isError).toBe(true);
    expect(answer.text).toMatch(words);
    expect(answer.structuredContent).toBeUndefined();
    await client.close();
  });

  test('a tool that does not exist is an error of the protocol', async () => {
    const client = await connect();
    await expect(client.callTool({ name: 'format_disk', arguments: {} })).rejects.toMatchObject({ code: -32602 });
    await client.close();
  });

  test('a bug is logged with its cause and told without it', async () => {
    const broken = probe('break_down', async () => {
      throw new TypeError('the password is hunter2');
    });
    const client = await connect('operator', newClient(), [broken]);
    const told: unknown[] = [];
    client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => {
      told.push(params.data);
    });
    const answer = await callTool(client, 'break_down');
    expect(answer.isError).toBe(true);
    const reference = /under ([\da-f-]{36})/.exec(answer.text)?.[1];
    expect(answer.text).not.toContain('hunter2');
    expect(log.lines).toContainEqual(
      expect.objectContaining({
        level: 'error',
        fields: expect.objectContaining({ reference, err: expect.any(TypeError) }),
      }),
    );
    expect(told).toEqual([answer.text]);
    await client.close();
  });

  test('a level above error keeps that message from the client', async () => {
    const broken = probe('break_down', async () => {
      throw new TypeError('again');
    });
    const client = await connect('operator', newClient(), [broken]);
    await client.setLoggingLevel('critical');
    const told: unknown[] = [];
    client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => {
      told.push(params.data);
    });
    await callTool(client, 'break_down');
    expect(told).toEqual([]);
    await client.close();
  });
});

describe('progress and cancellation', () => {
  test('progress reaches a client that asked for it, and only ever grows', async () => {
    const stepwise = probe('work_stepwise', async ({ progress }) => {
      progress(0.25, 'begun');
      progress(0.2, 'a step back');
      progress(1, 'done');
    });
    const client = await connect('operator', newClient(), [stepwise]);
    const heard: Progress[] = [];
    await client.callTool({ name: 'work_stepwise', arguments: {} }, undefined, {
      onprogress: (progress) => heard.push(progress),
    });
    expect(heard).toEqual([
      { progress: 0.25, total: 1, message: 'begun' },
      { progress: 1, total: 1, message: 'done' },
    ]);
    await callTool(client, 'work_stepwise'); // did not ask: nothing to hear, nothing to fail
    await client.close();
  });

  test('cancelling a call aborts the work', async () => {
    const { promise: aborted, resolve } = Promise.withResolvers<void>();
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    const endless = probe('work_endlessly', ({ signal }) => {
      begin();
      return new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          resolve();
          reject(signal.reason);
        });
      });
    });
    const client = await connect('operator', newClient(), [endless]);
    const before = log.lines.filter(({ level }) => level === 'error').length;
    const stop = new AbortController();
    const call = client.callTool({ name: 'work_endlessly', arguments: {} }, undefined, { signal: stop.signal });
    await begun;
    stop.abort();
    await expect(call).rejects.toThrow();
    await aborted;
    expect((await callTool(client, 'get_fleet')).isError).toBeUndefined();
    expect(log.lines.filter(({ level }) => level === 'error').length).toBe(before);
    await client.close();
  });
});

describe('destructive tools ask first', () => {
  const stillThere = async (hostname: string) => (await app.ports.store.endpoints.get(hostname)) !== null;

  test('a ticked yes does it', async () => {
    await seen('asked-yes');
    const { client, questions } = clientThatAnswers({ action: 'accept', content: { confirm: true } });
    await connect('operator', client);
    const answer = await callTool(client, 'deregister_endpoint', { hostname: 'asked-yes' });
    expect(answer.isError).toBeUndefined();
    expect(questions).toEqual([expect.stringContaining('asked-yes')]);
    expect(await stillThere('asked-yes')).toBe(false);
    await client.close();
  });

  test.each([
    ['an unticked box', { action: 'accept' as const, content: { confirm: false } }],
    ['an empty form', { action: 'accept' as const, content: {} }],
    ['a yes in words', { action: 'accept' as const, content: { confirm: 'true' } }],
    ['a refusal', { action: 'decline' as const }],
    ['a closed window', { action: 'cancel' as const }],
    ['a client that fails', new Error('no window')],
  ])('%s does not', async (_what, answer) => {
    const hostname = `asked-no-${Math.random().toString(36).slice(2)}`;
    await seen(hostname);
    const { client, questions } = clientThatAnswers(answer);
    await connect('operator', client);
    const result = await callTool(client, 'deregister_endpoint', { hostname });
    expect(result.isError).toBe(true);
    expect(result.text).toMatch(/Nothing was done yet|nothing was done/);
    expect(questions).toHaveLength(1);
    expect(await stillThere(hostname)).toBe(true);
    await client.close();
  });

  test.each([
    ['none', {}],
    ['only links', { elicitation: { url: {} } }],
  ])('a client that can show no question (%s) gets nothing done, and the audit says so', async (what, capabilities) => {
    const hostname = `never-asked-${what.replace(' ', '-')}`;
    await seen(hostname);
    const client = await connect('admin', newClient(capabilities));
    const result = await callTool(client, 'deregister_endpoint', { hostname });
    expect(result.isError).toBe(true);
    expect(await stillThere(hostname)).toBe(true);
    const { items } = await app.ports.store.audit.list({ tool: 'deregister_endpoint' }, { limit: 1, offset: 0 });
    expect(items[0]).toMatchObject({ subject: hostname, outcome: 'denied', via: 'mcp', actorKind: 'model' });
    await client.close();
  });
});

describe('a viewer', () => {
  test('is offered reading tools only', async () => {
    const client = await connect('viewer');
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toContain('get_score');
    expect(tools.filter(({ annotations }) => !annotations?.readOnlyHint)).toEqual([]);
    await client.close();
  });

  test('is refused what it calls all the same', async () => {
    const client = await connect('viewer');
    const answer = await callTool(client, 'register_endpoint', { hostname: 'by-viewer' });
    expect(answer.isError).toBe(true);
    expect(answer.text).toMatch(/needs the role operator/);
    expect(await app.ports.store.endpoints.get('by-viewer')).toBeNull();
    await client.close();
  });

  test('gets prompts without the steps it may not take', async () => {
    const client = await connect('viewer');
    const { prompts } = await client.listPrompts();
    expect(prompts.map(({ name }) => name)).toEqual(['triage_endpoint', 'fleet_report']);
    const { messages } = await client.getPrompt({ name: 'triage_endpoint', arguments: { hostname: 'History-01' } });
    const [message] = messages;
    if (message?.content.type !== 'text') throw new Error('the prompt is not text');
    expect(message.content.text).toContain('Endpoint: history-01');
    expect(message.content.text).not.toContain('scan_endpoint');
    await client.close();
  });
});

test('tools that are hidden from MCP do not exist on it', async () => {
  const hidden: AnyTool = { ...probe('webhook_only', async () => {}), hiddenFrom: ['mcp'] };
  const client = await connect('admin', newClient(), [hidden]);
  expect((await client.listTools()).tools.map(({ name }) => name)).not.toContain('webhook_only');
  await expect(client.callTool({ name: 'webhook_only', arguments: {} })).rejects.toMatchObject({ code: -32602 });
  await client.close();
});

describe('prompts', () => {
  test('need what they are about', async () => {
    const client = await connect();
    await expect(client.getPrompt({ name: 'triage_endpoint', arguments: {} })).rejects.toThrow(/hostname/);
    await expect(client.getPrompt({ name: 'write_poem' })).rejects.toThrow(/no prompt named/);
    await client.close();
  });
});

describe('resources', () => {
  test('runbooks and endpoints are listed in pages, and each document is read by its address', async () => {
    for (let i = 0; i < 120; i++) await seen(`page-${String(i).padStart(3, '0')}`);
    await seen('page-scored', 90);
    const client = await connect('viewer');
    const uris: string[] = [];
    let cursor: string | undefined;
    let pages = 0;
    do {
      const page = await client.listResources({ cursor });
      uris.push(...page.resources.map(({ uri }) => uri));
      cursor = page.nextCursor;
      pages++;
    } while (cursor !== undefined);
    expect(pages).toBeGreaterThan(1);
    expect(new Set(uris).size).toBe(uris.length);
    const runbooks = (await app.ports.runbooks.list()).map(({ docId }) => docId);
    const machineCount = await app.ports.store.endpoints.count();
    expect(uris.length).toBe(1 + runbooks.length + machineCount);
    expect(uris).toEqual(expect.arrayContaining(runbooks.map((docId) => `dexops://runbooks/${docId}`)));

    const read = async (uri: string) => {
      const { contents } = await client.readResource({ uri });
      const [content] = contents;
      if (!content || !('text' in content)) throw new Error(`${uri} is not text`);
      return JSON.parse(content.text);
    };
    expect(await read('dexops://fleet')).toMatchObject({ total: machineCount });
    expect(await read('dexops://endpoints/page-scored')).toMatchObject({ endpoint: { hostname: 'page-scored' } });
    expect(await read('dexops://endpoints/page-scored/score')).toMatchObject({ components: { device: 80 } });
    expect(await read('dexops://endpoints/page-scored/history')).toMatchObject({ count: 1 });
    const { resourceTemplates } = await client.listResourceTemplates();
    expect(resourceTemplates.map(({ uriTemplate }) => uriTemplate)).toContain('dexops://endpoints/{hostname}/score');
    await client.close();
  });

  test('a runbook is read as the page it is, and its name completes', async () => {
    const client = await connect('viewer');
    const { contents } = await client.readResource({ uri: 'dexops://runbooks/disk_full_linux' });
    expect(contents).toMatchObject([{ mimeType: 'text/markdown', text: expect.stringMatching(/^Disk full on Linux/) }]);
    expect(contents).toMatchObject([{ text: expect.stringContaining('## Diagnosis') }]);
    const { completion } = await client.complete({
      ref: { type: 'ref/resource', uri: 'dexops://runbooks/{doc_id}' },
      argument: { name: 'doc_id', value: 'disk_full' },
    });
    expect(completion.values.toSorted()).toEqual(['disk_full_linux', 'disk_full_macos', 'disk_full_windows']);
    await client.close();
  });

  test.each([
    'dexops://endpoints/nobody-here',
    'dexops://endpoints/page-000/secrets',
    'dexops://endpoints/a/b/c',
    'dexops://endpoints/',
    'file:///etc/passwd',
    'dexops://runbooks/README',
    'dexops://runbooks/no_such_page',
    'dexops://runbooks/..%2F..%2Fetc%2Fpasswd',
    'dexops://runbooks/%E0%A4%A',
    'dexops://runbooks/',
  ])('%s is not there', async (uri) => {
    const client = await connect('viewer');
    await expect(client.readResource({ uri })).rejects.toMatchObject({ code: -32002 });
    await client.close();
  });

  test('a cursor that was never given is refused', async () => {
    const client = await connect('viewer');
    await expect(client.listResources({ cursor: "1' OR 1=1" })).rejects.toMatchObject({ code: -32602 });
    await client.close();
  });

  test('hostnames are completed from their beginning', async () => {
    await seen('anna-laptop');
    await seen('anna-phone');
    const client = await connect('viewer');
    const complete = async (value: string, name = 'hostname') =>
      (await client.complete({ ref: { type: 'ref/prompt', name: 'triage_endpoint' }, argument: { name, value } }))
        .completion;
    expect(await complete('Anna')).toMatchObject({ values: ['anna-laptop', 'anna-phone'], total: 2, hasMore: false });
    expect(await complete('page-')).toMatchObject({ hasMore: true });
    expect((await complete('%')).values).toEqual([]);
    expect((await complete('x', 'colour')).values).toEqual([]);
    await client.close();
  });
});

function probe(
  name: string,
  work: (context: { signal: AbortSignal; progress(share: number, message: string): void }) => Promise<void>,
): AnyTool {
  return defineTool({
    name,
    title: name,
    effect: 'read',
    description: 'Shows how the interface treats a tool that behaves like this.',
    input: z.strictObject({}),
    output: z.object({}),
    async run(_input, context) {
      await work(context);
      return {};
    },
    summary: () => 'done',
  });
}
