/** Every text speaks the language of the interface it is read in: no request in Slack, no command in REST, no tool name in a shell. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSync } from 'vite';
import { describe, expect, it } from 'vitest';
import { type Actor, INTERFACES, type Interface } from '../../src/core/actor.ts';
import { callTextFor, descriptionFor, withNextCalls } from '../../src/core/callText.ts';
import { readCommand, splitCommand } from '../../src/core/commands/readCommand.ts';
import { AppError } from '../../src/core/errors.ts';
import { createInvoke, jsonSchema } from '../../src/core/invoke.ts';
import type { Ports } from '../../src/core/ports/ports.ts';
import { TOOLS } from '../../src/core/tools/index.ts';

const ROOT = join(import.meta.dirname, '../..');

const REQUEST = /\/api\/v1|\b(GET|POST|PATCH|PUT|DELETE) \//;
const SLACK_COMMAND = /(^|[^\w.])\/dex\b/;
const SHELL_COMMAND = /npm run( -s)? dex\b|(^|\s)dex [a-z]/;
const TOOL_NAME = new RegExp(`\\b(${TOOLS.map(({ name }) => name).join('|')})\\b`);

/** What may not show in a text that is read in the given interface. */
const FOREIGN: Record<'rest' | 'slack' | 'cli' | 'mcp', RegExp[]> = {
  rest: [SLACK_COMMAND, SHELL_COMMAND, TOOL_NAME],
  slack: [REQUEST, SHELL_COMMAND, TOOL_NAME],
  cli: [REQUEST, SLACK_COMMAND, TOOL_NAME],
  mcp: [REQUEST, SLACK_COMMAND, SHELL_COMMAND],
};
type Spoken = keyof typeof FOREIGN;
const SPOKEN = Object.keys(FOREIGN) as Spoken[];

interface Text {
  where: string;
  text: string;
}

/** The sentences in a file: strings with a space in them, a template's values as `…`. */
function sentences(file: string): Text[] {
  const source = readFileSync(join(ROOT, file), 'utf8');
  const found: Text[] = [];
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    const { type, start, value, quasis } = node as Node;
    let text = '';
    if (type === 'Literal' && typeof value === 'string') text = value;
    else if (type === 'TemplateLiteral') text = (quasis ?? []).map((part) => part.value.cooked).join('…');
    if (text.includes(' ')) found.push({ where: `${file}:${source.slice(0, start).split('\n').length}`, text });
    Object.values(node).forEach(visit);
  };
  visit(parseSync(file, source).program);
  return found;
}

interface Node {
  type?: string;
  start?: number;
  value?: unknown;
  quasis?: { value: { cooked: string } }[];
}

function textsIn(...folders: string[]): Text[] {
  return folders
    .flatMap((folder) =>
      readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.ts'))
        .map((name) => join(folder, name)),
    )
    .flatMap(sentences);
}

function breaches(texts: Text[], foreign: RegExp[]): string[] {
  return texts
    .filter(({ text }) => foreign.some((pattern) => pattern.test(text)))
    .map(({ where, text }) => `${where}: ${text}`);
}

/** Errors that tell what to do next: `{ to, tool, input }` in the code. */
function nextTools(file: string): string[] {
  return [...readFileSync(join(ROOT, file), 'utf8').matchAll(/\bto: '[^']+',\s*tool: '(\w+)'/g)].map((it) => it[1]!);
}

describe('texts that every interface shares', () => {
  const shared = textsIn('src/core', 'src/domain', 'src/adapters');

  it('are many, so that the walk is known to see them', () => {
    expect(shared.length).toBeGreaterThan(800);
    expect(shared.some(({ text }) => text === 'No endpoint named … is registered.')).toBe(true);
  });

  it('name no request, no command and no tool: such a hint is a call that each interface writes', () => {
    const examples = new Set(TOOLS.map(({ command }) => command?.example));
    const plain = shared
      .filter(({ where, text }) => !where.startsWith('src/core/callText.ts') && !examples.has(text))
      .map(({ where, text }) => ({ where, text: text.replace(/\{[a-z_]+\}/g, '') }));
    expect(breaches(plain, [REQUEST, SLACK_COMMAND, SHELL_COMMAND, TOOL_NAME])).toEqual([]);
  });

  it('refer only to tools that there are', () => {
    const names = new Set(TOOLS.map(({ name }) => name));
    const files = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => join('src', name));
    const referred = [
      ...files.flatMap(nextTools),
      ...TOOLS.flatMap(({ description }) => [...description.matchAll(/\{([^}]*)\}/g)].map((it) => it[1]!)),
    ];
    expect(referred.length).toBeGreaterThan(8);
    expect(referred.filter((name) => !names.has(name))).toEqual([]);
  });
});

