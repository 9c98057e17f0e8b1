/** Every interface that core drives; adapters implement them, app.ts hands them in. */
import type { Alert, AlertEvent, AlertIdentity, AlertStatus, AlertType, Severity } from '../domain/alert.ts';
import type { AlertDraft } from '../domain/alertMoves.ts';
import type { Approval, ApprovalKind, ApprovalStatus } from '../domain/approval.ts';
import type { Endpoint, EndpointCondition, EndpointRegistration, EndpointState, Persona } from '../domain/endpoint.ts';
import type { KpiAlert } from '../domain/kpi.ts';
import type { Delivery, OutboxMessage, StoredMessage } from '../domain/outbox.ts';
import type { Judgement, Prediction, PredictionAccuracy, Verdict, WatchedSpan } from '../domain/prediction.ts';
import type { PredictiveAlertName } from '../domain/predictiveAlert.ts';
import type { Remediation, RemediationStatus } from '../domain/remediation.ts';
import type { FleetRecord } from '../domain/remediationGuards.ts';
import type { Run, RunKind, RunStatus } from '../domain/run.ts';
import type { VoteCount } from '../domain/runbookVotes.ts';
import type { RemediationRecord, Score, ScoreThresholds } from '../domain/score.ts';
import type { ScanTarget, Snapshot } from '../domain/telemetry.ts';
import type { Ticket } from '../domain/ticket.ts';
import type { TrendMetric } from '../domain/trendRules.ts';
import type { Actor, Role } from './actor.ts';
import type { ChartRenderer } from './chart.ts';
import type { FeedbackRepository, People, SurveyRepository } from './feedbackPorts.ts';
import type { Page, Paged } from './page.ts';
import type { RemediationRules } from './remediationMap.ts';
import type { Runbooks } from './runbookPorts.ts';
import type { ScoreConfig } from './scoreRules.ts';

export interface Ports {
  store: Store;
  /** Looks at endpoints itself. */
  collector: Collector;
  /** Looks at endpoints in a scan: the collector, or an agent that may use it. */
  scanner: Collector;
  scoreRules: Reloaded<ScoreConfig>;
  remediationMap: Reloaded<RemediationRules>;
  runner: PlaybookRunner;
  queue: Queue;
  runEvents: RunEvents;
  agents: Agents;
  /** This process, as it names itself among those that share the work. */
  worker: Omit<Worker, 'seenAt' | 'works'>;
  backups: Backups;
  /** Who looks at new alerts and heals what it may; absent while nothing does. */
  healing?: Healing;
  runbooks: Runbooks;
  /** Who people are, where messages reach them; absent while no messages to people can be sent. */
  people?: People;
  charts: ChartRenderer;
  metrics: Metrics;
  log: Log;
  clock: Clock;
  ids: Ids;
  tokens: Tokens;
  random: Random;
  settings: Settings;
}

/** The part of the configuration that use cases read. */
export interface Settings {
  scanIntervalMs: number;
  /** Endpoints looked at side by side in a fleet scan. */
  scanConcurrency: number;
  thresholds: ScoreThresholds;
  /** The messengers that are told how alerts move; empty when nobody wants to hear. */
  alertMessengers: readonly string[];
  selfHealing: boolean;
  /** Whether a ticket system is connected. */
  tickets: boolean;
  /** Where people reach this service, without a slash at the end; empty when nobody said. */
  publicUrl: string;
}

/** A configuration file that may change while the service runs; a broken edit leaves the last good value. */
export interface Reloaded<T> {
  current(): T;
}

/** What may be asked of agents. */
export interface Agents {
  /** Names of the profiles there are now. */
  profiles(): readonly string[];
}

/** Time and names as ports, so that tests never sleep and never guess. */
export interface Clock {
  now(): Date;
}
export interface Ids {
  /** A unique id that sorts by time. */
  next(): string;
}

/** Secrets handed out once and stored only as a digest. */
export interface Tokens {
  issue(): { token: string; digest: string };
  digest(token: string): string;
}

