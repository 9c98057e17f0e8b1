/** Every interface that core drives; adapters implement them, app.ts hands them in. */

import type { ScoreConfig } from '../../domain/alerts/alertRules.ts';
import type { EscalationRules } from '../../domain/escalation/policy.ts';
import type { Endpoint } from '../../domain/fleet/endpoint.ts';
import type { ReportOrigin } from '../../domain/fleet/reporter.ts';
import type { PredictionAccuracy, PredictionVerdict } from '../../domain/forecasts/prediction.ts';
import type { PredictiveAlertName } from '../../domain/forecasts/predictiveAlert.ts';
import type { HealingMode, Remediation } from '../../domain/healing/remediation.ts';
import type { RemediationRules } from '../../domain/healing/remediationGuards.ts';
import type { ScoreThresholds } from '../../domain/scores/score.ts';
import type { ScanTarget, Snapshot } from '../../domain/signals/telemetry.ts';
import type { Actor } from '../actor.ts';
import type { ChartRenderer } from '../chart.ts';
import type { Tracing } from '../tracing.ts';
import type { AlertIntake } from './alertPorts.ts';
import type { AgentReleases } from './enrolmentPorts.ts';
import type { PeopleDirectory } from './feedbackPorts.ts';
import type { PrivacyBoundary } from './privacyBoundary.ts';
import type { Runbooks } from './runbookPorts.ts';
import type { RunEvents, RunKindHandlers } from './runPorts.ts';
import type { SourceConfig, SourceReader } from './sourcePorts.ts';
import type { Store, Worker } from './storePorts.ts';

export interface Ports {
  store: Store;
  /** Scans endpoints itself. */
  collector: Collector;
  /** Collects from endpoints in a scan: the collector, or an agent that may use it. */
  scanner: Collector;
  scoreRules: Reloaded<ScoreConfig>;
  remediationMap: Reloaded<RemediationRules>;
  /** Reads edits of the two files above that are not in force; fails with kind `invalid` for what does not hold. */
  edits: EditReader;
  /** Who is reached while nobody answers. */
  escalation: Reloaded<EscalationRules>;
  runner: PlaybookRunner;
  queue: Queue;
  runEvents: RunEvents;
  /** What each kind of run does. */
  runKinds: RunKindHandlers;
  agents: Agents;
  /** This process, as it names itself among those that share the work. */
  worker: Omit<Worker, 'seenAt' | 'works'>;
  /** Ids of the runs and shards that this process works on at the moment. */
  inProgress: Set<string>;
  backups: Backups;
  machineLists: MachineLists;
  /** The systems of `config/sources.yaml`. */
  sources: Reloaded<SourceConfig[]>;
  sourceReader: SourceReader;
  alertIntake: AlertIntake;
  /** Who reports with which token. */
  reporters: ReporterWatch;
  snapshotIntake: SnapshotIntake;
  agentReleases: AgentReleases;
  /** Who handles new alerts and heals what it may; absent while nothing does. */
  healing?: Healing;
  runbooks: Runbooks;
  /** Who people are, where messages reach them; absent while no messages to people can be sent. */
  people?: PeopleDirectory;
  /** Between names and pseudonyms; absent where everything is shown by name. */
  privacy?: PrivacyBoundary | undefined;
  charts: ChartRenderer;
  metrics: Metrics;
  tracing: Tracing;
  log: Log;
  clock: Clock;
  ids: Ids;
  tokens: Tokens;
  random: Random;
  settings: Settings;
}

export interface ReporterWatch {
  /** @param refused whether the report was refused for its time */
  note(hostname: string, origin: ReportOrigin, refused: boolean): void;
  /** What is wrong with who reports as this endpoint; null when nothing is. */
  remarkOf(hostname: string): string | null;
  /** For the health page. */
  report(): { status: 'ok' | 'degraded'; detail?: string; wrong_clocks: number; shared_tokens: number };
}

