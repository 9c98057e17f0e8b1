/** The tool that says why a machine is slow: ranked causes with their evidence, and what to do about each. */
import { z } from 'zod';
import { EVIDENCE_KINDS, VERDICTS } from '../../../domain/diagnosis/diagnosis.ts';
import { LEAST_DAYS, LEAST_PEERS } from '../../../domain/diagnosis/usual.ts';
import { TREND_METRICS } from '../../../domain/forecasts/trendRules.ts';
import { wireName } from '../../../domain/signals/catalogue.ts';
import { labelOf } from '../../../domain/signals/measures.ts';
import { diagnoseMachine } from '../../diagnosis/diagnoseMachine.ts';
import { iso } from '../../present.ts';
import { machinePage, type RelatedCall } from '../../presentation.ts';
import { requireEndpoint } from '../../scans/scanning.ts';
import { hostnameInput, timestamp } from '../../shapes.ts';
import { machineSubject } from '../../subjects.ts';
import { defineTool } from '../../tool.ts';

const causeShape = z.object({
  cause: z.string(),
  title: z.string(),
  /** 0–1. */
  /** Nobody at the machine feels it: it wants to be put in order some day. */
  upkeep: z.boolean(),
  confidence: z.number(),
  evidence: z.array(z.object({ kind: z.enum(EVIDENCE_KINDS), text: z.string() })),
  since: timestamp.nullable(),
  advice: z.string(),
  signals: z.array(z.string()),
  runbook: z.object({ doc_id: z.string(), title: z.string(), section: z.string() }).nullable(),
  remediation: z
    .object({ alert_name: z.string(), action: z.string(), playbook: z.string().nullable(), asks_first: z.boolean() })
    .nullable(),
  alerts: z.array(z.object({ id: z.number().int(), alert_name: z.string(), severity: z.string() })),
  /** Whether something safe is for the machine's owner to do. */
  owner_can_help: z.boolean(),
});
type CauseView = z.output<typeof causeShape>;

const diagnosisShape = z.object({
  hostname: z.string(),
  verdict: z.enum(VERDICTS),
  causes: z.array(causeShape),
  changed_before: z.array(z.object({ kind: z.string(), at: timestamp, text: z.string() })),
  not_measured: z.array(z.object({ signal: z.string(), reason: z.string() })),
  compared_with: z.object({
    own_days: z.number().int(),
    own_scans: z.number().int(),
    peers: z.number().int(),
    peers_alike: z.string(),
  }),
  measured_at: timestamp.nullable(),
  notes: z.array(z.string()),
});
type DiagnosisView = z.output<typeof diagnosisShape>;

export const diagnoseMachineTool = defineTool({
  name: 'diagnose_machine',
  title: 'Find out why a machine is slow',
  effect: 'read',
  reach: 'selection',
  subject: machineSubject,
  description:
    'Why a machine is slow: ranked causes with evidence against its own usual and its peers, what changed before, what to do, and what was not measured. Do not re-rank the causes.',
  http: { method: 'GET', path: '/api/v1/dex/endpoints/:hostname/diagnosis' },
  command: { name: 'why', args: ['hostname'], everydayFor: ['employees', 'staff'], example: 'why dev-machine-01' },
  input: z.strictObject({ hostname: hostnameInput }),
  output: diagnosisShape,
  async run({ hostname: host }, { ports, now }) {
    const endpoint = await requireEndpoint(ports, host);
    const { map } = ports.remediationMap.current();
    const { causes, ...found } = await diagnoseMachine(ports, endpoint, now);
    return {
      hostname: endpoint.hostname,
      verdict: found.verdict,
      causes: causes.map(({ confidence, runbook, remediation, alerts, since, ...cause }) => ({
        cause: cause.cause,
        title: cause.title,
        upkeep: cause.isUpkeep,
        confidence: Math.round(confidence * 100) / 100,
        evidence: cause.evidence,
        since: iso(since),
        advice: cause.advice,
        signals: cause.signals,
        runbook: runbook && { doc_id: runbook.docId, title: runbook.title, section: runbook.heading },
        remediation: remediation && {
          alert_name: remediation.alertName,
          action: remediation.action,
          playbook: remediation.playbook,
          asks_first: remediation.asksFirst,
        },
        alerts: alerts.map(({ id, alertName, severity }) => ({ id, alert_name: alertName, severity })),
        owner_can_help: alerts.some(({ alertName }) => map.get(alertName)?.forOwner !== undefined),
      })),
      changed_before: found.changedBefore.map(({ kind, at, text }) => ({ kind, at: iso(at), text })),
      not_measured: found.notMeasured,
      compared_with: {
        own_days: found.comparedWith.ownDays,
        own_scans: found.comparedWith.ownScans,
        peers: found.comparedWith.peers,
        peers_alike: found.peersAlike,
      },
      measured_at: iso(found.measuredAt),
      notes: found.notes,
    };
  },
  page: ({ hostname }) => machinePage(hostname),
  summary: diagnosisText,
  employeeSummary: textForOwner,
  shows: { card: 'diagnosis', by: 'hostname' },
  related: ({ hostname, causes }) => [
    // For the owner, who may answer nothing of self-healing's.
    ...(causes.some(({ owner_can_help }) => owner_can_help)
      ? [{ id: 'own_remedy', label: 'What can I do myself?', tool: 'offer_remedy', input: { hostname } }]
      : []),
    ...causes.slice(0, MOST_TOLD).flatMap(callsFor),
    { id: 'rescan', label: 'Scan again', tool: 'scan_endpoint', input: { hostname } },
  ],
  illustration({ hostname, causes }) {
    const metric = causes[0]?.signals.find((signal) => PREDICTED.includes(signal));
    if (metric !== undefined) return { tool: 'get_trends', input: { hostname, metric } };
    return causes.length > 0 ? { tool: 'get_score_history', input: { hostname } } : null;
  },
});

