/** The checks of a storm must be able to fail: each is shown a store, or a story, that breaks it. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { jobActor } from '../../src/core/actor.ts';
import { registration, run } from '../helpers/rows.ts';
import { ALWAYS, AT_REST, breachesIn } from '../helpers/storeInvariants.ts';
import { openTestStore, type TestStore } from '../helpers/stores.ts';
import { brokenPromises, brokenStates, readStored, type Seen, type Stored } from './checks.ts';

describe('the store', () => {
  let opened: TestStore;
  beforeEach(async () => {
    opened = await openTestStore('sqlite');
  });
  afterEach(() => opened.close());

  const ALERT = `insert into alert (id, endpoint_id, hostname, alert_name, severity, alert_type, message, status, labels, series,
    starts_at, flaps, created_at, updated_at) values`;
  const alert = (id: number, status: string) =>
    `${ALERT} (${id}, 1, 'pc-1', 'DiskFull', 'info', 'metric', '', '${status}', '{}', '[]', 0, 0, 0, 0)`;
  const event = (alertId: number, to: string) =>
    `insert into alert_event (alert_id, at, to_status, actor, via, why) values (${alertId}, 0, '${to}', 'a', 'job', '')`;
  const remediation = (id: string, status: string) =>
    `insert into remediation (id, alert_id, alert_name, endpoint_id, hostname, action, playbook, variables, dry_run, status, requested_by, created_at)
     values ('${id}', 1, 'DiskFull', 1, 'pc-1', 'ansible', 'cleanup_disk', '{}', 0, '${status}', 'a', 0)`;
  const ticket = (id: string) => `insert into ticket (id, alert_id, status, created_at) values ('${id}', 1, 'open', 0)`;

  /** Names of what is broken, after a store in order was given these changes. */
  async function brokenBy(...changes: string[]): Promise<string[]> {
    const { store, database } = opened;
    await store.endpoints.register(registration({ hostname: 'pc-1' }), null, new Date(0));
    const em = database.em.fork();
    for (const sql of [alert(1, 'active'), event(1, 'active'), 'update alert set handled_at = 1', ...changes])
      await em.execute(sql);
    const lines = await breachesIn(database.em, [...ALWAYS, ...AT_REST]);
    return lines.map((line) => line.split(': ')[0] as string);
  }

  test('in order breaks nothing', async () => expect(await brokenBy()).toEqual([]));

  test.each([
    [
      'an identity has at most one open alert',
      ['drop index alert_one_open', alert(2, 'needs_human'), event(2, 'needs_human')],
    ],
    ['an alert is as the last line of its timeline says', ["update alert set status = 'needs_human'"]],
    ['exactly the resolved alerts have an end', ['update alert set resolved_at = 1']],
    ['a ticket and its message are kept together', [ticket('t')]],
    ['nothing hangs in the air', ['delete from endpoint']],
    ['healing has looked at every new alert', ['update alert set handled_at = null']],
    [
      'an alert that is being healed has a remediation that does it',
      [
        remediation('a', 'failed'),
        "update alert set status = 'remediating', remediation_run_id = 'a'",
        event(1, 'remediating'),
      ],
    ],
  ])('%s', async (name, changes) => expect(await brokenBy(...changes)).toEqual([name]));

  test('an alert has at most one ticket that is open', async () => {
    expect(await brokenBy(ticket('t'), ticket('u'))).toContain('an alert has at most one ticket that is open');
  });

  test('an endpoint is healed by one remediation at a time', async () => {
    const both = [remediation('a', 'running'), remediation('b', 'running')];
    expect(await brokenBy('drop index remediation_one_running', ...both)).toContain(
      'an endpoint is healed by one remediation at a time',
    );
  });

  test('no remediation is stuck', async () => {
    expect(await brokenBy(remediation('a', 'queued'))).toEqual(['no remediation is stuck']);
  });

  test('runs and messages', async () => {
    const { store, database } = opened;
    await store.runs.add(run('stuck', { status: 'running' }));
    await store.runs.add(run('ended', { status: 'completed' }));
    await store.outbox.add(
      [{ messenger: 'slack', kind: 'raised', subject: 'alert:1', idempotencyKey: 'k', payload: {} }],
      new Date(0),
    );
    expect(await breachesIn(database.em, ALWAYS)).toEqual([expect.stringContaining('"id":"ended"')]);
    expect(await breachesIn(database.em, AT_REST)).toEqual([
      expect.stringContaining('"id":"stuck"'),
      expect.stringContaining('alert:1'),
    ]);
  });

  test('nothing is carried out that waits for a yes', async () => {
    await opened.store.approvals.add({
      id: 'ask',
      kind: 'remediation',
      status: 'pending',
      question: 'Run it?',
      plan: {},
      tool: 'remediate_alert',
      input: {},
      hostname: null,
      alertId: 1,
      subjectId: 'a',
      requester: jobActor('healing'),
      requestedAt: new Date(0),
      expiresAt: new Date(1),
      requiredApprovals: 1,
      answers: [],
      decidedAt: null,
      execution: 'none',
      outcome: null,
      settledAt: null,
      workerId: null,
      version: 1,
    });
    const begun = "update remediation set started_at = 1, approval_id = 'ask'";
    expect(await brokenBy(remediation('a', 'running'), begun)).toContain('nothing is carried out that waits for a yes');
  });

  test('is read as the checks of promises want it', async () => {
    await opened.store.runs.add(run('a', { status: 'completed', result: { stats: { play: '7-1' } } }));
    await brokenBy(remediation('a', 'fixed'), 'update remediation set started_at = 1', ticket('t'));
    const message = {
      messenger: 'slack',
      kind: 'raised',
      subject: 'alert:1',
      idempotencyKey: 'k',
      payload: {},
    } as const;
    await opened.store.outbox.add([message], new Date(0));
    await opened.database.em.fork().execute("update outbox set state = 'sent'");
    await opened.store.slackMessages.keep([{ subject: 'alert:1', channel: 'C1', ts: '1.5', digest: false }]);
    expect(await readStored(opened.database.em)).toEqual({
      alerts: [{ hostname: 'pc-1', alertName: 'DiskFull', status: 'active' }],
      runIds: new Set(['a']),
      begun: [{ id: 'a', hostname: 'pc-1', playbook: 'cleanup_disk', play: '7-1' }],
      tickets: [{ id: 't', sent: false }],
      told: [{ subject: 'alert:1', ts: '1.5' }],
      approvals: new Map(),
    });
  });
});

