/** What must hold in the store whatever happened to the processes: each invariant is a query for the rows that break it. */
import type { SqlEntityManager } from '@mikro-orm/sql';

export interface Invariant {
  name: string;
  /** Reads what breaks it, on either database. */
  breaches: string;
}

/** They hold at every moment: what they tell of is written in one transaction, or kept by an index. */
export const ALWAYS: readonly Invariant[] = [
  {
    name: 'an identity has at most one open alert',
    breaches: `select hostname, alert_name, count(*) as n from alert where status <> 'resolved'
      group by hostname, alert_name having count(*) > 1`,
  },
  {
    name: 'an alert is as the last line of its timeline says',
    breaches: `select a.id, a.status, e.to_status from alert a left join alert_event e
      on e.id = (select max(id) from alert_event where alert_id = a.id) where e.id is null or e.to_status <> a.status`,
  },
  {
    name: 'exactly the resolved alerts have an end',
    breaches: `select id, status, resolved_at from alert where (status = 'resolved') <> (resolved_at is not null)`,
  },
  {
    name: 'exactly the finished runs have an end',
    breaches: `select id, kind, status, finished_at from run
      where (status in ('completed', 'failed', 'cancelled', 'interrupted')) <> (finished_at is not null)`,
  },
  {
    name: 'nothing is carried out that waits for a yes',
    breaches: `select r.id, r.status, a.status as approval from remediation r join approval a on a.id = r.approval_id
      where r.started_at is not null and a.status <> 'approved'`,
  },
  {
    name: 'an endpoint is healed by one remediation at a time',
    breaches: `select endpoint_id, count(*) as n from remediation where status = 'running'
      group by endpoint_id having count(*) > 1`,
  },
  {
    name: 'an alert has at most one ticket that is open',
    breaches: `select alert_id, count(*) as n from ticket where status not in ('resolved', 'lost') group by alert_id having count(*) > 1`,
  },
  {
    name: 'a ticket and its message are kept together',
    breaches: `select t.id from ticket t where not exists
      (select 1 from outbox o where o.messenger = 'ticket' and o.subject = 'ticket:' || t.id)`,
  },
  {
    name: 'nothing hangs in the air',
    breaches: `select 'alert' as row, cast(id as text) as id from alert where endpoint_id not in (select id from endpoint)
      union all select 'ticket', id from ticket where alert_id not in (select id from alert)
      union all select 'remediation', id from remediation where alert_id not in (select id from alert)
      union all select 'snapshot', cast(id as text) from snapshot where endpoint_id not in (select id from endpoint)
      union all select 'score', cast(id as text) from score where endpoint_id not in (select id from endpoint)`,
  },
];

/** They hold once the service was left in peace for a while. */
export const AT_REST: readonly Invariant[] = [
  {
    name: 'no run is stuck',
    breaches: `select id, kind, status, hostname from run where status in ('queued', 'running')`,
  },
  {
    name: 'the outbox is empty',
    breaches: `select id, messenger, subject, state, attempts, last_error from outbox where state <> 'sent'`,
  },
  {
    name: 'healing has looked at every new alert',
    breaches: `select id, hostname, alert_name from alert where status = 'active' and handled_at is null`,
  },
  {
    name: 'what people said yes or no to is carried out',
    breaches: `select id, tool, status, execution from approval
      where (status <> 'pending' and settled_at is null) or (kind = 'tool' and execution in ('due', 'running'))`,
  },
  {
    name: 'no remediation is stuck',
    breaches: `select r.id, r.status, r.hostname from remediation r left join approval a on a.id = r.approval_id
      where r.status in ('queued', 'running') or (r.status = 'waiting_approval' and a.status <> 'pending')`,
  },
  {
    name: 'an alert that is being healed has a remediation that does it',
    breaches: `select a.id, a.hostname, a.status, r.status as remediation from alert a
      left join remediation r on r.id = a.remediation_run_id
      where (a.status = 'pending_approval' and coalesce(r.status, '') <> 'waiting_approval')
         or (a.status = 'remediating' and coalesce(r.status, '') not in ('running', 'verifying'))`,
  },
];

/** Rows shown of each breach. */
const SHOWN = 5;

/** One line for each broken invariant, with some of the rows that break it. */
export async function breachesIn(em: SqlEntityManager, invariants: readonly Invariant[]): Promise<string[]> {
  const broken: string[] = [];
  for (const { name, breaches } of invariants) {
    const rows = await em.fork().execute(breaches);
    if (rows.length > 0) broken.push(`${name}: not so for ${rows.length}, as ${JSON.stringify(rows.slice(0, SHOWN))}`);
  }
  return broken;
}
