/** Tools that read scores: one endpoint's, its history, and the fleet's. */
import { z } from 'zod';
import { endpointState, hasVerdict, PERSONAS } from '../../../domain/fleet/endpoint.ts';
import { round1 } from '../../../domain/scores/score.ts';
import type { ChartSpec } from '../../chart.ts';
import { AppError } from '../../errors.ts';
import type { FleetRow } from '../../ports/endpointPorts.ts';
import { iso, presentEndpoint, presentScore } from '../../present.ts';
import { requireEndpoint } from '../../scans/scanning.ts';
import { staleBefore } from '../../scores/staleness.ts';
import { componentsShape, endpointShape, hostnameInput, scoreShape, timestamp } from '../../shapes.ts';
import { machineSubject } from '../../subjects.ts';
import { defineTool } from '../../tool.ts';

export const getScore = defineTool({
  name: 'get_score',
  title: 'Show a score',
  effect: 'read',
  subject: machineSubject,
  description:
    'The latest DEX score of a machine (0–100) with its components, what lowered it and what would raise it most.',
  http: { method: 'GET', path: '/api/v1/dex/endpoints/:hostname/score' },
  command: { name: 'score', args: ['hostname'], everydayFor: ['employees', 'staff'], example: 'score dev-machine-01' },
  input: z.strictObject({ hostname: hostnameInput }),
  output: scoreShape,
  async run({ hostname: host }, { ports, now }) {
    const endpoint = await requireEndpoint(ports, host);
    const { hostname } = endpoint;
    const score = await ports.store.scores.latest(endpoint.id);
    if (!score) {
      const why = endpoint.unreachableReason
        ? `it could not be reached at the last scan: ${endpoint.unreachableReason}`
        : 'it has not been scanned yet';
      throw new AppError(
        'not_found',
        `${hostname} has no score: ${why}.`,
        { hostname },
        { next: [{ to: 'Scan it', tool: 'scan_endpoint', input: { hostname } }] },
      );
    }
    return presentScore(score, hostname, endpointState(endpoint, now, ports.settings.scanIntervalMs) === 'stale');
  },
  summary: scoreText,
  shows: { card: 'score', by: 'hostname' },
  related: ({ hostname }) => [
    { id: 'rescan', label: 'Scan again', tool: 'scan_endpoint', input: { hostname } },
    { id: 'history', label: 'History', tool: 'get_score_history', input: { hostname } },
  ],
  illustration: ({ hostname }) => ({ tool: 'get_score_history', input: { hostname } }),
  resource: {
    uri: 'dexops://endpoints/{hostname}/score',
    name: 'score',
    title: 'Score',
    description: 'The latest score of a machine with its reasons.',
    mimeType: 'application/json',
  },
});

const historyPoint = z.object({
  score: z.number(),
  components: componentsShape,
  scored_at: timestamp,
  /** Set where single scans are kept no more: the point is the mean of the hour that begins then. */
  hourly: z.object({ lowest: z.number(), highest: z.number(), scans: z.number().int() }).nullable(),
});
type HistoryPoint = z.output<typeof historyPoint>;

export const getScoreHistory = defineTool({
  name: 'get_score_history',
  title: 'Show the history of a score',
  effect: 'read',
  subject: machineSubject,
  description:
    'Past scores of a machine, newest first; 96 are a day at the default interval, older ones are hourly means. Comes with a chart.',
  http: { method: 'GET', path: '/api/v1/dex/endpoints/:hostname/history' },
  command: { name: 'history', args: ['hostname'], example: 'history dev-machine-01 --limit 96' },
  input: z.strictObject({
    hostname: hostnameInput,
    limit: z.coerce.number().int().min(1).max(2000).default(96),
    before: timestamp.optional().describe('Only older ones'),
  }),
  output: z.object({ hostname: z.string(), history: z.array(historyPoint), count: z.number().int() }),
  async run({ hostname: host, limit, before }, { ports }) {
    const endpoint = await requireEndpoint(ports, host);
    const { hostname } = endpoint;
    const points = await ports.store.scores.history(
      endpoint.id,
      limit,
      before === undefined ? undefined : new Date(before),
    );
    const history = points.map(({ scoredAt, ...point }) => ({ ...point, scored_at: iso(scoredAt) }));
    return { hostname, history, count: history.length };
  },
  summary: ({ hostname, history }) => {
    const [latest] = history;
    if (!latest) return `${hostname} has no scores from then.`;
    const values = history.map(({ score }) => score).toReversed();
    return `${hostname}: ${sparkline(values)} ${historyText(latest, history)}.`;
  },
  chart: ({ hostname, history }) => historyChart(hostname, history),
  resource: {
    uri: 'dexops://endpoints/{hostname}/history',
    name: 'score_history',
    title: 'Score history',
    description: 'The last 96 scores of a machine.',
    mimeType: 'application/json',
  },
});

