/** Everything that is kept, and how the service keeps record of its own work. */
import type { Selection } from '../../domain/fleet/selection.ts';
import type { Run, RunKind, RunStatus } from '../../domain/run.ts';
import type { VoteCount } from '../../domain/runbooks/runbookVotes.ts';
import type { KeyHolder, Role } from '../actor.ts';
import type { Page, Paged } from '../page.ts';
import type {
  AlertRepository,
  ApprovalRepository,
  PredictionRepository,
  RemediationRepository,
  TicketRepository,
  UnknownHostRepository,
} from './alertPorts.ts';
import type {
  AliasRepository,
  EndpointRepository,
  FleetScoreRepository,
  ScoreRepository,
  SnapshotRepository,
} from './endpointPorts.ts';
import type { AgentRepository, EnrolmentRepository } from './enrolmentPorts.ts';
import type { EscalationRepository, OnCallRepository } from './escalationPorts.ts';
import type { FeedbackRepository, SurveyRepository } from './feedbackPorts.ts';
import type { SignInSessionRepository } from './identityPorts.ts';
import type { OutboxRepository, SlackMessageRepository } from './messagePorts.ts';
import type {
  AccessRepository,
  IdentityRepository,
  PauseRepository,
  PersonalDataRepository,
  RevealRepository,
} from './privacyPorts.ts';
import type { OwnerRemedyRepository } from './remedyPorts.ts';
import type { RetentionRepository } from './retentionPorts.ts';

/** The machines of a selection and all that is about them, and what is the caller's own. */
export interface DataScope {
  selection: Selection;
  /** Machines registered under this address, in lower case, are seen too; null where nobody vouches for one. */
  ownerEmail: string | null;
  /** Runs and approvals that this actor asked for are seen too. */
  actorId: string;
}

/** Everything that is kept. Repositories return plain values, never live entities. */
export interface Store {
  readonly endpoints: EndpointRepository;
  readonly aliases: AliasRepository;
  readonly enrolments: EnrolmentRepository;
  readonly agents: AgentRepository;
  readonly snapshots: SnapshotRepository;
  readonly scores: ScoreRepository;
  readonly fleetScores: FleetScoreRepository;
  readonly alerts: AlertRepository;
  readonly predictions: PredictionRepository;
  readonly unknownHosts: UnknownHostRepository;
  readonly outbox: OutboxRepository;
  readonly slackMessages: SlackMessageRepository;
  readonly approvals: ApprovalRepository;
  readonly escalations: EscalationRepository;
  readonly onCall: OnCallRepository;
  readonly remediations: RemediationRepository;
  readonly ownerRemedies: OwnerRemedyRepository;
  readonly tickets: TicketRepository;
  readonly feedback: FeedbackRepository;
  readonly surveys: SurveyRepository;
  readonly runs: RunRepository;
  readonly llmSpending: LlmSpendRepository;
  readonly scanShards: ScanShardRepository;
  readonly audit: AuditRepository;
  readonly apiKeys: ApiKeyRepository;
  readonly signInSessions: SignInSessionRepository;
  readonly workers: WorkerRepository;
  readonly jobs: JobRecordRepository;
  readonly runbookVotes: RunbookVoteRepository;
  readonly retention: RetentionRepository;
  readonly identities: IdentityRepository;
  readonly reveals: RevealRepository;
  readonly accesses: AccessRepository;
  readonly pauses: PauseRepository;
  readonly personalData: PersonalDataRepository;
  /** All or nothing; nested calls join the outer one. */
  transaction<T>(work: (store: Store) => Promise<T>): Promise<T>;
  /** Fails with kind `unavailable` when the database does not answer. */
  ping(): Promise<void>;
  /** One text per topic that is another one whenever something of the topic was written, by whatever process. */
  changeMarkers(): Promise<Record<ChangeTopic, string>>;
  /** The same store, in which whatever is read is within the scope: the rest is as if it were not there, counts included. */
  within(scope: DataScope): Store;
}

/** What those who watch are told of as one. */
export const CHANGE_TOPICS = ['machines', 'alerts', 'approvals', 'runs'] as const;
export type ChangeTopic = (typeof CHANGE_TOPICS)[number];

interface RunFilter {
  kind?: RunKind;
  status?: RunStatus;
  hostname?: string;
  /** Leaves out what was asked for through this interface. */
  notVia?: string;
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
  abandoned(workerIds: string[]): Promise<Run[]>;
  update(id: string, patch: Partial<Run>): Promise<void>;
  /** Runs in one of these statuses, oldest first. */
  inStatus(statuses: RunStatus[], kind?: RunKind): Promise<Run[]>;
}

