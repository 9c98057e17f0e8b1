/** Whether something was written, told by a few numbers that any process's write changes: ends of indexes, and small tables. */
import { CHANGE_TOPICS, type Store } from '../../../core/ports/storePorts.ts';
import type { DbSession } from '../rows.ts';

/** Every column ends in an index, but for those of the endpoints, whose table is read. */
const MARKERS = `select
  (select max(id) from score) as machines_scored,
  (select max(updated_at) from endpoint) as machines_changed,
  (select max(id) from alert_event) as alerts_moved,
  (select max(requested_at) from approval) as approvals_requested,
  (select max(decided_at) from approval) as approvals_decided,
  (select sum(version) from approval where status = 'pending') as approvals_answered,
  (select max(created_at) from run) as runs_created,
  (select max(finished_at) from run) as runs_finished,
  (select count(*) from run where status = 'running') as runs_running,
  (select max(created_at) from remediation) as runs_asked,
  (select max(finished_at) from remediation) as runs_ended`;

export function changeMarkers(session: DbSession): Store['changeMarkers'] {
  return async () => {
    const [row = {}] = await session().execute<Record<string, unknown>[]>(MARKERS);
    const ofTopic = (topic: string) =>
      Object.entries(row)
        .filter(([column]) => column.startsWith(`${topic}_`))
        .map(([, value]) => (value instanceof Date ? value.getTime() : String(value)))
        .join(' ');
    return Object.fromEntries(CHANGE_TOPICS.map((topic) => [topic, ofTopic(topic)])) as Awaited<
      ReturnType<Store['changeMarkers']>
    >;
  };
}
