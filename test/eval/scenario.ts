/** An eval scenario as data: a fleet, a goal, what a good run does and says, and model traffic that does or does not. */
import { readdirSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';

const json = z.record(z.string(), z.unknown());

/** What the fleet's tools look things up in; see `fleetTools.ts`. */
const fleet = z.strictObject({
  summary: json.default({}),
  endpoints: z
    .record(
      z.string(),
      z.strictObject({
        endpoint: json.default({}),
        score: json.optional(),
        history: z.array(json).default([]),
        trends: z.array(json).default([]),
        measurements: z.record(z.string(), z.unknown()).default({}),
      }),
    )
    .default({}),
  alerts: z.array(json).default([]),
  incidents: json.default({}),
  kpis: json.default({}),
  feedback: json.default({}),
  runbooks: z.array(z.strictObject({ doc_id: z.string(), title: z.string(), excerpt: z.string() })).default([]),
});
export type Fleet = z.output<typeof fleet>;

/** Regular expressions are case-insensitive; `at` is a dotted path into the answer, left out for all of it. */
const fact = z.strictObject({
  about: z.string(),
  at: z.string().optional(),
  equals: z.unknown().optional(),
  matches: z.string().optional(),
  lacks: z.string().optional(),
});

const expectation = z.strictObject({
  /** Each must have been carried out, with at least these arguments. */
  calls: z.array(z.strictObject({ tool: z.string(), input: json.default({}) })),
  /** None of these may have been carried out. */
  never: z.array(z.string()).default([]),
  max_steps: z.number().int().optional(),
  facts: z.array(fact).min(1),
});
export type Expectation = z.output<typeof expectation>;

const scenario = z.strictObject({
  name: z.string(),
  profile: z.string(),
  goal: z.string(),
  context: json.default({}),
  fleet,
  expect: expectation,
  recordings: z
    .array(
      z.strictObject({
        name: z.string(),
        /** What the scorer must say it missed, word for word; empty for a run that is as it should be. */
        misses: z.array(z.string()),
        replies: z.array(
          z.strictObject({
            text: z.string().default(''),
            answer: json.optional(),
            calls: z.array(z.strictObject({ tool: z.string(), input: json.default({}) })).default([]),
          }),
        ),
      }),
    )
    .min(2),
});
export type Scenario = z.output<typeof scenario>;

export function loadScenarios(): Scenario[] {
  const folder = new URL('./scenarios/', import.meta.url);
  return readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .sort()
    .map((name) => scenario.parse(parse(readFileSync(new URL(name, folder), 'utf8'))));
}
