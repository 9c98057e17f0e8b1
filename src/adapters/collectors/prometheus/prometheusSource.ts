/** Reads a whole fleet from a Prometheus: which machines its exporters run on, and what they measured, one query a metric. */
import { AppError } from '../../../core/errors.ts';
import type {
  PrometheusSourceConfig,
  SourceMachine,
  SourceReader,
  SourceReading,
} from '../../../core/ports/sourcePorts.ts';
import { personaOf } from '../../../core/sources/sourceFile.ts';
import { forbiddenAddressReason, isValidHostname } from '../../../domain/fleet/address.ts';
import { canonicalHost } from '../../../domain/fleet/hostIdentity.ts';
import { canonicalIp } from '../../../domain/fleet/ipAddress.ts';
import { missing } from '../../../domain/signals/reading.ts';
import { type ScanTarget, type Snapshot, unreachableSnapshot } from '../../../domain/signals/telemetry.ts';
import { type CounterHistory, counterReadings, createCounterHistory, processorShares } from '../counterHistory.ts';
import { type Exporter, Page } from '../exporters/exporterReader.ts';
import { nodeExporter } from '../exporters/nodeExporter.ts';
import type { Sample } from '../exporters/prometheusText.ts';
import { windowsExporter } from '../exporters/windowsExporter.ts';
import { complete, toSnapshot } from '../readings.ts';
import { type PrometheusApi, prometheusApi, type Series } from './prometheusApi.ts';
import { queryOf } from './queries.ts';

/** Queries side by side: enough to keep Prometheus at work, few enough to leave it to others. */
const QUERIES_AT_ONCE = 4;

const EXPORTERS: readonly Exporter[] = [nodeExporter, windowsExporter];

/** Where the machine's own name stands, and in which label. */
const NAMED_BY: Record<string, string> = {
  node_uname_info: 'nodename',
  windows_cs_hostname: 'fqdn',
  windows_os_hostname: 'fqdn',
};

interface Target {
  /** `job/instance`. */
  id: string;
  labels: Record<string, string>;
  isUp: boolean;
  exporter: Exporter | null;
  samples: Map<string, Sample[]>;
  /** What the machine calls itself. */
  ownName: string | undefined;
}

/** @param secretOf the value of an environment variable; null when it is not set */
export function createPrometheusSource(
  secretOf: (name: string) => string | null,
): SourceReader<PrometheusSourceConfig> {
  // Rates are what counters rose by since the cycle before; each source has machines of its own.
  const histories = new Map<string, CounterHistory>();
  return {
    async read(source, known, now, signal) {
      const history = histories.get(source.name) ?? createCounterHistory();
      histories.set(source.name, history);
      const api = prometheusApi(source, secretOf, signal);
      try {
        const targets = await targetsOf(api, source, now);
        await addSamples(api, source, targets, now);
        return toMachines(targets, source, known, history, now);
      } finally {
        await api.close();
      }
    },
    affected: ({ name }) =>
      Promise.reject(
        new AppError('unavailable', `The source ${name} is a Prometheus, which knows of no vulnerability.`),
      ),
  };
}

const idOf = ({ job = '', instance = '' }: Record<string, string>): string => `${job}/${instance}`;

async function targetsOf(
  api: PrometheusApi,
  { name, selector }: PrometheusSourceConfig,
  now: Date,
): Promise<Map<string, Target>> {
  const targets = new Map<string, Target>();
  for (const { metric: labels, value } of await api.query(`up{${selector}}`, now)) {
    const id = idOf(labels);
    targets.set(id, { id, labels, isUp: value[1] === '1', exporter: null, samples: new Map(), ownName: undefined });
  }
  if (targets.size === 0)
    throw new AppError('unavailable', `The source ${name} was not read: no target matches its selector {${selector}}.`);
  return targets;
}

async function addSamples(
  api: PrometheusApi,
  source: PrometheusSourceConfig,
  targets: Map<string, Target>,
  now: Date,
): Promise<void> {
  const { selector } = source;
  const ours = '__name__=~"node_.*|windows_.*|apt_.*|yum_.*|smartmon_.*|nvme_.*"';
  const names = await api.metricNames(`{${[ours, selector].filter(Boolean).join(',')}}`, now);
  const wanted = EXPORTERS.flatMap((exporter) =>
    [...exporter.wanted.keys(), ...Object.keys(NAMED_BY)].map((metric): [string, Exporter] => [metric, exporter]),
  );
  const queries = [...new Map(wanted)].filter(([metric]) => names.has(metric)).values();
  // Each worker takes the next query when it is done with one.
  const work = async (): Promise<void> => {
    for (const [metric] of queries) take(targets, metric, await api.query(queryOf(metric, selector), now));
  };
  await Promise.all(Array.from({ length: QUERIES_AT_ONCE }, work));
}

