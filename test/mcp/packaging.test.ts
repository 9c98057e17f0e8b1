/** What is published of the MCP interface: each file by its format, and the bundle's bridge before a real service. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { McpbManifestSchema } from '@anthropic-ai/mcpb/schemas/0.3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { TOOLS } from '../../src/core/tools/index.ts';
import { machines } from '../helpers/machines.ts';
import { API_KEY, startTestService, type TestService } from '../helpers/service.ts';

const ROOT = join(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const json = (path: string) => JSON.parse(read(path));
const { version } = json('package.json');

describe('what is published', () => {
  test('is of one version', () => {
    const files = ['mcp/server.json', 'mcp/bundle/manifest.json', 'mcp/plugin/.claude-plugin/plugin.json'];
    expect(files.map((file) => json(file).version)).toEqual(files.map(() => version));
  });

  test('the bundle has a valid manifest, whose program is there', () => {
    const manifest = json('mcp/bundle/manifest.json');
    expect(McpbManifestSchema.safeParse(manifest).error).toBeUndefined();
    expect(read(join('mcp/bundle', manifest.server.entry_point))).toContain('process.stdin');
    expect(manifest.user_config.api_key.sensitive).toBe(true);
  });

  test('the entry for the registry names a remote with a secret key, within the limits of the registry', () => {
    const entry = json('mcp/server.json');
    expect(entry.name).toMatch(/^[a-z0-9.-]+\/[a-z0-9._-]+$/i);
    expect(entry.description.length).toBeLessThanOrEqual(100);
    const [remote] = entry.remotes;
    expect(remote).toMatchObject({ type: 'streamable-http', url: expect.stringMatching(/^https:\/\/\{host\}\/mcp$/) });
    expect(Object.keys(remote.variables)).toEqual(['host']);
    expect(remote.headers).toMatchObject([{ name: 'Authorization', isSecret: true }]);
  });

  test.each(['triage', 'weekly-report'])(
    'the skill %s says when it is used, and names tools that there are',
    (name) => {
      const text = read(`mcp/plugin/skills/${name}/SKILL.md`);
      const [, front = '', body = ''] = text.split(/^---$/m);
      const { name: written, description } = parse(front) as { name: string; description: string };
      expect(written).toBe(name);
      expect(description.length).toBeLessThan(1024);
      const named = [...body.matchAll(/`([a-z]+(?:_[a-z]+)+)`/g)].map(([, tool]) => tool as string);
      const known = [...TOOLS.map((tool) => tool.name), ...TOOLS.flatMap(({ input }) => Object.keys(input.shape))];
      expect(named.length).toBeGreaterThan(3);
      expect(named.filter((tool) => !known.includes(tool))).toEqual([]);
    },
  );

  test('the install buttons lead to settings with the address, and to no key', () => {
    const links = [...read('mcp/README.md').matchAll(/\[Install in (?:VS Code|Cursor)\]\((\S+)\)/g)].map(
      ([, link]) => new URL(link!),
    );
    expect(links).toHaveLength(2);
    const [code, cursor] = links.map(({ searchParams }) => searchParams);
    const ofCode = JSON.parse(code!.get('config')!);
    expect(ofCode).toMatchObject({ type: 'http', url: 'http://localhost:8000/mcp' });
    expect(ofCode.headers.Authorization).toBe(`Bearer \${input:${JSON.parse(code!.get('inputs')!)[0].id}}`);
    expect(JSON.parse(Buffer.from(cursor!.get('config')!, 'base64').toString())).toEqual({
      url: 'http://localhost:8000/mcp',
      headers: { Authorization: expect.stringContaining('{env:DEXOPS_API_KEY}') },
    });
  });

  test('the plugin reaches the service by the key of its person', () => {
    expect(json('mcp/plugin/.mcp.json').mcpServers.dexops).toMatchObject({
      type: 'http',
      headers: { Authorization: expect.stringContaining('DEXOPS_API_KEY') },
    });
  });
});

describe('the bridge', () => {
  let service: TestService;
  beforeAll(async () => {
    service = await startTestService({}, { collector: machines(new Map()) });
  });
  afterAll(() => service.stop());

  /** Starts the bundle's program, sends lines, and gives the answers by id. */
  async function bridge(env: Record<string, string>, messages: object[], wanted: number) {
    const child = spawn(process.execPath, [join(ROOT, 'mcp/bundle/server/index.mjs')], { env });
    const answers: any[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    createInterface({ input: child.stdout }).on('line', (line) => {
      answers.push(JSON.parse(line));
      if (answers.length === wanted) resolve();
    });
    for (const message of messages) child.stdin.write(`${JSON.stringify(message)}\n`);
    await promise;
    const ended = new Promise((done) => child.on('exit', done));
    child.stdin.end();
    expect(await ended).toBe(0);
    return new Map(answers.map((answer) => [answer.id, answer]));
  }

  const INITIALIZE = {
    jsonrpc: '2.0',
    id: 1,
    method: 'initialize',
    params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'raw', version: '1' } },
  };

  test('carries the introduction, a list and a call, in whatever haste they come', async () => {
    const answers = await bridge(
      { DEXOPS_URL: `${service.url}/mcp`, DEXOPS_API_KEY: API_KEY },
      [
        INITIALIZE,
        { jsonrpc: '2.0', method: 'notifications/initialized' },
        { jsonrpc: '2.0', id: 2, method: 'tools/list' },
        { jsonrpc: '2.0', id: 3, method: 'tools/call', params: { name: 'get_fleet', arguments: {} } },
      ],
      3,
    );
    expect(answers.get(1).result.serverInfo.name).toBe('dexops');
    expect(answers.get(2).result.tools.length).toBeGreaterThan(10);
    expect(answers.get(3).result.content[0].text).toMatch(/^0 endpoints/);
  });

  test.each([
    ['a wrong key', (url: string) => ({ DEXOPS_URL: `${url}/mcp`, DEXOPS_API_KEY: 'wrong' }), /Check the API key/],
    ['a service that is not there', () => ({ DEXOPS_URL: 'http://127.0.0.1:9/mcp' }), /does not answer/],
  ])('says what is wrong with %s', async (_what, env, words) => {
    const answers = await bridge(env(service.url), [INITIALIZE], 1);
    expect(answers.get(1).error.message).toMatch(words);
  });
});