export interface CollectContext {
  now: Date;
  /** Aborted when the endpoint's time is up or the service stops. */
  signal: AbortSignal;
  /** When the endpoint was last scanned, for counting what happened since; null when never. */
  previousScanAt: Date | null;
  /** Set by fleet scans: a rate that needs a second sample is left to the next look instead of waited for. */
  quick?: boolean;
  /** Takes what the run should say about how the endpoint was looked at. */
  note?(text: string): void;
}

/** Looks at endpoints. Never throws for what the endpoint does: unreachable, slow and garbled are snapshots with a reason. */
export interface Collector {
  collect(target: ScanTarget, context: CollectContext): Promise<Snapshot>;
}

/** Everything that is kept. Repositories return plain values, never live entities. */
export interface Store {
  readonly endpoints: EndpointRepository;
  readonly snapshots: SnapshotRepository;
  readonly scores: ScoreRepository;
  readonly fleetScores: FleetScoreRepository;
  readonly alerts: AlertRepository;
  readonly predictions: PredictionRepository;
  readonly unknownHosts: UnknownHostRepository;
  readonly outbox: OutboxRepository;
  readonly slackMessages: SlackMessageRepository;
  readonly approvals: ApprovalRepository;
  readonly remediations: RemediationRepository;
  readonly tickets: TicketRepository;
  readonly feedback: FeedbackRepository;
  readonly surveys: SurveyRepository;
  readonly runs: RunRepository;
  readonly audit: AuditRepository;
  readonly apiKeys: ApiKeyRepository;
  readonly workers: WorkerRepository;
  readonly jobs: JobRecordRepository;
  readonly runbookVotes: RunbookVoteRepository;
  /** All or nothing; nested calls join the outer one. */
  transaction<T>(work: (store: Store) => Promise<T>): Promise<T>;
  /** Fails with kind `unavailable` when the database does not answer. */
  ping(): Promise<void>;
}

export interface EndpointFilter {
  /** How the hostname begins; letters, digits, dots and hyphens only. */
  prefix?: string;
  persona?: Persona;
  criticalityTier?: number;
  /** `key` or `key=value`. */
  tag?: string;
  state?: EndpointState;
  ownerEmail?: string;
  /** The part of the owner's mail address before the @; letters, digits, dots and hyphens only. */
  ownerName?: string;
  ipAddress?: string;
}

export interface FleetRow {
  persona: string;
  status: string;
  endpoints: number;
  scoreSum: number;
}

export interface EndpointRepository {
  /** Fails with kind `conflict` when the hostname is registered already. */
  register(registration: EndpointRegistration, agentTokenDigest: string | null, now: Date): Promise<Endpoint>;
  get(hostname: string): Promise<Endpoint | null>;
  byAgentToken(digest: string): Promise<Endpoint | null>;
  byIpAddress(ipAddress: string): Promise<Endpoint | null>;
  list(filter: EndpointFilter, page: Page, staleBefore: Date): Promise<Paged<Endpoint>>;
  byIds(ids: readonly number[]): Promise<Endpoint[]>;
  /** Registered endpoints that have one of these names or addresses. */
  byNamesOrAddresses(names: readonly string[]): Promise<Pick<Endpoint, 'id' | 'hostname' | 'ipAddress'>[]>;
  /**
   * Holds endpoints until the transaction ends, so that their alerts change one after another; returns those that are still
   * registered. Whoever writes alerts holds their endpoints first.
   */
  hold(ids: readonly number[]): Promise<Set<number>>;
  /** The next endpoints by id after `afterId`, for walking the fleet in bounded memory. */
  batch(afterId: number, limit: number): Promise<Endpoint[]>;
  count(): Promise<number>;
  update(id: number, patch: Partial<EndpointRegistration>, now: Date): Promise<Endpoint>;
  /** Soft: the row and its history stay, the name is free again. */
  deregister(id: number, now: Date): Promise<void>;
  /** Writes what scans found, in one statement; never touches what people registered. */
  recordConditions(rows: (Endpoint & EndpointCondition)[]): Promise<void>;
  rememberHostKey(hostname: string, fingerprint: string): Promise<void>;
  hostKey(hostname: string): Promise<string | null>;
  /** Counts and sums by persona and status, in one query. */
  fleet(): Promise<FleetRow[]>;
  countStale(staleBefore: Date): Promise<number>;
  /** From when to when each endpoint was watched, of those that answered since; also of those that are no more. */
  watchedSince(since: Date): Promise<WatchedSpan[]>;
  /** What the endpoints that have a score belong to. */
  scored(): Promise<{ persona: Persona; tags: Record<string, string>; score: number }[]>;
  /** The lowest scores first. */
  worst(limit: number): Promise<Endpoint[]>;
}