const PREDICTED: readonly string[] = TREND_METRICS.map(wireName);
/** Causes that the text tells in full, and signals that it names as not measured. */
const MOST_TOLD = 3;
const MOST_MISSING = 6;

function callsFor({ title, remediation, runbook, alerts }: CauseView, place: number): RelatedCall[] {
  const [alert] = alerts;
  return [
    ...(remediation && alert
      ? [
          {
            id: `heal_${place}`,
            label: `Fix ${alert.alert_name}`,
            tool: 'remediate_alert',
            input: { alert_id: alert.id },
            about: title,
          },
        ]
      : []),
    ...(runbook
      ? [
          {
            id: `runbook_${place}`,
            label: place === 0 ? 'Runbook' : `Runbook: ${runbook.title}`,
            tool: 'get_runbook',
            input: { doc_id: runbook.doc_id },
            about: title,
          },
        ]
      : []),
  ];
}

function diagnosisText(diagnosis: DiagnosisView): string {
  const { causes, changed_before, not_measured, notes } = diagnosis;
  const felt = causes.filter(({ upkeep }) => !upkeep);
  const upkeep = causes.filter((cause) => cause.upkeep);
  const shown = felt.slice(0, MOST_TOLD);
  const others = felt.slice(MOST_TOLD).map(({ title }) => title);
  return [
    headline(diagnosis),
    ...shown.flatMap(causeLines),
    ...(others.length > 0 ? [`Less likely: ${others.join('; ')}.`] : []),
    ...(upkeep.length > 0 ? ['Upkeep, which nobody at the machine feels:', ...upkeep.flatMap(causeLines)] : []),
    ...(changed_before.length > 0
      ? [`Changed before it began: ${changed_before.map(({ at, text }) => `${text} (${minuteOf(at)})`).join('; ')}.`]
      : []),
    ...(not_measured.length > 0 ? [`Not measured: ${missingText(not_measured)}.`] : []),
    comparedText(diagnosis),
    ...notes,
  ]
    .filter(Boolean)
    .join('\n');
}

/** What the owner of the machine needs of it: the likeliest cause, what shows it, what helps. */
function textForOwner(diagnosis: DiagnosisView): string {
  const [first, ...others] = diagnosis.causes;
  if (!first) return headline(diagnosis);
  if (first.upkeep) return `${headline(diagnosis)}\nWorth doing when it suits you: ${first.advice}`;
  const seen = first.evidence.find(({ kind }) => kind !== 'alert');
  return [
    `${diagnosis.hostname}: ${plainTitle(first)}`,
    ...(seen ? [`What I see: ${seen.text}.`] : []),
    `What helps: ${first.advice}`,
    ...(others.length > 0 ? [`Perhaps also: ${others.slice(0, 2).map(plainTitle).join('; ')}.`] : []),
  ].join('\n');
}

/** Without the file system or program that it names, which the evidence says. */
function plainTitle({ title }: CauseView): string {
  return title.split(': ')[0] ?? title;
}

function headline({ hostname, verdict, causes }: DiagnosisView): string {
  const [first] = causes;
  if (verdict === 'never_scanned') return `${hostname} has never been scanned, so nothing can be said yet.`;
  if (verdict === 'not_reachable') return `${hostname} does not answer.`;
  if (verdict === 'nothing_unusual') return `Nothing unusual on ${hostname}.`;
  if (verdict === 'too_little_known')
    return `Nothing stands out on ${hostname}, but too little is known yet to be sure.`;
  return `${hostname}: ${first?.title} (${sureText(first?.confidence ?? 0)}).`;
}

function causeLines({ title, confidence, evidence, advice, runbook, remediation }: CauseView, place: number): string[] {
  const where = runbook ? ` Runbook: ${runbook.title}${runbook.section ? `, “${runbook.section}”` : ''}.` : '';
  const fix = remediation
    ? ` Self-healing: ${remediation.playbook ?? remediation.action}${remediation.asks_first ? ' (after an approval)' : ''}.`
    : '';
  return [
    `${place + 1}. ${title} (${sureText(confidence)})`,
    ...evidence.map(({ text }) => `   - ${text}`),
    `   What to do: ${advice}${where}${fix}`,
  ];
}

function sureText(confidence: number): string {
  return `${Math.round(confidence * 100)} % sure`;
}

/** Signals by the reason they share, which is usually one for many. */
function missingText(missing: DiagnosisView['not_measured']): string {
  const byReason = Map.groupBy(missing, ({ reason }) => reason);
  return [...byReason]
    .map(([reason, signals]) => {
      const names = signals.slice(0, MOST_MISSING).map(({ signal }) => labelOf(signal));
      const more = signals.length - names.length;
      return `${names.join(', ')}${more > 0 ? ` and ${more} more` : ''} (${reason})`;
    })
    .join('; ');
}

function comparedText({ verdict, compared_with, measured_at }: DiagnosisView): string {
  if (verdict === 'never_scanned' || verdict === 'not_reachable') return '';
  const { own_days, own_scans, peers, peers_alike } = compared_with;
  const own =
    own_days < LEAST_DAYS
      ? `its own usual is not known yet (${own_days} earlier days, ${LEAST_DAYS} are needed)`
      : `its own usual at this time of day on ${own_days} earlier days (${own_scans} scans)`;
  const others =
    peers < LEAST_PEERS ? `too few peers (${peers}) to compare with` : `${peers} peers (${peers_alike}) now`;
  return `Compared with ${own} and ${others}; last measured ${minuteOf(measured_at ?? '')}.`;
}

function minuteOf(at: string): string {
  return `${at.slice(0, 16).replace('T', ' ')} UTC`;
}
