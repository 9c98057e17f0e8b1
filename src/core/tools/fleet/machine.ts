/** The tool that shows one machine whole: whose it is, its score and signals, its alerts, where it is heading, and what was repaired. */
import { z } from 'zod';
import { endpointState } from '../../../domain/fleet/endpoint.ts';
import { flatReadings, unmeasured } from '../../../domain/signals/flat.ts';
import { aligned, utc } from '../../characters.ts';
import { identityLines, presentIdentified } from '../../fleet/identified.ts';
import { measuredFacts, setAside } from '../../fleet/signalFacts.ts';
import { historySince, trendsOf } from '../../forecasts/forecasting.ts';
import { horizonsInForce } from '../../forecasts/predictionThresholds.ts';
import { presentScore } from '../../present.ts';
import { machinePage } from '../../presentation.ts';
import { requireEndpoint } from '../../scans/scanning.ts';
import { alertShape, hostnameInput, identifiedEndpointShape, scoreShape, timestamp } from '../../shapes.ts';
import { machineSubject } from '../../subjects.ts';
import { defineTool } from '../../tool.ts';
import { alertCells, presentAlerts } from '../alerts/alerts.ts';
import { presentRemediation, remediationCells, remediationShape } from '../alerts/remediations.ts';
import { scoreText } from './scores.ts';
import { asMeasured, presentTrend, trendLine, trendShape } from './trends.ts';

/** Repairs that are shown; all are in the list of remediations. */
const MOST_REPAIRS = 5;

const machineShape = z.object({
  endpoint: identifiedEndpointShape,
  /** Null when nothing that makes a score was ever measured. */
  score: scoreShape.nullable(),
  /** What the latest scan measured, by wire name; null was not measured. */
  signals: z.record(z.string(), z.unknown()),
  /** All that was measured, in words. */
  measured: z.array(z.object({ label: z.string(), item: z.string().nullable(), text: z.string() })),
  /** Shown, not judged. */
  set_aside: z.array(z.object({ item: z.string(), reason: z.string() })),
  unmeasured: z.array(z.object({ metric: z.string(), reason: z.string() })),
  signals_at: timestamp.nullable(),
  alerts: z.array(alertShape),
  trends: z.array(trendShape),
  /** The latest, newest first. */
  remediations: z.array(remediationShape),
});

export const getEndpoint = defineTool({
  name: 'get_endpoint',
  title: 'Show a machine',
  effect: 'read',
  reach: 'selection',
  subject: machineSubject,
  description:
    'One machine whole: owner, tags, score and why, signals, open alerts, forecast, the last repairs and whether they helped.',
  http: { method: 'GET', path: '/api/v1/dex/endpoints/:hostname' },
  command: { name: 'endpoint', args: ['hostname'], also: [{ name: 'machine' }], example: 'endpoint dev-machine-01' },
  input: z.strictObject({ hostname: hostnameInput }),
  output: machineShape,
  page: ({ endpoint }) => machinePage(endpoint.hostname),
  async run({ hostname }, { ports, now }) {
    const endpoint = await requireEndpoint(ports, hostname);
    const { store, settings } = ports;
    const [identified, score, snapshots, open, histories, horizons, repairs] = await Promise.all([
      presentIdentified(ports, endpoint, now),
      store.scores.latest(endpoint.id),
      store.snapshots.latest([endpoint.id]),
      store.alerts.open([endpoint.id]),
      store.snapshots.histories([endpoint.id], historySince(now)),
      horizonsInForce(ports),
      store.remediations.list({ hostname: endpoint.hostname }, { limit: MOST_REPAIRS, offset: 0 }),
    ]);
    const snapshot = snapshots.get(endpoint.id);
    const isStale = endpointState(endpoint, now, settings.scanIntervalMs) === 'stale';
    return {
      endpoint: identified,
      score: score && presentScore(score, endpoint.hostname, isStale),
      signals: snapshot ? flatReadings(snapshot.readings) : {},
      measured: snapshot ? measuredFacts(snapshot) : [],
      set_aside: snapshot ? setAside(snapshot.readings) : [],
      unmeasured: snapshot ? unmeasured(snapshot.readings) : [],
      signals_at: snapshot?.collectedAt.toISOString() ?? null,
      alerts: await presentAlerts(ports, open, now),
      trends: trendsOf(histories.get(endpoint.id) ?? [], now, horizons).map((trend) => presentTrend(asMeasured(trend))),
      remediations: repairs.items.map(presentRemediation),
    };
  },
  summary: (machine) => machineLines(machine).join('\n'),
  shows: { card: 'endpoint', by: 'hostname' },
  resource: {
    uri: 'dexops://endpoints/{hostname}',
    name: 'endpoint',
    title: 'Endpoint',
    description: 'One machine whole: owner, score, signals, alerts, forecast and repairs.',
    mimeType: 'application/json',
  },
});

function machineLines(machine: z.output<typeof machineShape>): string[] {
  const { endpoint, score, alerts, trends, remediations, signals_at, measured, set_aside } = machine;
  const heading = trends.filter(({ status }) => status !== 'insufficient_data');
  return [
    ...identityLines(endpoint),
    `Last scan ${utc(endpoint.last_scan_at)}, last answer ${utc(endpoint.last_seen_at)}, registered ${utc(endpoint.registered_at)}`,
    ...(score ? [`Score of ${utc(score.scored_at)}:`, scoreText(score)] : ['It has no score yet.']),
    ...(measured.length > 0 ? [`Signals of ${utc(signals_at)}:`] : []),
    ...aligned(measured.map(({ label, item, text }) => [`  ${label}`, text, item ?? ''])),
    ...set_aside.map(({ item, reason }) => `  shown, not judged: ${item}, ${reason}`),
    alerts.length === 0 ? 'No alert is open.' : `Open alerts: ${alerts.length}`,
    ...aligned(alerts.map(alertCells)),
    ...(heading.length > 0 ? ['Forecast:', ...heading.map(trendLine)] : []),
    remediations.length === 0 ? 'Nothing was repaired on it by a playbook.' : 'Repairs, newest first:',
    ...aligned(remediations.map(remediationCells)),
  ];
}