export interface StoredSnapshot extends Omit<Snapshot, 'hostname'> {
  endpointId: number;
}

export interface SnapshotRepository {
  add(rows: StoredSnapshot[]): Promise<void>;
  /** By endpoint id; endpoints without any are absent. */
  latest(endpointIds: number[]): Promise<Map<number, StoredSnapshot>>;
  /** Oldest first. */
  since(endpointIds: number[], since: Date): Promise<StoredSnapshot[]>;
  /** Only the metrics whose limit is foreseen, oldest first, by endpoint id; endpoints without any are absent. */
  courses(endpointIds: readonly number[], since: Date): Promise<Map<number, CoursePoint[]>>;
}

export type CoursePoint = { atMs: number } & Pick<Snapshot, TrendMetric>;

export interface StoredScore extends Score {
  id: number;
  endpointId: number;
  scoredAt: Date;
}

export interface ScoreRepository {
  add(rows: Omit<StoredScore, 'id'>[]): Promise<void>;
  latest(endpointId: number): Promise<StoredScore | null>;
  /** Newest first. */
  history(endpointId: number, limit: number): Promise<StoredScore[]>;
}

export interface FleetScore {
  at: Date;
  /** Mean score of the endpoints that have one. */
  average: number;
  endpoints: number;
}

export interface FleetScoreRepository {
  add(score: FleetScore): Promise<void>;
  /** Oldest first. */
  since(since: Date): Promise<FleetScore[]>;
}

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
  /** Alerts created since, and how many of them are resolved, by endpoint; endpoints without any are absent. */
  remediationRecords(endpointIds: number[], since: Date): Promise<Map<number, RemediationRecord>>;
  /** All open alerts, or those of some endpoints. */
  open(endpointIds?: readonly number[]): Promise<Alert[]>;
  /** For each identity its open alert, and those of it that were resolved since. */
  recent(identities: readonly AlertIdentity[], resolvedSince: Date): Promise<Alert[]>;
  get(id: number): Promise<Alert | null>;
  /** Newest first. */
  list(filter: AlertFilter, page: Page): Promise<Paged<Alert>>;
  /** Ids in the order given. Fails on a second open alert of one identity. */
  add(drafts: readonly AlertDraft[]): Promise<number[]>;
  save(alerts: readonly Alert[]): Promise<void>;
  addEvents(events: readonly AlertEvent[]): Promise<void>;
  /** Oldest first. */
  timeline(id: number): Promise<AlertEvent[]>;
  /** Acknowledged alerts whose quiet time is over. */
  quietTimeOver(now: Date, limit: number): Promise<Alert[]>;
  /** Open alerts that healing has not looked at, oldest first. */
  unhandled(limit: number): Promise<Alert[]>;
  markHandled(ids: readonly number[], now: Date): Promise<void>;
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
  /** Fails on a second standing prediction of one metric of an endpoint. */
  add(rows: readonly Omit<StoredPrediction, 'id'>[]): Promise<void>;
  standing(endpointIds: readonly number[]): Promise<StoredPrediction[]>;
  /** Keeps what a check said of a standing prediction, or that its alert is over. */
  update(
    id: number,
    patch: Partial<Pick<StoredPrediction, 'severity' | 'impactText' | 'impactHours' | 'endedAt'>>,
  ): Promise<void>;
  /** Predictions without a verdict, by id after `afterId`. */
  unjudged(afterId: number, limit: number): Promise<StoredPrediction[]>;
  judge(rows: readonly JudgedPrediction[]): Promise<void>;
  /** Made since then, newest first. */
  since(since: Date, alertName?: PredictiveAlertName): Promise<StoredPrediction[]>;
}

