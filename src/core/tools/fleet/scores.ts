/** Tools that read the scores of one endpoint: the latest, and its history. */
import { z } from 'zod';
import { endpointState, statusText } from '../../../domain/fleet/endpoint.ts';
import type { ChartSpec } from '../../chart.ts';
import { AppError } from '../../errors.ts';
import { iso, presentScore } from '../../present.ts';
import { machinePage } from '../../presentation.ts';
import { requireEndpoint } from '../../scans/scanning.ts';
import { componentsShape, hostnameInput, scoreShape, timeInput, timestamp } from '../../shapes.ts';
import { machineSubject } from '../../subjects.ts';
import { defineTool } from '../../tool.ts';

export const getScore = defineTool({
  name: 'get_score',
  title: 'Show a score',
  effect: 'read',
  reach: 'selection',
  toolset: 'machines',
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
  page: ({ hostname }) => machinePage(hostname),
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
  reach: 'selection',
  subject: machineSubject,
  description: 'Past scores of a machine, older ones as hourly means; a picture shows it with its parts.',
  http: { method: 'GET', path: '/api/v1/dex/endpoints/:hostname/history' },
  command: { name: 'history', args: ['hostname'], example: 'history dev-machine-01 --limit 96' },
  input: z.strictObject({
    hostname: hostnameInput,
    limit: z.coerce
      .number()
      .int()
      .min(1)
      .max(2000)
      .default(96)
      .describe('How many; 96 are a day at the default interval'),
    before: timeInput.optional().meta({ description: 'Only older ones', forPrograms: true }),
  }),
  output: z.object({
    hostname: z.string(),
    history: z.array(historyPoint),
    count: z.number().int(),
    /** Scores below these raise a warning and a critical alert. */
    thresholds: z.object({ warning: z.number(), critical: z.number() }),
  }),
  async run({ hostname: host, limit, before }, { ports }) {
    const endpoint = await requireEndpoint(ports, host);
    const { hostname } = endpoint;
    const points = await ports.store.scores.history(
      endpoint.id,
      limit,
      before === undefined ? undefined : new Date(before),
    );
    const history = points.map(({ scoredAt, ...point }) => ({ ...point, scored_at: iso(scoredAt) }));
    return { hostname, history, count: history.length, thresholds: ports.settings.thresholds };
  },
  page: ({ hostname }) => machinePage(hostname),
  summary: ({ hostname, history }) => {
    const [latest] = history;
    if (!latest) return `${hostname} has no scores from then.`;
    const values = history.map(({ score }) => score).toReversed();
    return `${hostname}: ${sparkline(values)} ${historyText(latest, history)}.`;
  },
  chart: ({ hostname, history, thresholds }) => historyChart(hostname, history, thresholds),
  resource: {
    uri: 'dexops://endpoints/{hostname}/history',
    name: 'score_history',
    title: 'Score history',
    description: 'The last 96 scores of a machine.',
    mimeType: 'application/json',
  },
});

/** A score with its reasons, as text. */
export function scoreText(score: Omit<z.output<typeof scoreShape>, 'id' | 'scored_at'>): string {
  const parts = Object.entries(score.components).map(([name, value]) => `${name} ${value ?? 'not measured'}`);
  const lines = [
    `${score.hostname}: ${score.score} of 100 (${statusText(score.status, score.score)}${score.stale ? ', stale' : ''})`,
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
  const scans = history.reduce((total, { hourly }) => total + (hourly?.scans ?? 1), 0);
  const hours = history.filter(({ hourly }) => hourly !== null);
  const means = hours[0] ? `; hourly means up to ${hours[0].scored_at}` : '';
  const when = latest.hourly ? `at the end ${latest.score}` : `now ${latest.score}`;
  return `${when}, lowest ${lowest}, highest ${highest} over ${scans} scan${scans === 1 ? '' : 's'} since ${history.at(-1)?.scored_at}${means}`;
}

function historyChart(
  hostname: string,
  history: HistoryPoint[],
  { warning, critical }: { warning: number; critical: number },
): ChartSpec | null {
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
    title: `${hostname} scores ${latest.score} of 100, lowest ${Math.min(...history.map(({ score }) => score))}`,
    alt: `DEX score of ${hostname}: ${historyText(latest, history)}`,
    yTitle: 'Score',
    yDomain: [0, 100],
    lines: [
      line('score', ({ score }) => score),
      line('device', ({ components }) => components.device),
      line('network', ({ components }) => components.network),
      line('app', ({ components }) => components.app),
      line('remediation', ({ components }) => components.remediation),
    ].filter(({ points }) => points.length > 1),
    limits: [
      { name: 'warning', value: warning },
      { name: 'critical', value: critical },
    ],
    // What a mean hides: the range of each hour.
    band: hours.flatMap(({ scored_at, hourly }) =>
      hourly ? [{ at: new Date(scored_at), low: hourly.lowest, high: hourly.highest }] : [],
    ),
    timestamps: lastHour ? [{ name: 'hourly means until here', at: new Date(lastHour.scored_at) }] : [],
  };
}