export const getFleet = defineTool({
  name: 'get_fleet',
  title: 'Show the fleet',
  effect: 'read',
  description:
    'The whole fleet at a glance: how many are healthy, at risk and critical, the average score and the worst machines.',
  http: { method: 'GET', path: '/api/v1/dex/fleet' },
  command: { name: 'fleet', args: [], everydayFor: ['staff'], example: 'fleet' },
  input: z.strictObject({
    worst: z.coerce.number().int().min(0).max(50).default(5).describe('How many of the worst to list'),
  }),
  output: z.object({
    total: z.number().int(),
    scored: z.number().int(),
    healthy: z.number().int(),
    at_risk: z.number().int(),
    critical: z.number().int(),
    unknown: z.number().int(),
    unreachable: z.number().int(),
    stale: z.number().int(),
    avg_score: z.number().nullable(),
    worst: z.array(endpointShape),
    by_persona: z.record(
      z.string(),
      z.object({ total: z.number().int(), scored: z.number().int(), avg_score: z.number().nullable() }),
    ),
    computed_at: timestamp,
  }),
  async run({ worst }, { ports, now }) {
    const { endpoints } = ports.store;
    const [rows, stale, lowest] = await Promise.all([
      endpoints.fleet(),
      endpoints.countStale(staleBefore(ports, now)),
      endpoints.worst(worst),
    ]);
    const count = (status: string) => sum(rows.filter((row) => row.status === status).map((row) => row.endpoints));
    return {
      ...totals(rows),
      healthy: count('healthy'),
      at_risk: count('at_risk'),
      critical: count('critical'),
      unknown: count('unknown'),
      unreachable: count('unreachable'),
      stale,
      worst: lowest.map((endpoint) => presentEndpoint(endpoint, now, ports.settings.scanIntervalMs)),
      by_persona: Object.fromEntries(
        PERSONAS.map((persona) => [persona, totals(rows.filter((row) => row.persona === persona))] as const).filter(
          ([, { total }]) => total > 0,
        ),
      ),
      computed_at: iso(now),
    };
  },
  summary: (fleet) =>
    [
      fleetLine(fleet),
      ...fleet.worst
        .filter(({ score_status }) => score_status !== 'healthy')
        .map(({ hostname, score, score_status }) => `${hostname}: ${score} (${score_status})`),
    ].join('\n'),
  chart: (fleet) => ({
    kind: 'bars',
    title: 'Fleet by status',
    alt: `${fleet.healthy} endpoints healthy, ${fleet.at_risk} at risk, ${fleet.critical} critical, ${fleet.unreachable} not reachable, ${fleet.unknown} unknown`,
    xTitle: 'Endpoints',
    bars: [
      { name: 'healthy', value: fleet.healthy },
      { name: 'at risk', value: fleet.at_risk },
      { name: 'critical', value: fleet.critical },
      { name: 'unknown', value: fleet.unknown },
      { name: 'not reachable', value: fleet.unreachable },
    ],
  }),
  shows: { card: 'fleet' },
  overview: {
    place: 1,
    parts(fleet) {
      const machines = fleet.worst.filter(({ score_status }) => score_status !== 'healthy');
      return [
        { title: 'Fleet', lines: [fleetLine(fleet)] },
        ...(machines.length > 0 ? [{ title: 'At risk', machines }] : []),
      ];
    },
  },
  resource: {
    uri: 'dexops://fleet',
    name: 'fleet',
    title: 'The fleet',
    description: 'How many endpoints are healthy, at risk and critical, the average score and the worst machines.',
    mimeType: 'application/json',
  },
});