describe('promises', () => {
  const identity = { hostname: 'pc-1', alertName: 'DiskFull' };
  const promises = { delivered: [identity], runIds: ['r'], approvedIds: ['a'] };
  const seen: Seen = {
    plays: [
      { id: 'p', hostname: 'pc-1', playbook: 'clean' },
      { id: 'cut short', hostname: 'pc-1', playbook: 'clean' },
    ],
    tickets: [
      { key: 'ticket:t', id: 't', event: 'opened' },
      { key: 'ticket:t', id: 't', event: 'opened' },
    ],
    slackTs: new Set(['1.5']),
  };
  const stored: Stored = {
    alerts: [{ ...identity, status: 'resolved' }],
    runIds: new Set(['r']),
    begun: [
      { id: 'm', hostname: 'pc-1', playbook: 'clean', play: 'p' },
      { id: 'n', hostname: 'pc-1', playbook: 'clean', play: null },
    ],
    tickets: [{ id: 't', sent: true }],
    told: [{ subject: 'alert:1', ts: '1.5' }],
    approvals: new Map([['a', 'approved']]),
  };

  test('that were kept', () => expect(brokenPromises(promises, seen, stored)).toEqual([]));

  test.each([
    ['a delivery that is lost', promises, seen, { ...stored, alerts: [] }, /in the store 0 times/],
    [
      'a delivery that is doubled',
      promises,
      seen,
      { ...stored, alerts: [...stored.alerts, ...stored.alerts] },
      /in the store 2 times/,
    ],
    ['a run that is lost', promises, seen, { ...stored, runIds: new Set<string>() }, /run r/],
    ['a yes that is lost', promises, seen, { ...stored, approvals: new Map([['a', 'pending']]) }, /approval a/],
    [
      'a playbook that ran twice',
      promises,
      { ...seen, plays: [...seen.plays, { id: 'again', hostname: 'pc-1', playbook: 'clean' }] },
      stored,
      /ran 2 times without a report, for 1/,
    ],
    [
      'a report of nothing',
      promises,
      { ...seen, plays: seen.plays.slice(1) },
      stored,
      /remediation m has the report of a play that never was/,
    ],
    [
      'an alert that Slack never had',
      promises,
      { ...seen, slackTs: new Set<string>() },
      stored,
      /alert:1 counts as told/,
    ],
    [
      'an alert that nobody knows the message of',
      promises,
      seen,
      { ...stored, told: [{ subject: 'alert:1', ts: null }] },
      /alert:1 counts as told/,
    ],
    [
      'a ticket under two keys',
      promises,
      { ...seen, tickets: [...seen.tickets, { key: 'other', id: 't', event: 'opened' }] },
      stored,
      /opened under different keys/,
    ],
    ['a ticket that nobody stored', promises, seen, { ...stored, tickets: [] }, /not in the store/],
    ['a ticket that never arrived', promises, { ...seen, tickets: [] }, stored, /never arrived/],
  ])('%s', (_, told, saw, kept, words) =>
    expect(brokenPromises(told, saw, kept)).toEqual([expect.stringMatching(words)]),
  );

  test('of what comes and goes', () => {
    expect(brokenStates([{ ...identity, firing: false }], stored)).toEqual([]);
    expect(brokenStates([{ ...identity, firing: true }], stored)).toEqual([
      expect.stringMatching(/left firing and has 0/),
    ]);
  });
});
