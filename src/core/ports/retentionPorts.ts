/** How samples become roll-ups, and what else is forgotten in the end. */
import type { FleetMeasure, HourlyRollUp, Sample, ScoreMeasure, SnapshotMeasure } from '../../domain/scores/rollUp.ts';

/** Where a kind of sample goes when it is too old to be kept by itself: a sample is in the one place or in the other, never in both. */
export interface SampleArchive<Measure extends string> {
  /**
   * Removes and returns samples from before a timestamp, the oldest of each endpoint first. The fleet's archive takes no heed of
   * ids, and keeps no latest.
   */
  take(
    endpointIds: readonly number[],
    before: Date,
    limit: number,
    keep: 'latest' | 'none',
  ): Promise<Sample<Measure>[]>;
  /** Those of these roll-ups that exist. */
  find(keys: readonly Pick<HourlyRollUp<Measure>, 'subjectId' | 'hour'>[]): Promise<HourlyRollUp<Measure>[]>;
  /** Writes roll-ups in the place of those of the same subject and hour. */
  save(rollUps: readonly HourlyRollUp<Measure>[]): Promise<void>;
  /** Deletes at most so many roll-ups of hours before a timestamp; returns how many. */
  forget(endpointIds: readonly number[], before: Date, limit: number): Promise<number>;
}

/** What is deleted whole once it is old; an alert goes with its timeline, remediations, tickets and Slack messages. */
export const FORGOTTEN = [
  'scan_runs',
  'runs',
  'alerts',
  'predictions',
  'approvals',
  'survey_invitations',
  'feedback_cells',
  'feedback_comments',
  'audit',
  'endpoints',
] as const;
export type Forgotten = (typeof FORGOTTEN)[number];

export interface RetentionRepository {
  readonly snapshots: SampleArchive<SnapshotMeasure>;
  readonly scores: SampleArchive<ScoreMeasure>;
  readonly fleet: SampleArchive<FleetMeasure>;
  /** Ids of endpoints after `afterId`, in order; also of those that are registered no more. */
  endpointIds(afterId: number, limit: number): Promise<number[]>;
  /** Deletes at most so many of a kind that were over before a timestamp; returns how many. Nothing that is still open goes. */
  forget(what: Forgotten, before: Date, limit: number): Promise<number>;
}
