/** What is forgotten, in the database: which rows are old, and which others go with them. */
import type { Forgotten, RetentionRepository } from '../../../core/ports/retentionPorts.ts';
import { type DbSession, placeholders } from '../rows.ts';
import { fleetArchive } from './fleetArchive.ts';
import { scoreArchive, snapshotArchive } from './sampleArchive.ts';

interface OldRows {
  table: string;
  /** True of a row that was over before the timestamp in the one place for a value. */
  isOld: string;
  /** Deleted first, each with a list of ids in the place of `ids`. */
  with?: readonly string[];
}

const SCAN_RUN = "kind in ('scan', 'fleet_scan')";
/** Nothing of a registered endpoint, and nothing that still has samples. */
const GONE = `not exists (select 1 from snapshot s where s.endpoint_id = endpoint.id)
  and not exists (select 1 from score s where s.endpoint_id = endpoint.id)
  and not exists (select 1 from sample_block b where b.endpoint_id = endpoint.id)`;

const OLD: Record<Forgotten, OldRows> = {
  scan_runs: { table: 'run', isOld: `finished_at < ? and ${SCAN_RUN}` },
  runs: {
    table: 'run',
    isOld: `finished_at < ? and not (${SCAN_RUN})`,
    with: [`delete from slack_message where subject in (select 'talk:' || id from run where id in (ids))`],
  },
  alerts: {
    table: 'alert',
    isOld: "resolved_at < ? and status = 'resolved'",
    with: [
      'delete from alert_event where alert_id in (ids)',
      `delete from slack_message where subject in (select 'alert:' || cast(id as text) from alert where id in (ids))`,
      `delete from slack_message where subject in (select 'fix_check:' || id from remediation where alert_id in (ids))`,
      'delete from remediation where alert_id in (ids)',
      'delete from owner_remedy where alert_id in (ids)',
      'delete from ticket where alert_id in (ids)',
    ],
  },
  predictions: { table: 'prediction', isOld: "made_at < ? and ended_at is not null and verdict <> 'open'" },
  approvals: {
    table: 'approval',
    isOld: 'settled_at < ?',
    with: [`delete from slack_message where subject in (select 'approval:' || id from approval where id in (ids))`],
  },
  survey_invitations: {
    table: 'survey_invitation',
    isOld: "survey_id in (select id from survey where closed_at < ? and status = 'closed')",
  },
  // Those whose comments still wait tell how many answers the comments hide among.
  feedback_cells: { table: 'feedback_cell', isOld: 'given_out_on < ? and comments_out' },
  feedback_comments: { table: 'feedback_comment', isOld: 'given_out_on < ?' },
  audit: { table: 'audit', isOld: 'at < ?' },
  sign_in_sessions: { table: 'sign_in_session', isOld: 'expires_at < ?' },
  accesses: { table: 'machine_access', isOld: 'day < ?' },
  reveals: { table: 'reveal', isOld: 'requested_at < ?' },
  endpoints: { table: 'endpoint', isOld: `deregistered_at < ? and ${GONE}` },
};

export function retentionRepository(session: DbSession): RetentionRepository {
  return {
    snapshots: snapshotArchive(session),
    scores: scoreArchive(session),
    fleet: fleetArchive(session),

    async endpointIds(afterId, limit) {
      const rows = await session().execute<{ id: number }[]>(
        'select id from endpoint where id > ? order by id limit ?',
        [afterId, limit],
      );
      return rows.map(({ id }) => id);
    },

    async forget(what, before, limit) {
      const { table, isOld, with: others = [] } = OLD[what];
      const timestamp =
        table.startsWith('feedback_') || table === 'machine_access' ? before.toISOString().slice(0, 10) : before;
      const rows = await session().execute<{ id: number | string }[]>(
        `select id from ${table} where ${isOld} limit ?`,
        [timestamp, limit],
      );
      if (rows.length === 0) return 0;
      const ids = rows.map(({ id }) => id);
      for (const sql of [...others, `delete from ${table} where id in (ids)`]) {
        await session().execute(sql.replace('ids', placeholders(ids)), ids);
      }
      return ids.length;
    },
  };
}