function fleetLine(
  fleet: Record<'total' | 'healthy' | 'at_risk' | 'critical' | 'unknown' | 'unreachable' | 'stale', number> & {
    avg_score: number | null;
  },
): string {
  return `${fleet.total} endpoint${fleet.total === 1 ? '' : 's'}, average score ${fleet.avg_score ?? 'unknown'}: ${fleet.healthy} healthy, ${fleet.at_risk} at risk, ${fleet.critical} critical, ${fleet.unreachable} not reachable, ${fleet.unknown} without a score, ${fleet.stale} stale.`;
}

function totals(rows: FleetRow[]): { total: number; scored: number; avg_score: number | null } {
  const known = rows.filter(({ status }) => hasVerdict(status));
  const scored = sum(known.map(({ endpoints }) => endpoints));
  const scores = sum(known.map(({ scoreSum }) => scoreSum));
  return {
    total: sum(rows.map(({ endpoints }) => endpoints)),
    scored,
    avg_score: scored === 0 ? null : round1(scores / scored),
  };
}

function sum(values: number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** A score with its reasons, as text. */
export function scoreText(score: Omit<z.output<typeof scoreShape>, 'id' | 'scored_at'>): string {
  const parts = Object.entries(score.components).map(([name, value]) => `${name} ${value ?? 'not measured'}`);
  const lines = [
    `${score.hostname}: ${score.score} of 100 (${score.status.replace('_', ' ')}${score.stale ? ', stale' : ''})`,
    `${parts.join(', ')}; ${Math.round(score.coverage * 100)} % of the weight was measured.`,
    ...score.deductions.map(({ points, reason }) => `−${points} ${reason}`),
    ...score.caps.map(({ reason }) => reason),
  ];
  const [best] = score.improvements;
  if (best) lines.push(`What would raise it most: ${best.reason} (+${best.gain}).`);
  return lines.join('\n');
}

const BLOCKS = '▁▂▃▄▅▆▇█';

/** Scores as a line of blocks, oldest first, on the fixed scale 0–100 so that two machines compare. */
function sparkline(values: number[], width = 48): string {
  const shown = values.slice(-width);
  return shown.map((value) => BLOCKS[Math.min(7, Math.max(0, Math.floor((value / 100) * 8)))]).join('');
}

/** Where the score stands, its range and how it was seen, hours counted with all their scans. */
function historyText(latest: HistoryPoint, history: readonly HistoryPoint[]): string {
  const lowest = Math.min(...history.map(({ score, hourly }) => hourly?.lowest ?? score));
  const highest = Math.max(...history.map(({ score, hourly }) => hourly?.highest ?? score));
  const scans = sum(history.map(({ hourly }) => hourly?.scans ?? 1));
  const hours = history.filter(({ hourly }) => hourly !== null);
  const means = hours[0] ? `; hourly means up to ${hours[0].scored_at}` : '';
  const when = latest.hourly ? `at the end ${latest.score}` : `now ${latest.score}`;
  return `${when}, lowest ${lowest}, highest ${highest} over ${scans} scan${scans === 1 ? '' : 's'} since ${history.at(-1)?.scored_at}${means}`;
}

function historyChart(hostname: string, history: HistoryPoint[]): ChartSpec | null {
  const [latest] = history;
  if (!latest || history.length < 2) return null;
  const oldestFirst = history.toReversed();
  const line = (name: string, of: (point: HistoryPoint) => number | null) => ({
    name,
    points: oldestFirst.flatMap((point) => {
      const value = of(point);
      return value === null ? [] : [{ at: new Date(point.scored_at), value }];
    }),
  });
  const hours = oldestFirst.filter(({ hourly }) => hourly !== null);
  const lastHour = hours.at(-1);
  return {
    kind: 'time_series',
    title: `DEX score of ${hostname}`,
    alt: `DEX score of ${hostname}: ${historyText(latest, history)}`,
    yTitle: 'Score',
    yDomain: [0, 100],
    lines: [
      line('score', ({ score }) => score),
      line('device', ({ components }) => components.device),
      line('network', ({ components }) => components.network),
      line('app', ({ components }) => components.app),
    ].filter(({ points }) => points.length > 1),
    // What a mean hides: the range of each hour.
    band: hours.flatMap(({ scored_at, hourly }) =>
      hourly ? [{ at: new Date(scored_at), low: hourly.lowest, high: hourly.highest }] : [],
    ),
    timestamps: lastHour ? [{ name: 'hourly means until here', at: new Date(lastHour.scored_at) }] : [],
  };
}
