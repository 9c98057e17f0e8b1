/** What a storm may not break beyond the store's own invariants: what was promised outside against what is there. */
import type { SqlEntityManager } from '@mikro-orm/sql';
import type { Play } from './outside.ts';

export interface Identity {
  hostname: string;
  alertName: string;
}

/** What people and systems outside were told. */
export interface Promises {
  /** Deliveries of one alert each, under a name of its own, that were answered 2xx. */
  delivered: Identity[];
  /** Where alerts that come and go were left by the last delivery that was answered. */
  leftAs: (Identity & { firing: boolean })[];
  /** Runs that were answered 202. */
  runIds: string[];
  /** Approvals to which somebody's yes was answered 200. */
  approvedIds: string[];
}

/** What the outside has seen. */
export interface Seen {
  plays: Play[];
  /** What the ticket system took, oldest first: openings of tickets and news of them, each under a key of its own. */
  tickets: { key: string; id: string; event: string }[];
  /** Where Slack has messages of ours: their times, which name them. */
  slackTs: Set<string>;
}

export interface Stored {
  alerts: (Identity & { status: string })[];
  runIds: Set<string>;
  /** Remediations that began, dry runs left out; `play` as the playbook's report called it, null without a report. */
  begun: { id: string; hostname: string; playbook: string; play: string | null }[];
  tickets: { id: string; sent: boolean }[];
  /** Alerts that count as told in Slack; `ts` null when nobody knows by what message. */
  told: { subject: string; ts: string | null }[];
  approvals: Map<string, string>;
}

export async function readStored(em: SqlEntityManager): Promise<Stored> {
  const rows = <T>(sql: string): Promise<T[]> => em.fork().execute(sql);
  const alerts = await rows<{ hostname: string; alert_name: string; status: string }>(
    'select hostname, alert_name, status from alert',
  );
  const runs = await rows<{ id: string }>('select id from run');
  const begun = await rows<{ id: string; hostname: string; playbook: string; result: unknown }>(
    `select m.id, m.hostname, m.playbook, r.result from remediation m join run r on r.id = m.id
     where m.started_at is not null and not m.dry_run`,
  );
  const tickets = await rows<{ id: string; sent: number }>(
    `select t.id, (select count(*) from outbox o where o.messenger = 'ticket' and o.subject = 'ticket:' || t.id and o.kind = 'raised' and o.state = 'sent') as sent
     from ticket t`,
  );
  const told = await rows<{ subject: string; ts: string | null }>(
    `select o.subject, s.ts from outbox o left join slack_message s on s.subject = o.subject
     where o.messenger = 'slack' and o.kind = 'raised' and o.state = 'sent' and o.subject like 'alert:%'`,
  );
  const approvals = await rows<{ id: string; status: string }>('select id, status from approval');
  return {
    alerts: alerts.map(({ alert_name, ...rest }) => ({ ...rest, alertName: alert_name })),
    runIds: new Set(runs.map(({ id }) => id)),
    begun: begun.map(({ result, ...rest }) => ({ ...rest, play: playIn(result) })),
    told,
    tickets: tickets.map(({ id, sent }) => ({ id, sent: Number(sent) > 0 })),
    approvals: new Map(approvals.map(({ id, status }) => [id, status])),
  };
}

/** @param result of a run, which one of the two databases gives as text */
function playIn(result: unknown): string | null {
  const { stats } = (typeof result === 'string' ? JSON.parse(result) : result) ?? {};
  return stats?.play ?? null;
}

const keyOf = ({ hostname, alertName }: Identity) => `${alertName} on ${hostname}`;

/**
 * Holds at every moment. One line for each broken promise.
 * @param seen before the store was read: what arrived has to be in it
 * @param seenLater after it was read: what it calls sent has to have arrived
 */
export function brokenPromises(
  promises: Pick<Promises, 'delivered' | 'runIds' | 'approvedIds'>,
  seen: Seen,
  stored: Stored,
  seenLater = seen,
): string[] {
  const broken: string[] = [];
  const rows = Map.groupBy(stored.alerts, keyOf);
  for (const delivery of promises.delivered) {
    const found = rows.get(keyOf(delivery))?.length ?? 0;
    if (found !== 1) broken.push(`a delivery that was answered is in the store ${found} times: ${keyOf(delivery)}`);
  }
  for (const id of promises.runIds)
    if (!stored.runIds.has(id)) broken.push(`run ${id} was promised and is not in the store`);
  for (const id of promises.approvedIds) {
    const status = stored.approvals.get(id);
    if (status !== 'approved')
      broken.push(`approval ${id} was answered with approved and is ${status ?? 'not in the store'}`);
  }

  // A play that no report told of may be one that lost its process; there are no more of them than remediations without a report.
  const playOf = ({ hostname, playbook }: Omit<Play, 'id'>) => `${playbook} on ${hostname}`;
  const reported = new Set(stored.begun.map(({ play }) => play));
  const unreported = Map.groupBy(
    seen.plays.filter(({ id }) => !reported.has(id)),
    playOf,
  );
  const begun = Map.groupBy(stored.begun, playOf);
  for (const [play, runs] of unreported) {
    const allowed = begun.get(play)?.filter((remediation) => remediation.play === null).length ?? 0;
    if (runs.length > allowed)
      broken.push(`${play} ran ${runs.length} times without a report, for ${allowed} remediations without one`);
  }
  const played = new Set(seenLater.plays.map(({ id }) => id));
  for (const { id, play } of stored.begun)
    if (play !== null && !played.has(play)) broken.push(`remediation ${id} has the report of a play that never was`);

  const opened = seen.tickets.filter(({ event }) => event === 'opened');
  for (const [id, calls] of Map.groupBy(opened, ({ id }) => id)) {
    if (new Set(calls.map(({ key }) => key)).size > 1) broken.push(`ticket ${id} was opened under different keys`);
    if (!stored.tickets.some((ticket) => ticket.id === id))
      broken.push(`ticket ${id} was sent and is not in the store`);
  }
  for (const [key, calls] of Map.groupBy(seen.tickets, ({ key }) => key))
    if (new Set(calls.map(({ id, event }) => `${event} ${id}`)).size > 1)
      broken.push(`key ${key} stands for different news`);
  const arrived = new Set(seenLater.tickets.map(({ id }) => id));
  for (const { id, sent } of stored.tickets)
    if (sent && !arrived.has(id)) broken.push(`ticket ${id} counts as sent and never arrived`);
  for (const { subject, ts } of stored.told)
    if (ts === null || !seenLater.slackTs.has(ts)) broken.push(`${subject} counts as told in Slack and never arrived`);
  return broken;
}

/** Holds once nothing is delivered any more. */
export function brokenStates(leftAs: Promises['leftAs'], stored: Stored): string[] {
  return leftAs.flatMap((left) => {
    const open = stored.alerts.filter((alert) => keyOf(alert) === keyOf(left) && alert.status !== 'resolved').length;
    return open === (left.firing ? 1 : 0)
      ? []
      : [`${keyOf(left)} was left ${left.firing ? 'firing' : 'resolved'} and has ${open} open alerts`];
  });
}
