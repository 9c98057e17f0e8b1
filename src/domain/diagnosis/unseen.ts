/** What a diagnosis cannot see: measures that nobody read, and machines that do not answer. */
import { declarationOf } from '../signals/catalogue.ts';
import { amount, labelOf, type Measure, signalOf, worstOf } from '../signals/measures.ts';
import type { AnyReading } from '../signals/reading.ts';
import type { DiagnosedCause, Diagnosis, Evidence, KnownAlert } from './diagnosis.ts';
import { JUDGED_MEASURES, levelFor, worseWay } from './levels.ts';
import type { MachineHistory, ScanRecord } from './machineHistory.ts';
import { LEAST_PEERS } from './usual.ts';

/** Programs name causes although no level judges them. */
const NAMING: readonly Measure[] = ['top_cpu_pct', 'top_memory_pct'];

/** Measures that the last scan lacks although the machine could have them, with the reason. */
export function notMeasured(last: ScanRecord): Diagnosis['notMeasured'] {
  return [...JUDGED_MEASURES, ...NAMING].flatMap((measure) => {
    const reading: AnyReading = last.readings[signalOf(measure)];
    if ('missing' in reading) return has(reading.missing) ? [{ signal: measure, reason: reading.missing }] : [];
    if (worstOf(last, measure) !== null || declarationOf(signalOf(measure)).per === 'program') return [];
    return [{ signal: measure, reason: 'nothing of it counts as its own' }];
  });
}

/** What a system does not have at all hides nothing. */
function has(reason: string): boolean {
  return !reason.endsWith('has no such figure');
}

/** So many of the peers that do not answer either make it a network, not a machine. */
const OUTAGE = 0.5;
const WORTH_A_LINE = 3;

export function unreachableDiagnosis(
  history: MachineHistory,
  peers: readonly ScanRecord[],
  alerts: readonly KnownAlert[],
): Pick<Diagnosis, 'verdict' | 'causes' | 'changedBefore' | 'notMeasured'> {
  const { last, scans } = history;
  const before = scans.at(-1) ?? null;
  const silent = peers.filter(({ reachable }) => !reachable).length;
  const outage = peers.length >= LEAST_PEERS && silent / peers.length >= OUTAGE;
  const evidence: Evidence[] = [
    { kind: 'level', text: `it does not answer: ${last?.unreachableReason ?? 'no reason given'}` },
    ...(outage
      ? [{ kind: 'shared_by_peers' as const, text: `${silent} of ${peers.length} peers do not answer either` }]
      : []),
    ...(before ? lastSeen(before) : []),
    ...alerts.map(({ alertName, message }) => ({ kind: 'alert' as const, text: `${alertName}: ${message}` })),
  ];
  const cause: DiagnosedCause = {
    cause: outage ? 'network_outage' : 'unreachable',
    title: outage ? 'It does not answer, and neither do many of its peers' : 'It does not answer',
    isUpkeep: false,
    confidence: 0.95,
    evidence,
    since: before?.collectedAt ?? null,
    advice: outage
      ? 'Check the network, VPN or site that the silent machines share before the machine itself.'
      : 'Check whether it is switched on and in the network; then the agent or exporter on it.',
    signals: [],
    alertIds: alerts.map(({ id }) => id),
    alertNames: ['EndpointUnreachable'],
    question: 'endpoint does not answer, unreachable',
  };
  return { verdict: 'not_reachable', causes: [cause], changedBefore: [], notMeasured: [] };
}

/** What stood out when it was last seen. */
function lastSeen(before: ScanRecord): Evidence[] {
  const bad = JUDGED_MEASURES.flatMap((measure) => {
    const worst = worstOf(before, measure);
    const way = worseWay(measure);
    const { serious, needsUsual } = levelFor(measure);
    return worst && !needsUsual && way * worst.value >= way * serious
      ? [`${labelOf(measure)} ${amount(measure, worst.value)}`]
      : [];
  });
  if (bad.length === 0) return [];
  return [{ kind: 'level', text: `when it last answered: ${bad.slice(0, WORTH_A_LINE).join(', ')}` }];
}
