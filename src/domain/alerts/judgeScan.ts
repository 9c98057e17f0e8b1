/** What one scan says of a machine: its score, its breaches and what its alerts should do; the same now and in a replay. */
import type { Endpoint } from '../fleet/endpoint.ts';
import { type RemediationRecord, type Score, type ScoreThresholds, scoreSnapshot } from '../scores/score.ts';
import type { Snapshot } from '../signals/telemetry.ts';
import type { Alert } from './alert.ts';
import type { Observation } from './alertMoves.ts';
import { findingsOf, judgeMeasurements, judgeScore, type RuleFinding, type ScoreConfig } from './alertRules.ts';

/** What follows from the readings alone, whatever was before. */
export interface JudgedReadings {
  /** Of each alert rule, in the rules' order. */
  findings: readonly RuleFinding[];
  /** @param record the endpoint's alerts of the days that the remediation component considers */
  scoreWith(record: RemediationRecord): Score | null;
}

export function judgeReadings(
  { persona, osPlatform }: Pick<Endpoint, 'persona' | 'osPlatform'>,
  snapshot: Omit<Snapshot, 'hostname' | 'collector' | 'ignoredSignals'>,
  rules: ScoreConfig,
  thresholds: ScoreThresholds,
): JudgedReadings {
  return {
    findings: findingsOf(rules, snapshot, osPlatform),
    scoreWith: (record) => scoreSnapshot({ snapshot, persona, osPlatform }, record, rules, thresholds),
  };
}

interface ScanJudgement {
  score: Score | null;
  /** Consecutive scans each rule has been breached, by alert name. */
  breaches: Record<string, number>;
  observations: Observation[];
}

/** @param open the endpoint's open alerts */
export function judgeScan(
  endpoint: Pick<Endpoint, 'id' | 'hostname' | 'breaches'>,
  collectedAt: Date,
  { findings, scoreWith }: JudgedReadings,
  open: readonly Pick<Alert, 'alertName' | 'series'>[],
  record: RemediationRecord,
  rules: ScoreConfig,
  thresholds: ScoreThresholds,
): ScanJudgement {
  const { breaches, observations } = judgeMeasurements(endpoint, collectedAt, findings, open, rules);
  // What this very scan finds to be over counts as resolved already.
  const over = observations.filter(({ state }) => state === 'clear').length;
  const score = scoreWith({ ...record, resolved: Math.min(record.total, record.resolved + over) });
  const ofScore = judgeScore(endpoint, collectedAt, score, open, thresholds);
  return { score, breaches, observations: [...observations, ...ofScore] };
}
