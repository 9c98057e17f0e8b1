/** A registered machine: who has it, what matters about it, how it is scanned, and what is known of it now. */
import type { OsPlatform } from '../signals/declaration.ts';
import type { CollectorKind, CollectorOptions } from '../signals/telemetry.ts';

export const PERSONAS = ['developer', 'salesperson', 'executive', 'tech', 'general'] as const;
export type Persona = (typeof PERSONAS)[number];

/** 1 = critical (bound by a service level), 2 = standard, 3 = low priority. */
export type CriticalityTier = 1 | 2 | 3;

/** Whether an endpoint's last answer is recent enough to be believed. */
export const ENDPOINT_STATES = ['never_seen', 'fresh', 'stale'] as const;
export type EndpointState = (typeof ENDPOINT_STATES)[number];

/** What a person says of an endpoint when registering it. */
export interface EndpointRegistration {
  hostname: string;
  ipAddress: string | null;
  ownerEmail: string | null;
  persona: Persona;
  criticalityTier: CriticalityTier;
  osPlatform: OsPlatform;
  tags: Record<string, string>;
  collector: CollectorKind;
  options: CollectorOptions;
}

/** What the last scans found, kept beside the registration so that a list never asks once per endpoint. */
export interface EndpointCondition {
  lastScanAt: Date | null;
  /** When it last answered. */
  lastSeenAt: Date | null;
  /** Why it did not answer at the last scan; null when it did. */
  unreachableReason: string | null;
  score: number | null;
  scoreStatus: ScoreStatus;
  coverage: number | null;
  scoredAt: Date | null;
  /** Consecutive scans each alert rule has been breached, by alert name. */
  breaches: Record<string, number>;
}

export interface Endpoint extends EndpointRegistration, EndpointCondition {
  id: number;
  registeredAt: Date;
  updatedAt: Date;
  deregisteredAt: Date | null;
}

/** `unreachable`: it did not answer the last scan; its score is what was known before. */
export const SCORE_STATUSES = ['healthy', 'at_risk', 'critical', 'unknown', 'unreachable'] as const;

/** Statuses whose score says nothing about now. */
export function hasVerdict(status: string): boolean {
  return status !== 'unknown' && status !== 'unreachable';
}

/** How a status reads beside its number: one that less than half of the weight stands behind is partial and no verdict. */
export function statusText(status: string, score: number | null): string {
  if (status === 'unknown' && score !== null) return 'partial';
  return status === 'unreachable' ? 'not reachable' : status.replaceAll('_', ' ');
}

export type ScoreStatus = (typeof SCORE_STATUSES)[number];

/** Scans an endpoint may miss before what is known of it counts as stale. */
const MISSED_SCANS_UNTIL_STALE = 3;

/** @param scanIntervalMs time between two fleet scans, milliseconds */
export function staleAfterMs(scanIntervalMs: number): number {
  return scanIntervalMs * MISSED_SCANS_UNTIL_STALE;
}

/** @param scanIntervalMs time between two fleet scans, milliseconds */
export function endpointState(
  endpoint: Pick<Endpoint, 'lastSeenAt'>,
  now: Date,
  scanIntervalMs: number,
): EndpointState {
  if (!endpoint.lastSeenAt) return 'never_seen';
  return now.getTime() - endpoint.lastSeenAt.getTime() > staleAfterMs(scanIntervalMs) ? 'stale' : 'fresh';
}

/** By field: its new value, or null to remove it. */
export type MergePatch<T> = { [Field in keyof T]?: T[Field] | null };

/** Changes only what the patch names (JSON Merge Patch, RFC 7396, one level deep). */
export function mergePatch<T extends object>(current: T, patch: MergePatch<T>): T {
  const entries = Object.entries({ ...current, ...patch }).filter(([, value]) => value !== null && value !== undefined);
  return Object.fromEntries(entries) as T;
}
