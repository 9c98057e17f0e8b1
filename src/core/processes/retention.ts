/** Retention: samples become hourly roll-ups, and what is old is forgotten, in small steps that let other work through. */
import { hourOf, joinRollUps, rollUp, rollUpKey } from '../../domain/scores/rollUp.ts';
import type { Ports, Settings } from '../ports/ports.ts';
import type { Forgotten, RetentionRepository, SampleArchive } from '../ports/retentionPorts.ts';

const DAY_MS = 86_400_000;

/** Thirteen months: a whole year, with the same month of the year before to hold it against. */
const LONG_DAYS = 396;

/** Endpoints looked at together, and rows that one transaction moves or deletes: some ten milliseconds of work. */
const ENDPOINTS = 100;
const ROWS = 500;

/**
 * Rows become part of their day's block once the endpoint has some that are four hours old, and then all that are older than
 * two: a block is written eight to ten times a day, and what people and rules read most is there row by row.
 */
const PACK_DUE_MS = 4 * 3_600_000;
const PACK_BEFORE_MS = 2 * 3_600_000;

/** What waits for the database between two steps gets it; SQLite's other processes ask again within this time. */
const PAUSE_MS = 10;

/** What is left after so long is left to the next hour's run; a job may take ten minutes. */
const TIME_MS = 8 * 60_000;

/** Days after its end that a thing is kept; scans tell nothing that their samples do not. */
export const KEPT_DAYS: Record<Forgotten, number | 'as samples'> = {
  scan_runs: 'as samples',
  runs: 90,
  alerts: LONG_DAYS,
  predictions: LONG_DAYS,
  approvals: LONG_DAYS,
  survey_invitations: LONG_DAYS,
  feedback_cells: LONG_DAYS,
  feedback_comments: LONG_DAYS,
  audit: LONG_DAYS,
  sign_in_sessions: 1,
  accesses: LONG_DAYS,
  reveals: LONG_DAYS,
  endpoints: LONG_DAYS,
};

interface RetentionReport {
  /** Rows that became part of a day's block. */
  samplesPacked: number;
  snapshotsRolledUp: number;
  scoresRolledUp: number;
  fleetScoresRolledUp: number;
  /** Roll-ups that were past their time. */
  rollUpsForgotten: number;
  forgotten: Record<Forgotten, number>;
  /** False when time was up before everything was done. */
  complete: boolean;
}

type RetentionPorts = Pick<Ports, 'store' | 'clock'> & { settings: Pick<Settings, 'retentionDays'> };

/**
 * Every step is a transaction that leaves a sample in exactly one place, so being killed between two of them loses nothing and
 * counts nothing twice, and the next run goes on where this one stopped.
 */
export async function maintainRetention(
  { store, clock, settings }: RetentionPorts,
  signal: AbortSignal,
): Promise<RetentionReport> {
  const now = clock.now();
  const daysAgo = (days: number) => hourOf(new Date(now.getTime() - days * DAY_MS));
  const [samplesBefore, rollUpsBefore] = [daysAgo(settings.retentionDays), daysAgo(LONG_DAYS)];
  const endsAt = now.getTime() + TIME_MS;
  const isTimeUp = () => clock.now().getTime() >= endsAt;
  const { retention } = store;

  /** Repeats a step until it finds nothing more; returns how much there was. */
  const drain = async (step: () => Promise<number>): Promise<number> => {
    let done = 0;
    for (;;) {
      signal.throwIfAborted();
      const some = await step();
      done += some;
      if (some === 0 || isTimeUp()) return done;
      await pause();
    }
  };
  /** A step over these endpoints, those that are registered no more apart: of them not even the newest sample is needed. */
  const locked = (
    endpointIds: readonly number[],
    step: (inner: RetentionRepository, ids: readonly number[], keep: 'latest' | 'none') => Promise<number>,
  ) =>
    drain(() =>
      store.transaction(async (inner) => {
        // Nobody else writes into the same blocks meanwhile.
        const registered = await inner.endpoints.hold(endpointIds);
        const { watched = [], gone = [] } = Object.groupBy(endpointIds, (id) =>
          registered.has(id) ? 'watched' : 'gone',
        );
        const both = [
          [watched, 'latest'],
          [gone, 'none'],
        ] as const;
        let done = 0;
        for (const [ids, keep] of both) if (ids.length > 0) done += await step(inner.retention, ids, keep);
        return done;
      }),
    );
  const packing = { before: new Date(now.getTime() - PACK_BEFORE_MS), due: new Date(now.getTime() - PACK_DUE_MS) };

  const report: RetentionReport = {
    samplesPacked: 0,
    snapshotsRolledUp: 0,
    scoresRolledUp: 0,
    fleetScoresRolledUp: await drain(() =>
      store.transaction((inner) => archiveSome(inner.retention.fleet, [], samplesBefore)),
    ),
    rollUpsForgotten: await drain(() => retention.fleet.forget([], rollUpsBefore, ROWS)),
    forgotten: Object.fromEntries(Object.keys(KEPT_DAYS).map((what) => [what, 0])) as Record<Forgotten, number>,
    complete: true,
  };
  let ids = await retention.endpointIds(0, ENDPOINTS);
  while (ids.length > 0 && !isTimeUp()) {
    const these = ids;
    for (const kind of ['snapshots', 'scores'] as const) {
      report.samplesPacked += await locked(these, (inner, ids, keep) => inner[kind].pack(ids, packing, ROWS, keep));
      report[`${kind}RolledUp`] += await locked(these, (inner, ids) => archiveSome(inner[kind], ids, samplesBefore));
      report.rollUpsForgotten += await locked(these, (inner, ids) => inner[kind].forget(ids, rollUpsBefore, ROWS));
    }
    ids = await retention.endpointIds(these.at(-1) as number, ENDPOINTS);
    await pause();
  }
  for (const [what, days] of Object.entries(KEPT_DAYS) as [Forgotten, number | 'as samples'][]) {
    const before = daysAgo(days === 'as samples' ? settings.retentionDays : days);
    report.forgotten[what] = await drain(() =>
      store.transaction((inner) => inner.retention.forget(what, before, ROWS)),
    );
  }
  report.complete = !isTimeUp();
  return report;
}

/** Takes some samples of these endpoints, or of the fleet, out and puts roll-ups of them in; returns how many samples. */
async function archiveSome<Measure extends string>(
  archive: SampleArchive<Measure>,
  endpointIds: readonly number[],
  before: Date,
): Promise<number> {
  const samples = await archive.take(endpointIds, before, ROWS);
  if (samples.length === 0) return 0;
  const fresh = rollUp(samples);
  const known = new Map((await archive.find(fresh)).map((each) => [rollUpKey(each), each]));
  await archive.save(
    fresh.map((each) => {
      const earlier = known.get(rollUpKey(each));
      return earlier ? joinRollUps(earlier, each) : each;
    }),
  );
  return samples.length;
}

function pause(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, PAUSE_MS);
  });
}
