/** Every interface that core drives; adapters implement them, app.ts hands them in. */
import type { Alert } from '../domain/alert.ts';
import type { Endpoint, EndpointCondition, EndpointRegistration, EndpointState, Persona } from '../domain/endpoint.ts';
import type { Run, RunKind, RunStatus } from '../domain/run.ts';
import type { RemediationRecord, Score, ScoreThresholds } from '../domain/score.ts';
import type { ScanTarget, Snapshot } from '../domain/telemetry.ts';
import type { Role } from './actor.ts';
import type { ChartRenderer } from './chart.ts';
import type { ScoreConfig } from './scoreRules.ts';

export interface Ports {
  store: Store;
  collector: Collector;
  scoreRules: Reloaded<ScoreConfig>;
  queue: Queue;
  /** This process, as it names itself among those that share the work. */
  worker: Omit<Worker, 'seenAt' | 'works'>;
  backups: Backups;
  charts: ChartRenderer;
  metrics: Metrics;
  log: Log;
  clock: Clock;
  ids: Ids;
  tokens: Tokens;
  settings: Settings;
}

/** The part of the configuration that use cases read. */
export interface Settings {
  scanIntervalMs: number;
  /** Endpoints looked at side by side in a fleet scan. */
  scanConcurrency: number;
  thresholds: ScoreThresholds;
}

/** A configuration file that may change while the service runs; a broken edit leaves the last good value. */
export interface Reloaded<T> {
  current(): T;
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
}

/** Looks at endpoints. Never throws for what the endpoint does: unreachable, slow and garbled are snapshots with a reason. */
export interface Collector {
  collect(target: ScanTarget, context: CollectContext): Promise<Snapshot>;
}

export interface Page {
  limit: number;
  offset: number;
}

export interface Paged<T> {
  items: T[];
  total: number;
}

/** Everything that is kept. Repositories return plain values, never live entities. */
export interface Store {
  readonly endpoints: EndpointRepository;
  readonly snapshots: SnapshotRepository;
  readonly scores: ScoreRepository;
  readonly alerts: AlertRepository;
  readonly runs: RunRepository;
  readonly audit: AuditRepository;
  readonly apiKeys: ApiKeyRepository;
  readonly workers: WorkerRepository;
  readonly jobs: JobRecordRepository;
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
}

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

export interface AlertRepository {
  /** Alerts created since, and how many of them are resolved, by endpoint; endpoints without any are absent. */
  remediationRecords(endpointIds: number[], since: Date): Promise<Map<number, RemediationRecord>>;
  open(endpointIds: number[]): Promise<Alert[]>;
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
  /** Newest first. */
  list(filter: RunFilter, page: Page): Promise<Paged<Run>>;
  /** Moves a queued run to running; false when somebody else did or it is not queued any more. */
  claim(id: string, workerId: string, now: Date): Promise<boolean>;
  /** Ends running runs of every process but these, all at once; returns how many. */
  interrupt(aliveWorkerIds: string[], now: Date, error: string): Promise<number>;
  update(id: string, patch: Partial<Run>): Promise<void>;
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

/** Work that outlives a request. Facts are in the store first; the queue only says that there is something to do. */
export interface Queue {
  enqueue(job: string, data: Record<string, unknown>): Promise<void>;
  /** How many jobs are due and not taken yet. */
  waiting(): Promise<number>;
}

/** What the service counts about itself; names and labels are those of the operations guide. */
export interface Metrics {
  runFinished(kind: string, status: string, durationS: number): void;
  endpointScanned(collector: string, outcome: 'ok' | 'unreachable', durationS: number): void;
  fleet(counts: Record<string, number>, averageScore: number | null): void;
  jobEnded(job: string, outcome: 'ok' | 'failed', durationS: number): void;
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