export interface UnknownHost extends AlertIdentity {
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
  /** The host was registered: it is unknown no more. */
  forget(hostname: string): Promise<void>;
}

export interface OutboxRepository {
  add(messages: readonly OutboxMessage[], now: Date): Promise<void>;
  /** Adds a message unless one with its idempotency key is there already. */
  addOnce(message: OutboxMessage, now: Date): Promise<void>;
  /** Pending messages of a messenger that are due, oldest first. */
  due(messenger: string, now: Date, limit: number): Promise<StoredMessage[]>;
  /** Takes messages for one attempt, until the lease ends; returns the ids that nobody else took first. */
  lease(ids: readonly number[], now: Date, until: Date): Promise<Set<number>>;
  sent(ids: readonly number[], now: Date): Promise<void>;
  postpone(ids: readonly number[], until: Date, error: string): Promise<void>;
  dead(ids: readonly number[], error: string): Promise<void>;
  /** Messages that were given up, by messenger. */
  deadCounts(): Promise<{ messenger: string; messages: number; lastError: string }[]>;
  /** Deletes messages that were sent, or given up, before. */
  prune(before: Date): Promise<number>;
}

/** An approval as it is kept: whoever asked is a whole actor, because the approved call runs in their name. */
export type StoredApproval = Approval<Actor>;

export interface ApprovalFilter {
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
  /** Decided ones whose decision nobody was told of yet, oldest first. */
  unsettled(limit: number): Promise<StoredApproval[]>;
  decidedSince(since: Date): Promise<Pick<StoredApproval, 'requestedAt' | 'decidedAt' | 'status'>[]>;
}

export interface RemediationFilter {
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
  /** Keeps the owner's word; false when it was given before. */
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
  /** The alert's ticket that is not resolved. */
  openOf(alertId: number): Promise<Ticket | null>;
  update(id: string, patch: Partial<Ticket>): Promise<void>;
  /** Remembers a delivery of the ticket system; false when it came before. */
  noteDelivery(deliveryId: string, now: Date): Promise<boolean>;
  pruneDeliveries(before: Date): Promise<number>;
}

/** The Slack message that tells of a subject of the outbox. */
export interface SlackMessage {
  subject: string;
  channel: string;
  /** Slack's name for a message in a channel. */
  ts: string;
  /** True when the message tells of many subjects at once. */
  digest: boolean;
}

export interface SlackMessageRepository {
  find(subject: string): Promise<SlackMessage | null>;
  /** A newer message of a subject takes the place of the older. */
  keep(messages: readonly SlackMessage[]): Promise<void>;
}

export interface RunFilter {
  kind?: RunKind;
  status?: RunStatus;
  hostname?: string;
}

export interface RunRepository {
  /** Fails with kind `conflict` when the run is of a kind of which one at a time may be open, and one is. */
  add(run: Run): Promise<void>;
  get(id: string): Promise<Run | null>;
  /** Newest first, without their steps and state. */
  list(filter: RunFilter, page: Page): Promise<Paged<Run>>;
  status(id: string): Promise<RunStatus | null>;
  /** Changes a run that is in one of these statuses; false when it was not, and then nothing changed. */
  move(id: string, from: readonly RunStatus[], patch: Partial<Run>): Promise<boolean>;
  /** Moves a queued run to running; false when somebody else did or it is not queued any more. */
  claim(id: string, workerId: string, startedAt: Date): Promise<boolean>;
  /** Running runs whose process is none of these, oldest first. */
  abandoned(aliveWorkerIds: string[]): Promise<Run[]>;
  update(id: string, patch: Partial<Run>): Promise<void>;
  /** What the runs since then have cost in US dollars, of everybody or of one asker. */
  spentUsd(since: Date, requestedBy?: string): Promise<number>;
  /** Runs in one of these statuses, oldest first. */
  inStatus(statuses: RunStatus[], kind?: RunKind): Promise<Run[]>;
}