/** The part of the configuration that use cases read. */
export interface Settings {
  scanIntervalMs: number;
  /** How long snapshots and scores are kept one by one, before they become hourly means. */
  retentionDays: number;
  /** Labels of alerts that name the machine, best first. */
  hostLabels: readonly string[];
  /** Endpoints scanned side by side in a fleet scan. */
  scanConcurrency: number;
  thresholds: ScoreThresholds;
  /** The messengers that are notified how alerts move; empty when nobody listens. */
  alertMessengers: readonly string[];
  /** IANA zone of people whose own is not known. */
  timeZone: string;
  healing: HealingMode;
  /** Whether owners are written to about problems of their own machines. */
  ownerRemedies: boolean;
  /** Whether a ticket system is connected. */
  tickets: boolean;
  /** Whether agents are offered the version that the service was deployed with: to a few first, to all at once, to none. */
  agentUpdates: 'staged' | 'all' | 'off';
  /** Where people reach this service, without a slash at the end; empty when nobody said. */
  publicUrl: string;
  /** Whether a second administrator has to agree to a reveal. */
  revealNeedsSecond: boolean;
  /** The systems outside that get something of what is kept here. */
  recipients: readonly OutsideRecipient[];
}

/** A system outside that gets something: a processor, or one of one's own. */
export interface OutsideRecipient {
  kind: 'model' | 'slack' | 'tickets' | 'other';
  name: string;
  /** Its host, or what the configuration calls it. */
  where: string;
  gets: string;
  purpose: string;
}

/** What became of a report. */
export interface TakenSnapshot {
  /** False for a repeat. */
  recorded: boolean;
  score: number | null;
  /** The end of the newest pause of measuring; long past where there never was one. */
  pausedUntil: Date;
}

/** Takes in what agents report. */
export interface SnapshotIntake {
  /**
   * @param read makes the snapshot of what the endpoint reported
   * @throws AppError what `read` throws, `not_found` for a hostname that is not registered
   */
  take(hostname: string, read: (endpoint: Endpoint) => Snapshot): Promise<TakenSnapshot>;
}

/** A configuration file that may change while the service runs; a broken edit leaves the last good value. */
export interface Reloaded<T> {
  current(): T;
}

/** Texts of configuration files, read and checked as the files themselves are. */
interface EditReader {
  scoreRules(text: string): ScoreConfig;
  remediationMap(text: string): RemediationRules;
  /** Runs what replays an edit, one after another in this process: each takes a processor for seconds or minutes. */
  inTurn<T>(replay: () => Promise<T>): Promise<T>;
}

/** What may be asked of agents. */
interface Agents {
  /** Whether there is a model for them to think with; without one they answer by rules. */
  haveModel: boolean;
  /** Names of the profiles there are now. */
  profiles(): readonly string[];
  /** Who gets what agents send; null while no model is connected. */
  provider(): OutsideRecipient | null;
  /** What would leave for the provider if somebody asked a question, part by part. */
  preview(
    asked: { question: string; profileName?: string | undefined },
    actor: Actor,
    signal: AbortSignal,
  ): Promise<PreviewedPart[]>;
}

/** A part of what a model would be sent. */
export interface PreviewedPart {
  part: string;
  text: string;
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
  /** @param prefix says what the secret is for, so that whoever finds one knows; `dex` unless given */
  issue(prefix?: string): { token: string; digest: string };
  digest(token: string): string;
  /** The same for the same text in this process; nobody can tell the text from it, or make it again afterwards. */
  pseudonym(text: string): string;
}

export interface CollectContext {
  now: Date;
  /** Aborted when the endpoint's time is up or the service stops. */
  signal: AbortSignal;
  /** When the endpoint was last scanned, for counting what happened since; null when never. */
  previousScanAt: Date | null;
  /** Set by fleet scans: a rate that needs a second sample is left to the next scan instead of waited for. */
  quick?: boolean;
  /** Takes what the run should say about how the endpoint was scanned. */
  note?(text: string): void;
}

/** Scans endpoints. Never throws for what the endpoint does: unreachable, slow and garbled are snapshots with a reason. */
export interface Collector {
  collect(target: ScanTarget, context: CollectContext): Promise<Snapshot>;
}

