/** Registers machines, one or thousands: each row is checked, compared with what is registered, tested if asked, and then all of it is kept in one step. */
import type { z } from 'zod';
import type { Endpoint, EndpointRegistration } from '../../domain/fleet/endpoint.ts';
import type { Snapshot } from '../../domain/signals/telemetry.ts';
import { inputProblem } from '../commands/inputProblems.ts';
import { createLimiter } from '../concurrency/limiter.ts';
import { AppError } from '../errors.ts';
import type { Ports } from '../ports/ports.ts';
import { type ConnectionTest, keepFirstScan, presentConnectionTest, testConnection } from './connectionTest.ts';
import {
  checkRegistration,
  type GivenRegistration,
  keepSource,
  newRegistration,
  registrationSchema,
} from './newRegistration.ts';
import { registrationOf } from './registrationInput.ts';

/** What became of one row; `skipped`: it was right, but another row was not and all or none were asked for. */
export const ROW_OUTCOMES = ['registered', 'updated', 'unchanged', 'refused', 'skipped'] as const;
export type RowOutcome = (typeof ROW_OUTCOMES)[number];

interface GivenRow {
  /** Line of a file, or place in a list from 1 on. */
  line: number;
  input: unknown;
}

export interface RowResult {
  line: number;
  hostname: string | null;
  outcome: RowOutcome;
  /** Why it was refused; null otherwise. */
  problem: string | null;
  /** What an update changes, as `persona general → developer`. */
  changes: string[];
  endpoint: Endpoint | null;
  /** The token of a machine that reports by itself, told this once. */
  token: string | null;
  test: ConnectionTest | null;
}

interface RegisterOptions {
  /** `all`: nothing is kept while one row is refused; `each`: the right ones are. */
  mode: 'all' | 'each';
  /** Whether a machine that is registered already is changed; otherwise its row is refused. */
  update: boolean;
  /** Scans each new machine at once. */
  test: boolean;
  dryRun: boolean;
  signal: AbortSignal;
}

interface Plan {
  line: number;
  hostname: string;
  registration: EndpointRegistration;
  existing: Endpoint | null;
  changes: string[];
  snapshot: Snapshot | null;
}

type Checked = { line: number; hostname: string; fields: GivenRegistration };

/** Never throws for what a row holds: that is its result. */
export async function registerAll(
  ports: Ports,
  rows: readonly GivenRow[],
  options: RegisterOptions,
): Promise<RowResult[]> {
  const now = ports.clock.now();
  const results = new Map<number, RowResult>();
  const refuse = (line: number, hostname: string | null, problem: string) =>
    void results.set(line, { ...NOTHING, line, hostname, outcome: 'refused', problem });

  const checked = check(rows, refuse);
  const existing = await existingOf(ports, checked);
  const plans = checked.flatMap((row): Plan[] => {
    try {
      return [plan(row, existing.get(row.hostname) ?? null, options.update)];
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      refuse(row.line, row.hostname, error.message);
      return [];
    }
  });
  if (options.test) await testAll(ports, plans, options.signal);

  const keepNone = options.dryRun || (options.mode === 'all' && results.size > 0);
  const kept = keepNone ? new Map<number, Kept>() : await keep(ports, plans, now);
  for (const { line, hostname, changes, existing: before, snapshot } of plans) {
    const outcome = before === null ? 'registered' : changes.length > 0 ? 'updated' : 'unchanged';
    results.set(line, {
      ...NOTHING,
      line,
      hostname,
      outcome: keepNone && !options.dryRun ? 'skipped' : outcome,
      changes,
      endpoint: kept.get(line)?.endpoint ?? before,
      token: kept.get(line)?.token ?? null,
      test: snapshot && presentConnectionTest(snapshot),
    });
  }
  return rows.map(({ line }) => results.get(line)).filter((result) => result !== undefined);
}

const NOTHING = {
  problem: null,
  changes: [],
  endpoint: null,
  token: null,
  test: null,
} as const satisfies Partial<RowResult> as Omit<RowResult, 'line' | 'hostname' | 'outcome'>;