export interface AuditEntry {
  at: Date;
  actor: string;
  actorKind: string;
  via: string;
  role: string;
  tool: string;
  /** SHA-256 of the canonical input, hex: proves what was asked without keeping personal text. */
  inputDigest: string;
  /** What it was about (a hostname, an alert id), for reading the log. */
  subject: string | null;
  outcome: 'ok' | 'denied' | 'failed';
  error: string | null;
  durationMs: number;
}

export interface AuditFilter extends Partial<Pick<AuditEntry, 'actor' | 'via' | 'role' | 'tool' | 'outcome'>> {
  since?: Date;
}

export interface AuditRepository {
  append(entry: AuditEntry): Promise<void>;
  /** Newest first. */
  list(filter: AuditFilter, page: Page): Promise<Paged<AuditEntry & { id: number }>>;
}

export interface ApiKey {
  id: number;
  name: string;
  role: Role;
  createdBy: string;
  createdAt: Date;
  /** To the minute; null when it was never used. */
  lastUsedAt: Date | null;
  revokedAt: Date | null;
}

export interface ApiKeyRepository {
  /** Fails with kind `conflict` while a valid key has the name. */
  add(key: Pick<ApiKey, 'name' | 'role' | 'createdBy' | 'createdAt'>, digest: string): Promise<ApiKey>;
  /** By name, revoked ones too. */
  list(): Promise<ApiKey[]>;
  /** Valid keys only. */
  byDigest(digest: string): Promise<ApiKey | null>;
  /** The key as it is now, or null when no valid key has the name. */
  revoke(name: string, now: Date): Promise<ApiKey | null>;
  noteUse(id: number, now: Date): Promise<void>;
}

/** A process of the service. */
export interface Worker {
  id: string;
  host: string;
  /** Its process id on that host. */
  pid: number;
  startedAt: Date;
  seenAt: Date;
  /** False for one that only takes jobs, and leaves them to others. */
  works: boolean;
}

export interface WorkerRepository {
  /** Says that a process is alive. */
  beat(worker: Worker): Promise<void>;
  /** Oldest first. */
  seenSince(since: Date): Promise<Worker[]>;
  /** Says that a process ends, and forgets those that were last seen before. */
  leave(id: string, forgetBefore: Date): Promise<void>;
}

/** How a scheduled job fared, whichever process worked on it. */
export interface JobRecord {
  job: string;
  lastStartedAt: Date;
  lastSucceededAt: Date | null;
  lastFailedAt: Date | null;
  lastError: string | null;
}

export interface JobRecordRepository {
  ended(job: string, startedAt: Date, endedAt: Date, error: string | null): Promise<void>;
  list(): Promise<JobRecord[]>;
}

export interface Backups {
  /** Fails with kind `unavailable` when the database's own tool is missing. */
  create(now: Date): Promise<{ file: string; bytes: number; sha256: string }>;
}

/** Whether a runbook helped somebody on one occasion. */
export interface RunbookVote {
  docId: string;
  /** Actor id. */
  voter: string;
  /** The alert it was read for; null when for none. */
  alertId: number | null;
  helped: boolean;
}

export interface RunbookVoteRepository {
  /** A voter's later word on the same page and alert replaces the earlier one. */
  cast(vote: RunbookVote, now: Date): Promise<void>;
  /** By doc_id; pages without votes are absent. */
  counts(): Promise<Map<string, VoteCount>>;
}

/** Work that outlives a request. Facts are in the store first; the queue only says that there is something to do. */
export interface Queue {
  enqueue(job: string, data: Record<string, unknown>): Promise<void>;
  /** How many jobs are due and not taken yet. */
  waiting(): Promise<number>;
}

/** `changed`: look at the stored run again. `text`: what a model is writing, as it comes; never stored. */
export type RunEvent = { type: 'changed' } | { type: 'text'; delta: string };

/** What happens to runs in this process, for those who watch. Other processes' runs are seen by looking at the store. */
export interface RunEvents {
  publish(runId: string, event: RunEvent): void;
  /** Returns how to stop listening. */
  subscribe(runId: string, listener: (event: RunEvent) => void): () => void;
}

/** Takes over new alerts. What it was not told of because the process died, it is told after the restart. */
export interface Healing {
  handle(alerts: readonly Alert[]): Promise<void>;
}

