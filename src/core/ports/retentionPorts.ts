/** How samples become roll-ups, and what else is forgotten in the end. */
import type { FleetMeasure, HourlyRollUp, Sample } from '../../domain/scores/rollUp.ts';

/** Where a kind of sample goes when it is too old to be kept by itself: a sample is in the one place or in the other, never in both. */
export interface SampleArchive<Measure extends string> {
  /**
   * Removes and returns some samples from before a timestamp, the oldest of each endpoint first; none when there are no more. The
   * fleet's archive takes no heed of ids. Endpoints' samples leave by whole days.
   * @param limit about how many
   */
  take(endpointIds: readonly number[], before: Date, limit: number): Promise<Sample<Measure>[]>;
  /** Those of these roll-ups that exist. */
  find(keys: readonly Pick<HourlyRollUp<Measure>, 'subjectId' | 'hour'>[]): Promise<HourlyRollUp<Measure>[]>;
  /** Writes roll-ups in the place of those of the same subject and hour. */
  save(rollUps: readonly HourlyRollUp<Measure>[]): Promise<void>;
  /** Deletes some roll-ups of hours before a timestamp; returns how many rows went, 0 when there are no more. */
  forget(endpointIds: readonly number[], before: Date, limit: number): Promise<number>;
}

/** An archive of samples by endpoint, which are rows while they are young and packed by day once nobody changes them any more. */
export interface EndpointArchive extends SampleArchive<string> {
  /**
   * Packs at most so many rows from before a timestamp; returns how many. Endpoints whose oldest row is younger than `due` are
   * left alone, so that a day's block is not written anew for every row.
   * @param keep `latest`: the newest row of each endpoint stays a row
   */
  pack(
    endpointIds: readonly number[],
    when: { before: Date; due: Date },
    limit: number,
    keep: 'latest' | 'none',
  ): Promise<number>;
}

/** What is deleted whole once it is old; an alert goes with its timeline, remediations, offers to its owner, tickets and Slack messages. */
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
  'sign_in_sessions',
  'accesses',
  'reveals',
  'endpoints',
] as const;
export type Forgotten = (typeof FORGOTTEN)[number];

export interface RetentionRepository {
  readonly snapshots: EndpointArchive;
  readonly scores: EndpointArchive;
  readonly fleet: SampleArchive<FleetMeasure>;
  /** Ids of endpoints after `afterId`, in order; also of those that are registered no more. */
  endpointIds(afterId: number, limit: number): Promise<number[]>;
  /** Deletes at most so many of a kind that were over before a timestamp; returns how many. Nothing that is still open goes. */
  forget(what: Forgotten, before: Date, limit: number): Promise<number>;
}