function check(
  rows: readonly GivenRow[],
  refuse: (line: number, hostname: string | null, problem: string) => void,
): Checked[] {
  const firstLine = new Map<string, number>();
  return rows.flatMap(({ line, input }): Checked[] => {
    const parsed = registrationSchema.safeParse(input);
    const given = (input as { hostname?: unknown } | null)?.hostname;
    if (!parsed.success) {
      refuse(line, typeof given === 'string' ? given : null, problemsOf(parsed.error.issues));
      return [];
    }
    const { hostname } = parsed.data;
    const earlier = firstLine.get(hostname);
    if (earlier !== undefined) {
      refuse(line, hostname, `${hostname} stands in line ${earlier} already`);
      return [];
    }
    firstLine.set(hostname, line);
    return [{ line, hostname, fields: parsed.data }];
  });
}

function problemsOf(issues: readonly z.core.$ZodIssue[]): string {
  return issues.map((issue) => `${issue.path.join('.') || 'the row'}: ${inputProblem(issue)}`).join('; ');
}

async function existingOf({ store }: Ports, rows: readonly Checked[]): Promise<Map<string, Endpoint>> {
  const endpoints = await store.endpoints.byHostnames(rows.map(({ hostname }) => hostname));
  return new Map(endpoints.map((endpoint) => [endpoint.hostname, endpoint]));
}

/** @throws AppError for a row that cannot be kept */
function plan({ line, hostname, fields }: Checked, existing: Endpoint | null, update: boolean): Plan {
  if (existing === null)
    return { line, hostname, registration: newRegistration(fields), existing, changes: [], snapshot: null };
  if (!update) throw new AppError('conflict', `${hostname} is registered already; ask for an update to change it.`);
  const patch = registrationOf(fields);
  if (patch.options) patch.options = { ...existing.options, ...patch.options };
  if (patch.tags) patch.tags = { ...existing.tags, ...patch.tags };
  if (patch.collector && (patch.collector === 'push') !== (existing.collector === 'push'))
    throw new AppError('refused', `${hostname} cannot change between push and the other collectors.`);
  keepSource(existing, patch);
  const registration = { ...existing, ...patch };
  checkRegistration(registration);
  const changes = Object.entries(patch).flatMap(([field, value]) => {
    const [before, after] = [existing[field as keyof EndpointRegistration], value].map(textOf);
    return before === after ? [] : [`${snakeCase(field)} ${before} → ${after}`];
  });
  return { line, hostname, registration, existing, changes, snapshot: null };
}

function textOf(value: unknown): string {
  if (value === null || value === undefined) return 'none';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** Machines that report by themselves have nothing to answer with. */
async function testAll(ports: Ports, plans: Plan[], signal: AbortSignal): Promise<void> {
  const limit = createLimiter(ports.settings.scanConcurrency);
  const tested = plans.filter(({ registration, existing }) => existing === null && registration.collector !== 'push');
  await Promise.all(
    tested.map((plan) =>
      limit(async () => {
        plan.snapshot = await testConnection(ports, plan.registration, signal);
      }),
    ),
  );
}

interface Kept {
  endpoint: Endpoint;
  token: string | null;
}

/** In one transaction, so that a list is never half registered; @returns what was kept by line */
async function keep(ports: Ports, plans: readonly Plan[], now: Date): Promise<Map<number, Kept>> {
  const added = plans.filter(({ existing }) => existing === null);
  const changed = plans.filter(({ existing, changes }) => existing !== null && changes.length > 0);
  const secrets = added.map(({ registration }) => (registration.collector === 'push' ? ports.tokens.issue() : null));
  const kept = new Map<number, Kept>();
  await ports.store.transaction(async (store) => {
    const endpoints = await store.endpoints.registerAll(
      added.map(({ registration }, at) => ({ ...registration, agentTokenDigest: secrets[at]?.digest ?? null })),
      now,
    );
    for (const [at, endpoint] of endpoints.entries())
      kept.set((added[at] as Plan).line, { endpoint, token: secrets[at]?.token ?? null });
    const updated = changed.map(({ existing, registration }) => ({ ...(existing as Endpoint), ...registration }));
    await store.endpoints.updateAll(updated, now);
    for (const [at, endpoint] of updated.entries())
      kept.set((changed[at] as Plan).line, { endpoint: { ...endpoint, updatedAt: now }, token: null });
    await store.unknownHosts.forget(added.map(({ hostname }) => hostname));
  });
  for (const { line, snapshot } of added) {
    const one = kept.get(line);
    if (one && snapshot) one.endpoint = await keepFirstScan(ports, one.endpoint, snapshot);
  }
  return kept;
}
