/** How alerts, predictions, and what is done about them are kept. */
import type { Alert, AlertEvent, AlertIdentity, AlertStatus, AlertType, Severity } from '../../domain/alerts/alert.ts';
import type { AlertDraft } from '../../domain/alerts/alertMoves.ts';
import type { KpiAlert } from '../../domain/alerts/kpi.ts';
import type { Ticket } from '../../domain/alerts/ticket.ts';
import type { Judgement, Prediction } from '../../domain/forecasts/prediction.ts';
import type { PredictionThreshold } from '../../domain/forecasts/predictionThreshold.ts';
import type { PredictiveAlertName } from '../../domain/forecasts/predictiveAlert.ts';
import type { Approval, ApprovalKind, ApprovalStatus } from '../../domain/healing/approval.ts';
import type { Remediation, RemediationStatus } from '../../domain/healing/remediation.ts';
import type { FleetRecord } from '../../domain/healing/remediationGuards.ts';
import type { RemediationRecord } from '../../domain/scores/score.ts';
import type { Actor } from '../actor.ts';
import type { Page, Paged } from '../page.ts';

export interface AlertFilter {
  hostname?: string;
  severity?: Severity;
  alertType?: AlertType;
  alertName?: string;
  /** `open` is every status but resolved. */
  status?: AlertStatus | 'open' | 'all';
  /** Created then or later. */
  since?: Date;
}

export interface AlertRepository {
  /**
   * Alerts created since, and how many of them are resolved, by endpoint; endpoints without any are absent. The alert on a
   * low score is none of them: a score does not lower itself.
   */
  remediationRecords(endpointIds: number[], since: Date): Promise<Map<number, RemediationRecord>>;
  /** All open alerts, or those of some endpoints. */
  open(endpointIds?: readonly number[]): Promise<Alert[]>;
  /** For each identity its open alert, and those of it that were resolved since. */
  recent(identities: readonly AlertIdentity[], resolvedSince: Date): Promise<Alert[]>;
  get(id: number): Promise<Alert | null>;
  byIds(ids: readonly number[]): Promise<Alert[]>;
  /** Newest first. */
  list(filter: AlertFilter, page: Page): Promise<Paged<Alert>>;
  /** Ids in the order given. Fails on a second open alert of one identity. */
  add(drafts: readonly AlertDraft[]): Promise<number[]>;
  save(alerts: readonly Alert[]): Promise<void>;
  /** Where they stand, and nothing of what was observed: the status and all that goes with it. */
  saveProgress(alerts: readonly Alert[]): Promise<void>;
  addEvents(events: readonly AlertEvent[]): Promise<void>;
  /** Oldest first. */
  timeline(id: number): Promise<AlertEvent[]>;
  /** Alerts of endpoints that are open, or were created or moved since, with their timelines, by endpoint id. */
  timelines(
    endpointIds: readonly number[],
    since: Date,
  ): Promise<Map<number, { alert: Alert; events: AlertEvent[] }[]>>;
  /** Acknowledged alerts whose snooze is over. */
  silenceOver(now: Date, limit: number): Promise<Alert[]>;
  /** The ids of those that are still as they were read. */
  unmoved(alerts: readonly Pick<Alert, 'id' | 'updatedAt'>[]): Promise<Set<number>>;
  /** Open alerts that healing has not handled, oldest first. */
  unhandled(limit: number): Promise<Alert[]>;
  /** Marks those that have not moved since they were seen. */
  markHandled(ids: readonly number[], seenAt: Date, now: Date): Promise<void>;
  openCounts(): Promise<{ severity: Severity; alertName: string; alerts: number }[]>;
  /** Alerts that were created, acknowledged or resolved since. */
  movedSince(since: Date): Promise<KpiAlert[]>;
}

/** A row of the ledger of predictions. */
export interface StoredPrediction extends Prediction, Omit<Judgement, 'judgedAt'> {
  id: number;
  endpointId: number;
  /** What the last check said while its alert stood. */
  severity: 'warning' | 'critical';
  impactText: string;
  impactHours: number;
  /** When its alert ended; null while it stands. */
  endedAt: Date | null;
  /** Null while the verdict is open. */
  judgedAt: Date | null;
}

export type JudgedPrediction = Judgement & { id: number };

export interface PredictionRepository {
  /** Fails on a second current prediction of one metric of an endpoint. */
  add(rows: readonly Omit<StoredPrediction, 'id'>[]): Promise<void>;
  current(endpointIds: readonly number[]): Promise<StoredPrediction[]>;
  /** Keeps what a check said of a current prediction, or that its alert is over. */
  update(
    id: number,
    patch: Partial<Pick<StoredPrediction, 'severity' | 'impactText' | 'impactHours' | 'endedAt'>>,
  ): Promise<void>;
  /** Predictions without a verdict, by id after `afterId`. */
  unjudged(afterId: number, limit: number): Promise<StoredPrediction[]>;
  judge(rows: readonly JudgedPrediction[]): Promise<void>;
  /** Made since then, newest first. */
  since(since: Date, alertName?: PredictiveAlertName): Promise<StoredPrediction[]>;
  /** Those that people set. */
  thresholds(): Promise<PredictionThreshold[]>;
  /** In the place of the alert's earlier one. */
  keepThreshold(threshold: PredictionThreshold): Promise<void>;
  dropThreshold(alertName: PredictiveAlertName): Promise<void>;
}

