/** The contract with models: which tools there are, their schemas, and what the list costs to read. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Tiktoken } from 'js-tiktoken/lite';
import o200k from 'js-tiktoken/ranks/o200k_base';
import { describe, expect, test } from 'vitest';
import { describeTool, offeredTools } from '../../mcp/catalogue.ts';
import { readToolsets, readView } from '../../mcp/view.ts';
import { callTextFor } from '../../src/core/callText.ts';
import { TOOLSETS } from '../../src/core/tool.ts';
import { TOOLS } from '../../src/core/tools/index.ts';
import { MODEL_TASKS } from '../../src/core/tools/modelGuide.ts';
import { assistant } from '../helpers/mcpClient.ts';

const callText = callTextFor(TOOLS, 'mcp');
const everything = TOOLS.filter(({ hiddenFrom }) => !hiddenFrom?.includes('mcp'));
const catalogue = everything.map((tool) => describeTool(tool, callText, { structured: false }));
const usual = offeredTools(TOOLS, assistant('admin'), { toolsets: [] });

/** The encoding of OpenAI's present models; the other vendors publish none, and count within a tenth of it. */
const encoding = new Tiktoken(o200k);
const tokens = (value: unknown) => encoding.encode(JSON.stringify(value)).length;

describe('the catalogue', () => {
  test('has names that are unique and read as verb_noun', () => {
    const names = TOOLS.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names.filter((name) => !/^[a-z]+(_[a-z]+)+$/.test(name))).toEqual([]);
  });

  test.each(catalogue)('$name keeps its contract', async (tool) => {
    await expect(`${JSON.stringify(tool, null, 2)}\n`).toMatchFileSnapshot(`__snapshots__/${tool.name}.json`);
  });

  test('is all that is kept of contracts', () => {
    const kept = readdirSync(join(import.meta.dirname, '__snapshots__')).map((file) => file.replace(/\.json$/, ''));
    expect(kept.toSorted()).toEqual(catalogue.map(({ name }) => name).toSorted());
  });

  test('says of every tool whether it only reads and whether it destroys', () => {
    for (const [index, { annotations }] of catalogue.entries()) {
      const effect = TOOLS.find(({ name }) => name === catalogue[index]?.name)?.effect;
      expect(annotations).toMatchObject({ readOnlyHint: effect === 'read', openWorldHint: false });
      expect(annotations?.destructiveHint).toBe(effect === 'read' ? undefined : effect === 'destructive');
    }
  });

  test('holds no tool that issues or renews what opens a door', () => {
    const issuing = ['create_enrolment', 'enrol_machine', 'renew_agent_token', 'create_api_key', 'import_endpoints'];
    expect(TOOLS.map(({ name }) => name)).toEqual(expect.arrayContaining(issuing));
    expect(catalogue.filter(({ name }) => issuing.includes(name))).toEqual([]);
  });

  test('describes every tool in a sentence or two', () => {
    const unsaid = catalogue.filter(({ description = '' }) => description.length < 30 || description.length > 300);
    expect(unsaid.map(({ name }) => name)).toEqual([]);
  });
});

describe('what every client gets', () => {
  const listed = { tools: usual.map((tool) => describeTool(tool, callText, { structured: false })) };

  test('is at most 16 tools and 2,500 tokens, all of the list', () => {
    const whole = tokens({ jsonrpc: '2.0', id: 1, result: listed });
    const every = tokens(catalogue);
    process.stdout.write(
      `MCP: ${usual.length} tools in ${whole} tokens (o200k) for every client; all ${catalogue.length} in ${every}\n${
        process.env.SHOW_TOKENS ? listed.tools.map((tool) => `${tokens(tool)} ${tool.name}`).join('\n') : ''
      }`,
    );
    expect(usual.length).toBeLessThanOrEqual(16);
    expect(whole).toBeLessThanOrEqual(2500);
  });

  test('comes without output schemas, and with them for programs that ask', () => {
    expect(listed.tools.filter((tool) => 'outputSchema' in tool)).toEqual([]);
    const [tool] = usual;
    expect(describeTool(tool!, callText, { structured: true }).outputSchema).toMatchObject({ type: 'object' });
  });

  test('shows a model no limit that only a validator needs', () => {
    const shown = JSON.stringify(listed);
    for (const noise of ['maxLength', 'pattern', 'maximum', 'additionalProperties']) expect(shown).not.toContain(noise);
    const lists = listed.tools.filter(({ name }) => name.startsWith('list_'));
    expect(lists.filter(({ inputSchema }) => 'limit' in inputSchema.properties!)).toEqual([]);
  });
});

describe('toolsets', () => {
  test('each brings something', () => {
    const sets = new Set(everything.map(({ toolset }) => toolset));
    expect(TOOLSETS.filter((name) => !sets.has(name))).toEqual([]);
  });

  test('are asked for by name', () => {
    const names = (query: string) =>
      offeredTools(TOOLS, assistant('admin'), readView(new URLSearchParams(query), [])).map(({ name }) => name);
    expect(names('')).toEqual(usual.map(({ name }) => name));
    expect(names('toolsets=Surveys,audit')).toEqual(expect.arrayContaining(['get_feedback_summary', 'list_audit']));
    expect(names('toolsets=surveys')).not.toContain('list_audit');
    expect(names('toolsets=all').length).toBe(
      everything.filter((tool) => offeredTools([tool], assistant('admin'), { toolsets: 'all' }).length > 0).length,
    );
    expect(readView(new URLSearchParams('structured=1'), ['audit'])).toEqual({ toolsets: ['audit'], structured: true });
  });

  test('that do not exist are refused with those that do', () => {
    expect(() => readToolsets(['survey'])).toThrow(/no toolset survey; there are: machines, alerts/);
  });
});

test('prompts name only tools that exist', () => {
  const named = MODEL_TASKS.flatMap(({ steps }) => steps.map(({ tool }) => tool));
  const known = TOOLS.map(({ name }) => name);
  expect(named.filter((name) => !known.includes(name))).toEqual([]);
  expect(MODEL_TASKS.filter(({ description }) => description === '')).toEqual([]);
});
