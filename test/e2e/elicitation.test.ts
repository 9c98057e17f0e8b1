/** Deciding an approval by the person in front of a real MCP client, over both transports: only a ticked and accepted form is a yes. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type App, createApp } from '../../src/app.ts';
import { readConfig } from '../../src/config.ts';
import { requestApproval } from '../../src/core/approvals.ts';
import { assistant, callTool, clientThatAnswers, connectOverHttp, newClient } from '../helpers/mcpClient.ts';
import { API_KEY, startTestService, type TestService } from '../helpers/service.ts';

const PATIENCE = { timeout: 30_000, interval: 100 };

interface Place {
  app: App;
  connect(client: Client): Promise<void>;
  close(): Promise<void>;
}

async function overHttp(): Promise<Place> {
  const service: TestService = await startTestService();
  return {
    app: service.app,
    async connect(client) {
      await connectOverHttp(
        `${service.url}/mcp?structured=1&toolsets=all`,
        { Authorization: `Bearer ${API_KEY}` },
        client,
      );
    },
    close: () => service.stop(),
  };
}

/** The program as a client starts it, beside us on the same database. */
async function overStdio(): Promise<Place> {
  const dir = await mkdtemp(join(tmpdir(), 'dexops-elicitation-'));
  const env = { DATA_DIR: dir, LLM_PROVIDER: '', LOG_LEVEL: 'CRITICAL', EMBEDDING_MODEL: 'none' };
  const app = await createApp(readConfig(env));
  return {
    app,
    connect: (client) =>
      client.connect(
        new StdioClientTransport({
          command: process.execPath,
          args: [resolve(import.meta.dirname, '../../mcp/stdio.ts'), '--structured', '--toolsets', 'all'],
          env,
          cwd: dir,
          stderr: 'ignore',
        }),
      ),
    async close() {
      await app.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** How a person, or a client without one, may leave the question unanswered or refused. */
const NO_YES: [string, () => Client][] = [
  ['declining', () => clientThatAnswers({ action: 'decline' }).client],
  ['closing the window', () => clientThatAnswers({ action: 'cancel' }).client],
  ['a client that cannot ask', () => newClient()],
];
const ODD_ANSWERS: [string, () => Client][] = [
  ['an unticked form', () => clientThatAnswers({ action: 'accept', content: { confirm: false } }).client],
  ['a form without an answer', () => clientThatAnswers({ action: 'accept' }).client],
  ['a word in the place of a tick', () => clientThatAnswers({ action: 'accept', content: { confirm: 'true' } }).client],
  ['a client that fails', () => clientThatAnswers(new Error('no window')).client],
  ['a client that only shows links', () => newClient({ elicitation: { url: {} } })],
];

// Over stdio each client starts a process; what the answers mean is decided in one place, whatever brings them.
describe.each([
  ['HTTP', overHttp, [...NO_YES, ...ODD_ANSWERS]],
  ['stdio', overStdio, NO_YES],
] as const)('over %s', (_name, open, noApproval) => {
  let place: Place;
  beforeAll(async () => {
    place = await open();
  });
  afterAll(() => place.close());

  let count = 0;
  /** A model asked to take a machine off, and waits. */
  async function waiting(): Promise<{ hostname: string; id: string }> {
    const { app } = place;
    const hostname = `asked-${++count}`;
    await app.invoke('register_endpoint', { hostname, collector: 'local' }, assistant('admin'));
    const input = { hostname };
    const request = {
      kind: 'tool' as const,
      tool: 'deregister_endpoint',
      input,
      hostname,
      alertId: null,
      subjectId: null,
    };
    const question = `Take ${hostname} off?`;
    const { id } = await requestApproval(app.ports, { ...request, question, plan: {} }, assistant('operator'));
    return { hostname, id };
  }
  const isWatched = async (hostname: string) => (await place.app.ports.store.endpoints.get(hostname)) !== null;

  async function decide(client: Client, approval_id: string, decision = 'approve') {
    await place.connect(client);
    return callTool(client, 'decide_approval', { approval_id, decision });
  }

  test('a ticked yes decides, in the name of the person, and the call is carried out', async () => {
    const { hostname, id } = await waiting();
    const { client, questions } = clientThatAnswers({ action: 'accept', content: { confirm: true } });
    const answer = await decide(client, id);
    expect(questions).toEqual([expect.stringContaining(`Take ${hostname} off?`)]);
    expect(answer.structuredContent).toMatchObject({
      approval: {
        status: 'approved',
        answers: [{ decision: 'approve', name: expect.stringMatching(/^the person behind /) }],
      },
    });
    await expect.poll(() => isWatched(hostname), PATIENCE).toBe(false);
    await client.close();
  }, 120_000);

  test('a ticked no decides too, and nothing is carried out', async () => {
    const { hostname, id } = await waiting();
    const { client } = clientThatAnswers({ action: 'accept', content: { confirm: true } });
    const answer = await decide(client, id, 'deny');
    expect(answer.structuredContent).toMatchObject({ approval: { status: 'denied' } });
    expect(await isWatched(hostname)).toBe(true);
    await client.close();
  }, 120_000);

  test.each(noApproval)(
    '%s decides nothing',
    async (_what, create) => {
      const client = create();
      const { hostname, id } = await waiting();
      const answer = await decide(client, id);
      expect(answer.isError).toBe(true);
      expect(answer.text).toMatch(/for people only, and .+; nothing was done/);
      expect(await place.app.ports.store.approvals.get(id)).toMatchObject({ status: 'pending', answers: [] });
      expect(await isWatched(hostname)).toBe(true);
      await client.close();
    },
    120_000,
  );
});
