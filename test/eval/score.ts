/** Scores a finished run against what its scenario expects, the same way every time. */
import { isDeepStrictEqual } from 'node:util';
import type { PlannerResult } from '../../src/core/planner/planner.ts';
import type { Expectation } from './scenario.ts';

export interface EvalScore {
  /** Met expectations of all, 0–1. */
  score: number;
  /** The expectations that were not met, in words. */
  missed: string[];
}

export function scoreRun(result: PlannerResult, expected: Expectation): EvalScore {
  const made = result.steps.flatMap(({ calls }) => calls).filter(({ status }) => status === 'done');
  const checks: [string, boolean][] = [
    ['completed', result.status === 'completed'],
    ...expected.calls.map(({ tool, input }): [string, boolean] => [
      `called ${tool}`,
      made.some((call) => call.tool === tool && contains(call.input, input)),
    ]),
    ...expected.never.map((tool): [string, boolean] => [`never ${tool}`, !made.some((call) => call.tool === tool)]),
    ...expected.facts.map(({ about, at, equals, matches, lacks }): [string, boolean] => {
      const value = at === undefined ? result.answer : valueAt(result.answer, at);
      const words = typeof value === 'string' ? value : JSON.stringify(value ?? null);
      return [
        about,
        result.status === 'completed' &&
          (equals === undefined || isDeepStrictEqual(value, equals)) &&
          (matches === undefined || new RegExp(matches, 'i').test(words)) &&
          (lacks === undefined || !new RegExp(lacks, 'i').test(words)),
      ];
    }),
  ];
  if (expected.max_steps !== undefined) {
    checks.push([`at most ${expected.max_steps} steps`, result.steps.length <= expected.max_steps]);
  }
  const missed = checks.filter(([, met]) => !met).map(([about]) => about);
  return { score: 1 - missed.length / checks.length, missed };
}

const contains = (input: unknown, part: Record<string, unknown>) =>
  Object.entries(part).every(([key, value]) => isDeepStrictEqual(valueAt(input, key), value));

function valueAt(value: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>(
      (inner, key) =>
        inner !== null && typeof inner === 'object' && Object.hasOwn(inner, key) ? Reflect.get(inner, key) : undefined,
      value,
    );
}