export interface Backups {
  /** Fails with kind `unavailable` when the database's own tool is missing. */
  create(now: Date): Promise<{ file: string; bytes: number; sha256: string }>;
  /** Replaces names in all backups that lie here; returns how many were written anew. */
  erase(names: { words: readonly string[]; replacement: string }): Promise<number>;
}

/** What a list of machines says; lines count from 1, entries of JSON too. */
export interface MachineList {
  rows: { line: number; fields: Record<string, unknown> }[];
  /** Lines that cannot be read at all. */
  problems: { line: number; problem: string }[];
}

export interface MachineLists {
  /** Fails with kind `invalid` for text that is no list, `too_large` for one that is too long. */
  read(text: string): Promise<MachineList>;
}

/** Work that outlives a request. Facts are in the store first; the queue only says that there is something to do. */
export interface Queue {
  enqueue(job: string, data: Record<string, unknown>): Promise<void>;
  /** Adds a job without data, unless one that nobody has begun waits already: that one sees what is stored by now. */
  enqueueOnce(job: string): Promise<void>;
  /** The data of the jobs of this name that nobody has begun yet. */
  pendingJobs(job: string): Promise<Record<string, unknown>[]>;
  /** Frees the jobs that processes had taken which are no more; each is done by the next that asks for work. */
  releaseJobsOf(workerIds: readonly string[]): Promise<void>;
}

/** Heals new alerts, or gives them to people. */
export interface Healing {
  /** Handles all that were not handled yet, those included that a stopped process left. */
  handleNewAlerts(): Promise<void>;
}

export interface PlaybookJob {
  endpoint: Endpoint;
  /** A name on the list of shipped playbooks. */
  playbook: string;
  variables: Remediation['variables'];
  /** Reports what would change and changes nothing. */
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
  blockingReason(endpoint: Endpoint, playbook: string): Promise<string | null>;
  run(job: PlaybookJob, signal: AbortSignal): Promise<PlaybookReport>;
}

/** A number from 0 up to 1, for jitter and for drawing lots. */
export type Random = () => number;

/** What the service counts about itself; names and labels are those of the operations guide. */
export interface Metrics {
  runFinished(kind: string, status: string, durationS: number): void;
  /** An agent was set to work, by the name of its profile. */
  agentCalled(profile: string): void;
  /** Somebody said whether an agent's answer helped. */
  answerRated(helpful: boolean): void;
  llmSpent(model: { provider: string; model: string }, costUsd: number): void;
  endpointScanned(collector: string, outcome: 'ok' | 'unreachable', durationS: number): void;
  jobEnded(job: string, outcome: 'ok' | 'failed', durationS: number): void;
  /** Every move of an alert from one status to another. */
  alertMoved(alertName: string, from: string, to: string): void;
  openAlerts(counts: readonly { severity: string; alertName: string; alerts: number }[]): void;
  /** Verdicts on predictions; `open` is one that was made. */
  predictionJudged(alertName: PredictiveAlertName, verdict: PredictionVerdict): void;
  /** How far predictions can be trusted; null where nothing is known yet. */
  predictionAccuracy(
    figures: Pick<PredictionAccuracy, 'precision' | 'leadHoursMedian' | 'falseAlarmsPerEndpointWeek'>,
  ): void;
  webhookDelivered(webhook: string, outcome: string): void;
  /** Alerts that a delivery says it lacks. */
  alertsTruncated(alerts: number): void;
  messageTried(messenger: string, outcome: string): void;
  /** Every remediation that ended. */
  remediationEnded(playbook: string, outcome: string): void;
  approvalEnded(kind: string, outcome: string): void;
  /** Messages to the outside that were given up. */
  deadMessages(counts: readonly { messenger: string; messages: number }[]): void;
  configRefused(file: string): void;
  toolCalled(tool: string, via: string, outcome: string, durationS: number): void;
}

/** Structured log, pino-shaped. */
export interface Log {
  debug(fields: object, message?: string): void;
  info(fields: object, message?: string): void;
  warn(fields: object, message?: string): void;
  error(fields: object, message?: string): void;
  child(fields: object): Log;
}
