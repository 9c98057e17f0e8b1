/** What a tool looks like and who may call it stand in its declaration alone: no interface names a tool. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { TOOLS } from '../../src/core/tools/index.ts';

const ROOT = resolve(import.meta.dirname, '../..');

/** The lines of a folder's files by place, without comments. */
function linesBelow(dir: string): [place: string, line: string][] {
  return readdirSync(join(ROOT, dir), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .flatMap((name) =>
      readFileSync(join(ROOT, dir, name), 'utf8')
        .replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ''))
        .split('\n')
        .map((line, i): [string, string] => [`${dir}/${name}:${i + 1}`, line.replace(/(^|\s)\/\/.*$/, '')]),
    );
}

const INTERFACE_LINES = [...linesBelow('src/surfaces'), ...linesBelow('mcp')];
const found = (pattern: RegExp, lines = INTERFACE_LINES) =>
  lines.filter(([, line]) => pattern.test(line)).map(([place, line]) => `${place}: ${line.trim()}`);

describe('interfaces', () => {
  test('are read whole', () => expect(INTERFACE_LINES.length).toBeGreaterThan(2000));

  test('name no tool', () => {
    expect(found(new RegExp(`\\b(${TOOLS.map(({ name }) => name).join('|')})\\b`))).toEqual([]);
  });

  test('find no tool by its path', () => {
    expect(found(/http\??\.path\s*===/)).toEqual([]);
  });

  test('give nobody another role', () => {
    expect(found(/\.\.\.\w*(actor|caller)\b[^}]*\brole:/)).toEqual([]);
  });
});

test('a call that core offers is one of a tool that there is', () => {
  const names = new Set(TOOLS.map(({ name }) => name));
  const named = linesBelow('src/core').flatMap(([place, line]) =>
    [...line.matchAll(/\btool: '(\w+)'/g)].map(([, tool]) => ({ place, tool })),
  );
  expect(named.length).toBeGreaterThan(10);
  expect(named.filter(({ tool }) => !names.has(tool as string))).toEqual([]);
});

/** Fields that name something with an owner. */
const OWNED = ['hostname', 'alert_id', 'run_id', 'remediation_id', 'approval_id', 'owner_email'];
/** What these are about does not exist yet, or is not the machine but what somebody says of it. */
const ABOUT_NOTHING_OWNED = ['register_endpoint', 'test_endpoint', 'submit_feedback', 'answer_survey', 'rate_runbook'];

test('a tool that is about something owned says how it is found', () => {
  const silent = TOOLS.filter(({ input, subject }) => !subject && OWNED.some((field) => field in input.shape));
  expect(silent.map(({ name }) => name)).toEqual(ABOUT_NOTHING_OWNED);
});

test('each card is read by one tool, which others may show their outcome with, and no two parts of the overview stand in one place', () => {
  const cards = TOOLS.filter(({ effect }) => effect === 'read').flatMap(({ shows }) => shows?.card ?? []);
  expect(cards).toEqual([...new Set(cards)]);
  const places = TOOLS.flatMap(({ overview }) => overview?.place ?? []);
  expect(places).toEqual([...new Set(places)]);
});