describe('texts of one interface', () => {
  it.each<[Spoken, string[]]>([
    ['rest', ['src/surfaces/http']],
    ['slack', ['src/surfaces/slack', 'src/adapters/slack']],
    ['mcp', ['mcp']],
  ])('%s', (via, folders) => {
    expect(breaches(textsIn(...folders), FOREIGN[via])).toEqual([]);
  });

  it('cli', () => {
    expect(breaches(sentences('src/surfaces/cli/commandLine.ts'), FOREIGN.cli)).toEqual([]);
  });

  it.each(SPOKEN)('%s: descriptions of tools and of their fields', (via) => {
    const callText = callTextFor(TOOLS, via);
    const texts = TOOLS.filter(({ hiddenFrom }) => !hiddenFrom?.includes(via)).flatMap((tool) => [
      { where: tool.name, text: descriptionFor(tool, callText) },
      { where: `${tool.name} title`, text: tool.title },
      ...descriptionsIn(jsonSchema(tool.input, 'input')).map((text) => ({ where: `${tool.name} input`, text })),
    ]);
    expect(texts.length).toBeGreaterThan(60);
    expect(breaches(texts, FOREIGN[via])).toEqual([]);
  });
});

describe('a call', () => {
  const hostname = 'dev-machine-01';

  it.each<[Interface, string]>([
    ['rest', 'POST /api/v1/dex/endpoints/dev-machine-01/scan'],
    ['slack', '/dex scan dev-machine-01'],
    ['cli', 'npx dex scan dev-machine-01'],
    ['mcp', 'scan_endpoint {"hostname":"dev-machine-01"}'],
    ['planner', 'scan_endpoint {"hostname":"dev-machine-01"}'],
  ])('is written for %s', (via, text) => {
    expect(callTextFor(TOOLS, via)('scan_endpoint', { hostname })).toBe(text);
  });

  it('shows what the reader has to fill in, and drops fields that the tool does not have', () => {
    expect(callTextFor(TOOLS, 'slack')('register_endpoint', { hostname })).toMatch(/^\/dex register dev-machine-01/);
    expect(callTextFor(TOOLS, 'slack')('get_run')).toBe('/dex run RUN_ID');
    expect(callTextFor(TOOLS, 'rest')('get_run')).toBe('GET /api/v1/runs/{run_id}');
    expect(callTextFor(TOOLS, 'rest')('list_runs', { kind: 'scan', nonsense: 1 })).toBe('GET /api/v1/runs?kind=scan');
  });

  it('is left out where the tool is not offered', () => {
    expect(callTextFor(TOOLS, 'planner')('cancel_run')).toBeNull();
    expect(callTextFor(TOOLS, 'rest')('no_such_tool')).toBeNull();
    const message = withNextCalls('It stands.', [{ to: 'Stop it', tool: 'cancel_run' }], callTextFor(TOOLS, 'planner'));
    expect(message).toBe('It stands.');
  });

  it.each(['slack', 'cli'] as const)('can be typed as it is written for %s', (via) => {
    const callText = callTextFor(TOOLS, via);
    const calls = {
      acknowledge_alert: { alert_id: 42, hours: 2.5 },
      resolve_alert: { alert_id: 42, reason: 'a "new" disk, in the laptop' },
      list_alerts: { severity: 'critical' },
    };
    for (const [name, input] of Object.entries(calls)) {
      const prefix = via === 'slack' ? '/dex ' : 'npx dex ';
      const written = callText(name, input)!;
      const reading = readCommand(splitCommand(written.slice(prefix.length)), TOOLS);
      expect(reading).toMatchObject({ kind: 'call', tool: { name }, input });
    }
  });
});

describe('an error of a tool', () => {
  it.each(INTERFACES)('tells in %s what to do next in that interface', async (via) => {
    const failing = {
      ...TOOLS.find(({ name }) => name === 'get_score')!,
      hiddenFrom: [],
      run: () =>
        Promise.reject(
          new AppError('not_found', 'It has no score.', null, {
            next: [{ to: 'Scan it', tool: 'scan_endpoint', input: { hostname: 'dev-machine-01' } }],
          }),
        ),
    };
    const tools = [failing, ...TOOLS.filter(({ name }) => name !== 'get_score')];
    const actor: Actor = { id: 'x', name: 'x', kind: 'human', via, role: 'admin' };
    const ports = {
      clock: { now: () => new Date(0) },
      metrics: { toolCalled: () => {} },
      tracing: { span: (_name: string, _about: unknown, work: () => unknown) => work() },
    } as unknown as Ports;
    const call = callTextFor(TOOLS, via)('scan_endpoint', { hostname: 'dev-machine-01' });
    const invoke = createInvoke(tools, ports);
    await expect(invoke('get_score', { hostname: 'dev-machine-01' }, actor)).rejects.toMatchObject({
      kind: 'not_found',
      message: call === null ? 'It has no score.' : `It has no score. Scan it: ${call}`,
    });
  });
});

function descriptionsIn(schema: unknown): string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  return Object.entries(schema).flatMap(([key, value]) =>
    key === 'description' && typeof value === 'string' ? [value] : descriptionsIn(value),
  );
}