function take(targets: Map<string, Target>, metric: string, answer: readonly Series[]): void {
  const ownLabel = NAMED_BY[metric];
  const exporter = EXPORTERS.find(({ wanted }) => wanted.has(metric)) ?? null;
  for (const { metric: labels, value } of answer) {
    const target = targets.get(idOf(labels));
    if (!target) continue;
    if (ownLabel !== undefined) target.ownName ??= labels[ownLabel] || labels.hostname;
    if (exporter === null) continue;
    if (/^(node|windows)_/.test(metric)) target.exporter ??= exporter;
    const sample = { labels, value: Number(value[1].replace('Inf', 'Infinity')) };
    const samples = target.samples.get(metric);
    if (samples) samples.push(sample);
    else target.samples.set(metric, [sample]);
  }
}

function toMachines(
  targets: Map<string, Target>,
  source: PrometheusSourceConfig,
  known: ReadonlyMap<string, string>,
  history: CounterHistory,
  now: Date,
): SourceReading {
  const reading: SourceReading = { machines: [], passedOver: [] };
  const kinds = kindsByJob(targets);
  for (const target of targets.values()) {
    // One that is down shows no metric: it is a machine when it was one, or when its job has no others.
    const exporter = target.exporter ?? (target.isUp ? null : (kinds.get(target.labels.job ?? '') ?? null));
    if (exporter === null && (target.isUp || !known.has(target.id))) continue;
    const { hostname, ipAddress } = identityOf(target, source, known);
    if (hostname === null) {
      const reason = 'no label names it, and it says no name of its own that could be a hostname';
      reading.passedOver.push({ target: target.id, reason });
    } else
      reading.machines.push(toMachine(target, exporter ?? nodeExporter, { hostname, ipAddress, source, history, now }));
  }
  return reading;
}

function kindsByJob(targets: Map<string, Target>): Map<string, Exporter | null> {
  const kinds = new Map<string, Exporter | null>();
  for (const { labels, exporter, isUp } of targets.values()) {
    const job = labels.job ?? '';
    if (!isUp) continue;
    kinds.set(job, kinds.has(job) && kinds.get(job) !== exporter ? null : exporter);
  }
  return kinds;
}

/** By the labels that the configuration names, then by the target's address where that is a name, then as the machine calls itself. */
function identityOf(
  { id, labels, ownName }: Target,
  source: PrometheusSourceConfig,
  known: ReadonlyMap<string, string>,
): { hostname: string | null; ipAddress: string | null } {
  const address = canonicalHost(labels.instance ?? '');
  const isFree = canonicalIp(address) !== null && forbiddenAddressReason(address) === null;
  const names = [...source.labels.hostname.map((label) => labels[label]), address, ownName].map((name) =>
    canonicalHost(name ?? ''),
  );
  const own = names.find((name) => isValidHostname(name) && name !== 'localhost');
  return { hostname: own ?? known.get(id) ?? null, ipAddress: isFree ? address : null };
}

interface MachineContext {
  hostname: string;
  ipAddress: string | null;
  source: PrometheusSourceConfig;
  history: CounterHistory;
  now: Date;
}

function toMachine(
  target: Target,
  exporter: Exporter,
  { hostname, ipAddress, source, history, now }: MachineContext,
): SourceMachine {
  const page = new Page(target.samples);
  const { labels } = source;
  const first = (names: readonly string[]) => names.map((name) => target.labels[name]).find(Boolean);
  const owner = first(labels.owner)?.trim().toLowerCase();
  const os = page.isEmpty ? (exporter === windowsExporter ? 'windows' : 'linux') : exporter.osOf(page);
  const scanned: ScanTarget = { hostname, ipAddress, osPlatform: os, collector: 'prometheus', options: {} };
  return {
    target: target.id,
    hostname,
    ipAddress,
    ownerEmail: owner && /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(owner) && owner.length <= 254 ? owner : null,
    persona: personaOf(first(labels.persona), source.persona),
    osPlatform: os,
    tags: Object.fromEntries(
      labels.tags.flatMap((name) => (target.labels[name] ? [[name, target.labels[name].slice(0, 200)]] : [])),
    ),
    policies: null,
    snapshot: snapshotOf(page, target, exporter, scanned, history, now),
  };
}

function snapshotOf(
  page: Page,
  { isUp, id }: Target,
  exporter: Exporter,
  scanned: ScanTarget,
  history: CounterHistory,
  now: Date,
): Snapshot {
  if (!isUp) return unreachableSnapshot(scanned, now, `Prometheus cannot scrape ${id} (up is 0)`, 0);
  const counters = exporter.counters(page);
  const rise = history.riseSince(scanned.hostname, counters, now);
  const shares = (rise && processorShares(rise)) ?? {
    cpuPct: missing(
      counters.has('cpu.total')
        ? 'CPU use needs two samples; this was the first, the next cycle has it'
        : `${exporter.name} reports no CPU times`,
    ),
  };
  const read = exporter.read(page, scanned, now);
  const noPath = missing('the machine is read from Prometheus; nobody measures the way to it from here');
  const path = { latencyMs: noPath, jitterMs: noPath, packetLossPct: noPath };
  const collected = { ...read, ...counterReadings(counters, rise), ...shares, ...path };
  return toSnapshot(
    scanned,
    now,
    0,
    complete(collected, scanned.osPlatform, (name) => exporter.why(name)),
  );
}
