/** Tools that register machines: one, up to a hundred at once, or a whole list of them. */
import { z } from 'zod';
import type { Actor } from '../../actor.ts';
import { visibleLine } from '../../characters.ts';
import { AppError } from '../../errors.ts';
import { presentIdentified } from '../../fleet/identified.ts';
import {
  connectionTestLine,
  connectionTestShape,
  keepFirstScan,
  presentConnectionTest,
  testConnection,
} from '../../registration/connectionTest.ts';
import { newRegistration, registrationSchema } from '../../registration/newRegistration.ts';
import { ROW_OUTCOMES, type RowOutcome, type RowResult, registerAll } from '../../registration/registering.ts';
import { registrationRow } from '../../registration/registrationRow.ts';
import { identifiedEndpointShape } from '../../shapes.ts';
import { defineTool } from '../../tool.ts';

const testInput = z
  .boolean()
  .optional()
  .describe(
    'Scan it at once and answer what was found, or why nothing was; people who type get that unless they say no',
  );
const dryRunInput = z.boolean().default(false).describe('Only check and test');

/** Who types waits for one machine and wants to see it answer; programs register many and ask for it. */
function wantsTest(test: boolean | undefined, { kind, via }: Actor): boolean {
  return test ?? (kind === 'human' && (via === 'cli' || via === 'slack'));
}

/** What a model reads goes into its transcript, and from there anywhere. @throws AppError `refused` */
function requirePerson({ via }: Actor): void {
  if (via !== 'mcp' && via !== 'planner') return;
  throw new AppError(
    'refused',
    "A machine that reports by itself (collector push) gets an agent's token, which only people are shown. A person registers it in Slack or on the command line, or the machine enrols itself.",
  );
}

export const registerEndpoint = defineTool({
  name: 'register_endpoint',
  namesMachines: true,
  title: 'Register an endpoint',
  effect: 'write',
  reach: 'fleet',
  toolset: 'machines',
  description:
    'Add a machine to watch. A push endpoint gets a token, shown only in this answer, for its agent. Scan it next with {scan_endpoint}.',
  http: { method: 'POST', path: '/api/v1/dex/endpoints', status: 201 },
  command: {
    name: 'register',
    args: ['hostname', 'ip_address'],
    example: 'register dev-machine-01 10.0.1.42 --collector ssh --username dexops',
  },
  input: registrationSchema.extend({ test: testInput, dry_run: dryRunInput }),
  output: z.object({
    ok: z.literal(true),
    /** Null after a dry run. */
    endpoint: identifiedEndpointShape.nullable(),
    token: z.string().optional(),
    test: connectionTestShape.nullable(),
  }),
  async run({ test, dry_run, ...input }, { ports, actor, now, signal }) {
    const registration = newRegistration(input);
    const reports = registration.collector === 'push';
    if (reports) requirePerson(actor);
    const wanted = dry_run ? test !== false : wantsTest(test, actor);
    if (dry_run && (await ports.store.endpoints.get(registration.hostname)))
      throw new AppError('conflict', `${registration.hostname} is registered already.`);
    const snapshot = wanted && !reports ? await testConnection(ports, registration, signal) : null;
    const tested = snapshot && presentConnectionTest(snapshot);
    if (dry_run) return { ok: true as const, endpoint: null, test: tested };
    const secret = reports ? ports.tokens.issue() : null;
    const registered = await ports.store.endpoints.register(registration, secret?.digest ?? null, now);
    await ports.store.unknownHosts.forget([registered.hostname]);
    const endpoint = snapshot ? await keepFirstScan(ports, registered, snapshot) : registered;
    return {
      ok: true as const,
      endpoint: await presentIdentified(ports, endpoint, ports.clock.now()),
      test: tested,
      ...(secret && { token: secret.token }),
    };
  },
  summary({ endpoint, token, test }) {
    const tested = test === null ? [] : [connectionTestLine(test)];
    if (endpoint === null) return ['Nothing was registered, as asked.', ...tested].join('\n');
    const { hostname, persona, criticality_tier, collector, warnings } = endpoint;
    return [
      `${hostname} is registered (${persona}, tier ${criticality_tier}, collector ${collector}).`,
      ...warnings.map((warning) => `Note: ${warning}`),
      ...tested,
      ...(token ? [`Its agent's token, shown only now: ${token}`] : []),
      ...(endpoint.score === null ? [] : [`Its first score is ${endpoint.score} of 100.`]),
      ...(token || test?.reachable ? [] : [`Next: scan ${hostname}`]),
    ].join('\n');
  },
});

