/** How endpoints, what was measured on them, and their scores are kept. */
import type {
  Endpoint,
  EndpointCondition,
  EndpointRegistration,
  EndpointState,
  Persona,
  ScoreStatus,
} from '../../domain/fleet/endpoint.ts';
import type { Alias, KnownEndpoint } from '../../domain/fleet/hostIdentity.ts';
import type { WatchedSpan } from '../../domain/forecasts/prediction.ts';
import type { TrendMetric } from '../../domain/forecasts/trendRules.ts';
import type { SampleStretch } from '../../domain/plan/sampleStretch.ts';
import type { FleetMember } from '../../domain/scores/fleetGroups.ts';
import type { Score } from '../../domain/scores/score.ts';
import type { SignalName } from '../../domain/signals/catalogue.ts';
import type { Snapshot } from '../../domain/signals/telemetry.ts';
import type { Page, Paged } from '../page.ts';

export interface EndpointFilter {
  /** Words in lower case, each of which is a part of the name, the owner, the address, a tag or an alias. */
  search?: string;
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
  scoreStatus?: ScoreStatus;
  /** Only those that have a score, from this one on. */
  minScore?: number;
  /** Only those that have a score, below this one. */
  belowScore?: number;
}

/** What lists of endpoints are sorted by; those without a value come last, whichever way. */
export const ENDPOINT_SORTS = ['hostname', 'score', 'persona', 'criticalityTier', 'ownerEmail', 'lastSeenAt'] as const;

interface EndpointOrder {
  by: (typeof ENDPOINT_SORTS)[number];
  descending: boolean;
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
  /** Many at once, in the order given; fails with kind `conflict`, and registers none, when one of the hostnames is taken. */
  registerAll(
    registrations: readonly (EndpointRegistration & { agentTokenDigest: string | null })[],
    now: Date,
  ): Promise<Endpoint[]>;
  get(hostname: string): Promise<Endpoint | null>;
  /** Those that are registered, in no order. */
  byHostnames(hostnames: readonly string[]): Promise<Endpoint[]>;
  /** By digest; tokens of nobody are absent. */
  byAgentTokens(digests: readonly string[]): Promise<Map<string, Endpoint>>;
  /** Of these, the ids of those whose agent may report. */
  withAgent(ids: readonly number[]): Promise<number[]>;
  /** By hostname unless an order is given. */
  list(filter: EndpointFilter, page: Page, staleBefore: Date, order?: EndpointOrder): Promise<Paged<Endpoint>>;
  byIds(ids: readonly number[]): Promise<Endpoint[]>;
  /** Registered endpoints that have one of these canonical names or addresses. */
  byNamesOrAddresses(names: readonly string[]): Promise<Omit<KnownEndpoint, 'aliases'>[]>;
  /**
   * Holds endpoints until the transaction ends, so that their alerts change one after another; returns those that are still
   * registered. Whoever writes alerts holds their endpoints first.
   */
  hold(ids: readonly number[]): Promise<Set<number>>;
  /** The next endpoints by id after `afterId`, for walking the fleet in bounded memory. */
  batch(afterId: number, limit: number): Promise<Endpoint[]>;
  /** Endpoints by id from one to another, both included. */
  between(fromId: number, toId: number): Promise<Endpoint[]>;
  /** Cuts the fleet, by id, into spans of so many endpoints. */
  spans(size: number): Promise<{ fromId: number; toId: number; endpoints: number }[]>;
  count(): Promise<number>;
  update(id: number, patch: Partial<EndpointRegistration>, now: Date): Promise<Endpoint>;
  /** Writes what is registered about many, in one statement. */
  updateAll(endpoints: readonly (EndpointRegistration & { id: number })[], now: Date): Promise<void>;
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
  /** How many have a score from 0 up to 10, from 10 up to 20 and so on; 100 counts as the last ten. */
  distribution(): Promise<number[]>;
  /** What the fleet is grouped by, of every endpoint. */
  members(): Promise<FleetMember[]>;
  /** The lowest scores first. */
  worst(limit: number): Promise<Endpoint[]>;
}

export interface AliasRepository {
  /** Of registered endpoints, those with one of these values. */
  byValues(values: readonly string[]): Promise<(Omit<KnownEndpoint, 'aliases'> & { alias: Alias })[]>;
  /** By endpoint id, in the order they were added; endpoints without any are absent. */
  ofEndpoints(endpointIds: readonly number[]): Promise<Map<number, Alias[]>>;
  /** Keeps them; what a person says of a value replaces what was seen or derived, never the other way round. */
  keep(endpointId: number, aliases: readonly Alias[], now: Date): Promise<void>;
  /** False when the endpoint has no such alias. */
  remove(endpointId: number, value: string): Promise<boolean>;
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
  /**
   * Only the metrics whose limit is predicted, oldest first, by endpoint id; endpoints without any are absent. What is too old
   * to be kept by itself comes as means of hours, each at the hour's beginning.
   */
  histories(endpointIds: readonly number[], since: Date): Promise<Map<number, MetricPoint[]>>;
  /**
   * Samples as series, by endpoint id and time, with these signals only and from the whole days on in which `since` lies; what
   * is left only as hourly means is not among them.
   */
  stretches(
    endpointIds: readonly number[],
    since: Date,
    signals: ReadonlySet<SignalName>,
  ): Promise<Map<number, SampleStretch[]>>;
}

export type MetricPoint = { atMs: number } & Record<TrendMetric, number | null>;

export interface StoredScore extends Score {
  id: number;
  endpointId: number;
  scoredAt: Date;
}

/** A score, or what is left of an hour of scores: their means, at the hour's beginning. */
export interface ScorePoint extends Pick<StoredScore, 'score' | 'components' | 'scoredAt'> {
  /** Null for a single score. */
  hourly: { lowest: number; highest: number; scans: number } | null;
}

export interface ScoreRepository {
  add(rows: Omit<StoredScore, 'id'>[]): Promise<void>;
  latest(endpointId: number): Promise<StoredScore | null>;
  /** Newest first, from before a timestamp or up to now; what is too old to be kept by itself comes as hours. */
  history(endpointId: number, limit: number, before?: Date): Promise<ScorePoint[]>;
}

export interface FleetScore {
  at: Date;
  /** Mean score of the endpoints that have one. */
  average: number;
  endpoints: number;
}

export interface FleetScoreRepository {
  add(score: FleetScore): Promise<void>;
  /** Oldest first; what is too old to be kept by itself comes as means of hours. */
  since(since: Date): Promise<(FleetScore & { hourly: boolean })[]>;
}