export interface PlaybookJob {
  endpoint: Endpoint;
  /** A name on the list of shipped playbooks. */
  playbook: string;
  variables: Remediation['variables'];
  /** Tells what would change and changes nothing. */
  dryRun: boolean;
}

export interface TaskResult {
  name: string;
  status: 'ok' | 'changed' | 'failed' | 'skipped' | 'unreachable';
  /** What the task said, cut to a readable length; text of the endpoint. */
  message: string;
  durationMs: number | null;
}

export interface PlaybookReport {
  ok: boolean;
  /** Why it did not end well; null when it did. */
  reason: string | null;
  tasks: TaskResult[];
  /** What the playbook added up (freed bytes and the like). */
  stats: Record<string, unknown>;
}

/** Runs playbooks on endpoints. Never throws for what a playbook or an endpoint does. */
export interface PlaybookRunner {
  /** Why this playbook cannot be run on this endpoint from here; null when it can. */
  obstacle(endpoint: Endpoint, playbook: string): Promise<string | null>;
  run(job: PlaybookJob, signal: AbortSignal): Promise<PlaybookReport>;
}

/** What became of one message to the outside. */
export type DeliveryOutcome =
  | { outcome: 'delivered' }
  /** Not now; `afterMs` when the other side says how long to wait. */
  | { outcome: 'later'; reason: string; afterMs?: number }
  /** Never: trying again would fail again. */
  | { outcome: 'refused'; reason: string };

/** Carries messages of the outbox to one place outside. A rejection counts as `later`. */
export interface Messenger {
  /** The name by which messages are addressed to it. */
  name: string;
  /** Least time between two deliveries, milliseconds. */
  paceMs: number;
  /** More new subjects than `count` within `windowMs` are told in one digest; absent when every one is told by itself. */
  digest?: { count: number; windowMs: number };
  deliver(delivery: Delivery): Promise<DeliveryOutcome>;
  /** Told of messages that will not be tried again. */
  givenUp?(messages: readonly StoredMessage[], reason: string): Promise<void>;
}

/** A number from 0 up to 1, for jitter and for drawing lots. */
export type Random = () => number;

/** What the service counts about itself; names and labels are those of the operations guide. */
export interface Metrics {
  runFinished(kind: string, status: string, durationS: number): void;
  /** An agent was set to work, by the name of its profile. */
  agentCalled(profile: string): void;
  llmSpent(model: { provider: string; model: string }, costUsd: number): void;
  endpointScanned(collector: string, outcome: 'ok' | 'unreachable', durationS: number): void;
  fleet(counts: Record<string, number>, averageScore: number | null): void;
  jobEnded(job: string, outcome: 'ok' | 'failed', durationS: number): void;
  /** Every move of an alert from one status to another. */
  alertMoved(alertName: string, from: string, to: string): void;
  openAlerts(counts: readonly { severity: string; alertName: string; alerts: number }[]): void;
  /** Verdicts on predictions; `open` is one that was made. */
  predictionJudged(alertName: PredictiveAlertName, verdict: Verdict): void;
  /** How far predictions can be trusted; null where nothing is known yet. */
  predictionAccuracy(
    figures: Pick<PredictionAccuracy, 'precision' | 'leadHoursMedian' | 'falseAlarmsPerEndpointWeek'>,
  ): void;
  webhookDelivered(webhook: string, outcome: string): void;
  messageTried(messenger: string, outcome: string): void;
  /** Every remediation that ended. */
  remediationEnded(playbook: string, outcome: string): void;
  approvalEnded(kind: string, outcome: string): void;
  /** Messages to the outside that were given up. */
  deadMessages(counts: readonly { messenger: string; messages: number }[]): void;
  configRefused(file: string): void;
  toolCalled(tool: string, face: string, outcome: string, durationS: number): void;
}

/** Structured log, pino-shaped. */
export interface Log {
  debug(fields: object, message?: string): void;
  info(fields: object, message?: string): void;
  warn(fields: object, message?: string): void;
  error(fields: object, message?: string): void;
  child(fields: object): Log;
}