const resultShape = z.object({
  /** Line of the list, or place in it. */
  line: z.number().int(),
  hostname: z.string().nullable(),
  outcome: z.enum(ROW_OUTCOMES),
  problem: z.string().nullable(),
  changes: z.array(z.string()),
  endpoint_id: z.number().int().nullable(),
  score: z.number().nullable(),
  token: z.string().optional(),
  test: connectionTestShape.nullable(),
});

const countsShape = z.object({
  registered: z.number().int(),
  updated: z.number().int(),
  unchanged: z.number().int(),
  refused: z.number().int(),
  skipped: z.number().int(),
});

const reportShape = { ok: z.boolean(), dry_run: z.boolean(), counts: countsShape, results: z.array(resultShape) };
type Report = z.output<z.ZodObject<typeof reportShape>>;

const modeInput = (initial: 'all' | 'each') =>
  z.enum(['all', 'each']).default(initial).describe('all: none is registered while one is refused');

function presentReport(results: readonly RowResult[], dryRun: boolean): Report {
  const count = (outcome: RowOutcome) => results.filter((result) => result.outcome === outcome).length;
  const counts = Object.fromEntries(ROW_OUTCOMES.map((outcome) => [outcome, count(outcome)])) as Report['counts'];
  return {
    ok: counts.refused === 0,
    dry_run: dryRun,
    counts,
    results: results.map(({ line, hostname, outcome, problem, changes, endpoint, token, test }) => ({
      line,
      hostname,
      outcome,
      problem,
      changes,
      endpoint_id: endpoint?.id ?? null,
      score: endpoint?.score ?? null,
      ...(token !== null && { token }),
      test,
    })),
  };
}

/** Lines of one outcome that a text shows; the rest is counted, and stands in the JSON. */
const MOST_LINES: Record<RowOutcome, number> = { refused: 100, updated: 50, registered: 20, unchanged: 0, skipped: 0 };

function reportText({ dry_run, counts, results }: Report, called: 'Line' | 'Machine'): string {
  const verb = dry_run ? ' would be' : '';
  const parts = [
    `${counts.registered}${verb} registered`,
    `${counts.updated}${verb} updated`,
    `${counts.unchanged} unchanged`,
    `${counts.refused} refused`,
    ...(counts.skipped > 0 ? [`${counts.skipped} right but skipped, because others were refused`] : []),
  ];
  const lines = (['refused', 'updated', 'registered'] as const).flatMap((outcome) => {
    const those = results.filter((result) => result.outcome === outcome);
    const shown = those
      .slice(0, MOST_LINES[outcome])
      .map((result) => `${called} ${result.line}: ${resultText(result)}`);
    return those.length > shown.length ? [...shown, `… and ${those.length - shown.length} more ${outcome}`] : shown;
  });
  return [`${parts.join(', ')}.`, ...lines].join('\n');
}

function resultText({ hostname, outcome, problem, changes, token, test, score }: Report['results'][number]): string {
  const name = hostname === null ? '' : visibleLine(hostname).slice(0, 253);
  if (outcome === 'refused') return name === '' || problem?.startsWith(name) ? `${problem}` : `${name}: ${problem}`;
  return [
    `${name} ${outcome === 'updated' ? changes.join(', ') : outcome}`,
    ...(score === null || test === null ? [] : [`score ${score}`]),
    ...(test === null ? [] : [connectionTestLine(test)]),
    ...(token ? [`token ${token}`] : []),
  ].join('; ');
}

const MOST_AT_ONCE = 100;