/** US dollars: what was paid, and what is set aside for turns under way. */
export interface Spending {
  spentUsd: number;
  reservedUsd: number;
}

export interface LlmSpendRepository {
  /**
   * What each of these callers has spent on a day, `YYYY-MM-DD`; nobody else changes it until the transaction ends.
   * Days before the one before are forgotten: at midnight some still settle what they began.
   */
  hold(day: string, callers: readonly string[]): Promise<Map<string, Spending>>;
  /** Adds to what these callers have spent and set aside. */
  add(day: string, callers: readonly string[], change: Spending): Promise<void>;
}

/** A part of a fleet scan: a span of endpoints that one process at a time scans. It is gone when its run has ended. */
export interface ScanShard extends ScanCounts {
  id: string;
  runId: string;
  /** Endpoint ids, both included. */
  fromId: number;
  toId: number;
  /** Endpoints in the span when the scan began. */
  endpoints: number;
  status: 'queued' | 'running' | 'completed' | 'failed';
  workerId: string | null;
  /** How often it was taken; also distinguishes who has it now from who had it before. */
  attempts: number;
  /** Endpoints whose results are committed. */
  doneIds: number[];
  notes: string[];
}

/** Endpoints by what became of them. */
export interface ScanCounts {
  scanned: number;
  scored: number;
  unreachable: number;
  skippedPush: number;
}

export interface ScanTotals extends ScanCounts {
  endpoints: number;
  shards: number;
  /** Shards that are neither completed nor failed. */
  openShards: number;
  failedShards: number;
  /** Endpoints that were not scanned because their shard failed. */
  missed: number;
}

export interface ScanShardRepository {
  add(shards: ScanShard[]): Promise<void>;
  /** Takes the next queued shard of a run for a process; null when none is queued. */
  claimNext(runId: string, workerId: string): Promise<ScanShard | null>;
  /** Changes a running shard for who took it with that attempt; false when somebody else has it or it ended, and then nothing changed. */
  keep(held: Pick<ScanShard, 'id' | 'attempts'>, patch: Partial<ScanShard>): Promise<boolean>;
  /** Shards that are queued or running, in the order of their endpoints. */
  open(runId: string): Promise<ScanShard[]>;
  totals(runId: string): Promise<ScanTotals>;
  /** What shards of the run noted. */
  notes(runId: string): Promise<string[]>;
  drop(runId: string): Promise<void>;
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

interface AuditFilter extends Partial<Pick<AuditEntry, 'actor' | 'via' | 'role' | 'tool' | 'outcome'>> {
  since?: Date;
}

export interface AuditRepository {
  append(entries: readonly AuditEntry[]): Promise<void>;
  /** Newest first. */
  list(filter: AuditFilter, page: Page): Promise<Paged<AuditEntry & { id: number }>>;
}

export interface ApiKey {
  id: number;
  name: string;
  role: Role;
  holder: KeyHolder;
  /** The part of the fleet for which the role holds; null for all of it. */
  selection: Selection | null;
  createdBy: string;
  createdAt: Date;
  /** To the minute; null when it was never used. */
  lastUsedAt: Date | null;
  revokedAt: Date | null;
}

export interface ApiKeyRepository {
  /** Fails with kind `conflict` while a valid key has the name. */
  add(
    key: Pick<ApiKey, 'name' | 'role' | 'holder' | 'selection' | 'createdBy' | 'createdAt'>,
    digest: string,
  ): Promise<ApiKey>;
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

/** Times are those of this process's clock. Kept by the database's, so that processes whose clocks differ judge one another alike. */
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
  /** Ever. */
  failures: number;
  lastError: string | null;
}

export interface JobRecordRepository {
  ended(job: string, startedAt: Date, endedAt: Date, error: string | null): Promise<void>;
  list(): Promise<JobRecord[]>;
}

/** Whether a runbook helped somebody on one occasion. */
interface RunbookVote {
  docId: string;
  /** Actor id. */
  voter: string;
  /** The alert it was read for; null when for none. */
  alertId: number | null;
  helped: boolean;
}

export interface RunbookVoteRepository {
  /** A voter's later vote on the same page and alert replaces the earlier one. */
  cast(vote: RunbookVote, now: Date): Promise<void>;
  /** By doc_id; pages without votes are absent. */
  counts(): Promise<Map<string, VoteCount>>;
}
