/** The contract with models: which tools there are, their schemas, and what the list costs to read. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { describeTool } from '../../mcp/tools.ts';
import { callTextFor } from '../../src/core/callText.ts';
import { TOOLS } from '../../src/core/tools/index.ts';
import { MODEL_TASKS } from '../../src/core/tools/modelGuide.ts';

const callText = callTextFor(TOOLS, 'mcp');
const catalogue = TOOLS.filter(({ hiddenFrom }) => !hiddenFrom?.includes('mcp')).map((tool) =>
  describeTool(tool, callText),
);

/** About four characters of JSON make a token. */
const tokens = (value: unknown) => Math.ceil(JSON.stringify(value).length / 4);

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

  test('stays affordable: what a model is shown, and what goes over the wire with the output schemas', () => {
    const shown = catalogue.map(({ outputSchema: _program, ...tool }) => tool);
    expect(tokens(shown)).toBeLessThan(6500);
    expect(tokens(catalogue)).toBeLessThan(20_050);
  });

  test('describes every tool in a sentence or two', () => {
    const unsaid = catalogue.filter(({ description = '' }) => description.length < 30 || description.length > 300);
    expect(unsaid.map(({ name }) => name)).toEqual([]);
  });
});

test('prompts name only tools that exist', () => {
  const named = MODEL_TASKS.flatMap(({ steps }) => steps.map(({ tool }) => tool));
  const known = TOOLS.map(({ name }) => name);
  expect(named.filter((name) => !known.includes(name))).toEqual([]);
  expect(MODEL_TASKS.filter(({ description }) => description === '')).toEqual([]);
});