export const registerEndpoints = defineTool({
  name: 'register_endpoints',
  namesMachines: true,
  title: 'Register several endpoints',
  effect: 'write',
  reach: 'fleet',
  description:
    'Add up to 100 machines at once. Each is a hostname, or an object with the fields of {register_endpoint}; update changes those there are.',
  http: { method: 'POST', path: '/api/v1/dex/endpoints/batch' },
  command: {
    name: 'register-many',
    args: ['endpoints'],
    example: 'register-many pc-1,pc-2,pc-3 --defaults collector=ssh,username=dexops',
  },
  input: z.strictObject({
    endpoints: z
      .array(z.union([z.string(), z.record(z.string(), z.unknown())]))
      .min(1)
      .max(MOST_AT_ONCE),
    defaults: z.record(z.string(), z.unknown()).optional().describe('Fields of all'),
    mode: modeInput('all'),
    update: z.boolean().default(false),
    test: testInput,
    dry_run: dryRunInput,
  }),
  output: z.object(reportShape),
  async run({ endpoints, defaults, mode, update, test, dry_run: dryRun }, { ports, actor, signal }) {
    const rows = endpoints.map((given, index) => {
      const own = typeof given === 'string' ? { hostname: given } : given;
      return { line: index + 1, ...strictRow({ ...defaults, ...own }) };
    });
    if ([defaults, ...endpoints].some((given) => typeof given === 'object' && given.collector === 'push'))
      requirePerson(actor);
    const options = { mode, update, test: wantsTest(test, actor), dryRun, signal };
    return presentReport(await registerAll(ports, rows, options), dryRun);
  },
  summary: (report) => reportText(report, 'Machine'),
  rows: ({ results }) => results,
});

/** Whoever names fields one by one hears of one that does not exist; in a list from elsewhere it is only passed over. */
function strictRow(fields: Record<string, unknown>): { input: Record<string, unknown> } {
  const { input, ignored } = registrationRow(fields);
  return { input: { ...input, ...Object.fromEntries(ignored.map((name) => [name, fields[name]])) } };
}

/** 10,000 machines with ten columns each; also what a request's body may hold. */
const MOST_TEXT = 4_000_000;

export const importEndpoints = defineTool({
  name: 'import_endpoints',
  namesMachines: true,
  title: 'Import a list of endpoints',
  effect: 'write',
  reach: 'fleet',
  hiddenFrom: ['mcp', 'planner', 'slack', 'webhook', 'agent', 'job'],
  description:
    'Register and update machines from a CSV or JSON list with a report by line. Without apply it is a dry run. Cells that are empty leave a field as it is.',
  http: { method: 'POST', path: '/api/v1/dex/endpoints/import' },
  command: { name: 'import', args: ['text'], files: ['text'], example: 'import machines.csv --apply' },
  input: z.strictObject({
    text: z.string().min(1, 'the list is empty').max(MOST_TEXT).describe('The list: CSV with a line of names, or JSON'),
    apply: z.boolean().default(false).describe('Do it; without it the report says what would be done'),
    mode: modeInput('each'),
    test: z.boolean().default(false).describe('Scan each new machine at once'),
  }),
  output: z.object({ ...reportShape, ignored_columns: z.array(z.string()) }),
  async run({ text, apply, mode, test }, { ports, signal }) {
    const list = await ports.machineLists.read(text);
    const ignored = new Set<string>();
    const rows = list.rows.map(({ line, fields }) => {
      const row = registrationRow(fields);
      for (const column of row.ignored) ignored.add(column);
      return { line, input: row.input };
    });
    const bad = list.problems.length > 0;
    const options = { mode, update: true, test, dryRun: !apply || (bad && mode === 'all'), signal };
    const results = [
      ...(await registerAll(ports, rows, options)),
      ...list.problems.map(({ line, problem }) => unreadable(line, problem)),
    ].sort((a, b) => a.line - b.line);
    return { ...presentReport(results, options.dryRun), ignored_columns: [...ignored] };
  },
  summary({ ignored_columns, ...report }) {
    const ignored = ignored_columns.map((column) => visibleLine(column)).join(', ');
    return [
      ...(report.dry_run ? ['A dry run: nothing was changed.'] : []),
      reportText(report, 'Line'),
      ...(ignored === '' ? [] : [`Columns that mean nothing here and were passed over: ${ignored}`]),
      ...(report.dry_run ? ['To do it, run it again with --apply.'] : []),
    ].join('\n');
  },
  rows: ({ results }) => results,
});

function unreadable(line: number, problem: string): RowResult {
  return { line, hostname: null, outcome: 'refused', problem, changes: [], endpoint: null, token: null, test: null };
}
