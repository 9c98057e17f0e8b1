/** The tool that shows everything that is measured on a machine, with its time series. */
import { z } from 'zod';
import { declarationOf, wireName } from '../../../domain/signals/catalogue.ts';
import { UNITS } from '../../../domain/signals/declaration.ts';
import { MEASURES, numbersOf, signalOf, unitOf, worstOf } from '../../../domain/signals/measures.ts';
import type { AnyReading } from '../../../domain/signals/reading.ts';
import { setAside, valueText } from '../../fleet/signalFacts.ts';
import type { StoredSnapshot } from '../../ports/endpointPorts.ts';
import { iso } from '../../present.ts';
import { machinePage } from '../../presentation.ts';
import { requireEndpoint } from '../../scans/scanning.ts';
import { hostnameInput, timestamp } from '../../shapes.ts';
import { machineSubject } from '../../subjects.ts';
import { defineTool } from '../../tool.ts';

const HOUR_MS = 3_600_000;
/** Points of one signal's time series; more say nothing more in a small chart. */
const MOST_POINTS = 96;
/** Items and names listed of one signal. */
const MOST_LISTED = 20;

const signalShape = z.object({
  metric: z.string(),
  label: z.string(),
  component: z.enum(['device', 'network', 'app']),
  better: z.enum(['lower', 'higher', 'zero', 'neither']),
  unit: z.string(),
  /** The number that rules read, of the worst item where there are several; null when nothing was measured. */
  value: z.number().nullable(),
  text: z.string().nullable(),
  item: z.string().nullable(),
  items: z.array(z.object({ item: z.string(), text: z.string() })),
  names: z.array(z.string()),
  /** Why there is no value. */
  missing: z.string().nullable(),
  about: z.string(),
  history: z.array(z.object({ at: timestamp, value: z.number() })),
});

export const getSignals = defineTool({
  name: 'get_signals',
  title: 'Show the signals of a machine',
  effect: 'read',
  reach: 'selection',
  subject: machineSubject,
  // A model reads the score's reasons; forty time series would only fill its context.
  hiddenFrom: ['mcp', 'planner'],
  description:
    'Everything that was measured on a machine at its last scan, with the reason where something was not, and the values of the last hours.',
  http: { method: 'GET', path: '/api/v1/dex/endpoints/:hostname/signals' },
  command: { name: 'signals', args: ['hostname', 'hours'], example: 'signals dev-machine-01' },
  input: z.strictObject({
    hostname: hostnameInput,
    hours: z.coerce.number().int().min(1).max(168).default(24).describe('How far back the values reach'),
  }),
  output: z.object({
    hostname: z.string(),
    collected_at: timestamp.nullable(),
    signals: z.array(signalShape),
    /** Shown, not judged. */
    set_aside: z.array(z.object({ item: z.string(), reason: z.string() })),
  }),
  async run({ hostname: host, hours }, { ports, now }) {
    const { id, hostname } = await requireEndpoint(ports, host);
    const [latest, series] = await Promise.all([
      ports.store.snapshots.latest([id]),
      ports.store.snapshots.since([id], new Date(now.getTime() - hours * HOUR_MS)),
    ]);
    const snapshot = latest.get(id) ?? null;
    const thinned = thin(series);
    return {
      hostname,
      collected_at: iso(snapshot?.collectedAt ?? null),
      signals: snapshot ? MEASURES.map((measure) => presentSignal(measure, snapshot, thinned)) : [],
      set_aside: snapshot ? setAside(snapshot.readings) : [],
    };
  },
  page: ({ hostname }) => machinePage(hostname),
  summary: ({ hostname, collected_at, signals, set_aside }) =>
    collected_at === null
      ? `Nothing was measured on ${hostname} yet.`
      : [
          `${hostname} as of ${collected_at}`,
          ...signals
            .filter(({ text }) => text !== null)
            .map(({ label, text, item }) => `${label}${item === null ? '' : ` ${item}`}: ${text}`),
          ...set_aside.map(({ item, reason }) => `Shown, not judged: ${item}, ${reason}`),
          `Not measured: ${signals.filter(({ text }) => text === null).length} of ${signals.length} signals.`,
        ].join('\n'),
});

function presentSignal(
  measure: string,
  snapshot: StoredSnapshot,
  series: readonly StoredSnapshot[],
): z.input<typeof signalShape> {
  const name = signalOf(measure);
  const { label, component, better, about } = declarationOf(name);
  const reading: AnyReading = snapshot.readings[name];
  const worst = worstOf(snapshot, measure);
  const names = 'value' in reading && Array.isArray(reading.value) ? reading.value : [];
  return {
    metric: wireName(name),
    label,
    component,
    better,
    unit: UNITS[unitOf(measure)].text.trim(),
    value: worst?.value ?? null,
    text: worst && valueText(measure, worst, reading),
    item: worst?.item ?? null,
    items: (numbersOf(snapshot, measure) ?? [])
      .flatMap((number) =>
        number.item === null ? [] : [{ item: number.item, text: valueText(measure, number, reading) }],
      )
      .slice(0, MOST_LISTED),
    names: names.slice(0, MOST_LISTED),
    missing: worst ? null : 'missing' in reading ? reading.missing : "nothing of it counts as the machine's own",
    about,
    history: series.flatMap((each) => {
      const value = worstOf(each, measure)?.value;
      return value === undefined ? [] : [{ at: iso(each.collectedAt), value }];
    }),
  };
}

/** Evenly spread, the last one always among them. */
function thin(series: readonly StoredSnapshot[]): readonly StoredSnapshot[] {
  const step = Math.ceil(series.length / MOST_POINTS);
  return series.filter((_, index) => (series.length - 1 - index) % step === 0);
}