interface UnknownHost extends AlertIdentity {
  firstSeenAt: Date;
  lastSeenAt: Date;
  /** Alerts that came for it. */
  count: number;
}

export interface UnknownHostRepository {
  /** Counts alerts for hosts that nobody registered; only the ones seen last are kept. */
  note(seen: readonly (AlertIdentity & { count: number })[], now: Date): Promise<void>;
  /** Seen last first. */
  list(page: Page): Promise<Paged<UnknownHost>>;
  /** These hosts were registered: they are unknown no more. */
  forget(hostnames: readonly string[]): Promise<void>;
}

/** An approval as it is kept: whoever asked is a whole actor, because the approved call runs in their name. */
export type StoredApproval = Approval<Actor> & {
  /** The process that carries out, or carried out, the approved call. */
  workerId: string | null;
};

interface ApprovalFilter {
  status?: ApprovalStatus;
  kind?: ApprovalKind;
  hostname?: string;
}

export interface ApprovalRepository {
  add(approval: StoredApproval): Promise<void>;
  get(id: string): Promise<StoredApproval | null>;
  /** Newest first. */
  list(filter: ApprovalFilter, page: Page): Promise<Paged<StoredApproval>>;
  /** Writes it unless somebody changed it since it was read; true when written. */
  replace(approval: StoredApproval): Promise<boolean>;
  /** Pending ones whose time is over. */
  overdue(now: Date, limit: number): Promise<StoredApproval[]>;
  /** Those whose approved call is under way, oldest first. */
  running(limit: number): Promise<StoredApproval[]>;
  /** Decided ones whose decision nobody was notified of yet, oldest first. */
  unsettled(limit: number): Promise<StoredApproval[]>;
  decidedSince(since: Date): Promise<Pick<StoredApproval, 'requestedAt' | 'decidedAt' | 'status'>[]>;
}

interface RemediationFilter {
  hostname?: string;
  alertId?: number;
  playbook?: string;
  status?: RemediationStatus;
}

export interface RemediationRepository {
  add(remediation: Remediation): Promise<void>;
  get(id: string): Promise<Remediation | null>;
  /** Newest first. */
  list(filter: RemediationFilter, page: Page): Promise<Paged<Remediation>>;
  /** Changes it if it is in one of these statuses; false when it is not. Fails on a second running one of an endpoint. */
  move(id: string, from: readonly RemediationStatus[], patch: Partial<Remediation>): Promise<boolean>;
  /** Those of an endpoint that are open or were created since, oldest first. */
  ofEndpoint(endpointId: number, since: Date): Promise<Remediation[]>;
  inStatus(statuses: readonly RemediationStatus[]): Promise<Remediation[]>;
  /** How many were asked for, and how many did not help, since. Previews and those never run do not count. */
  fleetRecord(since: Date): Promise<FleetRecord>;
  /** Keeps the owner's answer; false when it was given before. */
  answerFixCheck(id: string, fixed: boolean): Promise<boolean>;
  finishedSince(
    since: Date,
  ): Promise<Pick<Remediation, 'endpointId' | 'alertName' | 'playbook' | 'status' | 'finishedAt' | 'ownerSaysFixed'>[]>;
}

export interface TicketRepository {
  add(ticket: Ticket): Promise<void>;
  get(id: string): Promise<Ticket | null>;
  /** By the other system's id, the newest if it used one twice. */
  byExternalId(externalId: string): Promise<Ticket | null>;
  /** Newest first. */
  ofAlerts(alertIds: readonly number[]): Promise<Ticket[]>;
  update(id: string, patch: Partial<Ticket>): Promise<void>;
  /** Remembers a delivery of the ticket system; false when it came before. */
  noteDelivery(deliveryId: string, now: Date): Promise<boolean>;
  pruneDeliveries(before: Date): Promise<number>;
}

/** What Alertmanager delivers. */
interface AlertDelivery {
  status?: unknown;
  /** How many alerts the sender held back; any sender may set it to anything. */
  truncatedAlerts?: unknown;
  alerts: readonly unknown[];
}

/** What became of the alerts of one delivery. */
export interface Intake {
  received: number;
  created: number;
  updated: number;
  resolved: number;
  /** Repeats that said nothing new. */
  unchanged: number;
  /** Alerts that the sender held back (its `max_alerts`); absent when none. */
  truncated?: number;
  ignored: { alertName: string; reason: string }[];
}

/** Takes in deliveries of alerts, several in one transaction when they come at once. */
export interface AlertIntake {
  /** Committed when it resolves; rejects with `unavailable` when the store is down, and then nothing of it is kept. */
  take(delivery: AlertDelivery, actor: Actor): Promise<Intake>;
  /** Resolves in the next lull of the deliveries to this process, or after two seconds. */
  lull(): Promise<void>;
  truncation(): Truncation;
}

/** What senders held back from deliveries to this process; `detail` says what to do while it may still matter. */
export interface Truncation {
  status: 'ok' | 'degraded';
  detail?: string;
  truncated_alerts: number;
  truncated_deliveries: number;
}
