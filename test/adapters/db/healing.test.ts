/** What must happen once, on both databases and under a crowd: answers, claims, deliveries, notices. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { StoredApproval } from '../../../src/core/ports/alertPorts.ts';
import type { Remediation } from '../../../src/domain/healing/remediation.ts';
import { MODEL } from '../../helpers/healingWorld.ts';
import { openTestStore, STORE_KINDS, type TestStore } from '../../helpers/stores.ts';

const NOW = new Date('2026-03-02T09:00:00Z');
const crowd = <T>(work: (n: number) => Promise<T>) => Promise.allSettled(Array.from({ length: 20 }, (_, n) => work(n)));
const winners = (results: PromiseSettledResult<boolean>[]) =>
  results.filter((result) => result.status === 'fulfilled' && result.value).length;

const approval: StoredApproval = {
  id: 'a1',
  kind: 'tool',
  status: 'pending',
  question: '?',
  plan: { a: 1 },
  tool: 't',
  input: { b: ['c'] },
  hostname: 'pc-1',
  alertId: 7,
  subjectId: null,
  requester: MODEL,
  requestedAt: NOW,
  expiresAt: NOW,
  requiredApprovals: 1,
  answers: [],
  decidedAt: null,
  execution: 'none',
  outcome: null,
  settledAt: null,
  workerId: null,
  version: 0,
};
const remediation: Remediation = {
  id: 'r1',
  alertId: 7,
  alertName: 'DiskFull',
  endpointId: 1,
  hostname: 'pc-1',
  action: 'ansible',
  playbook: 'cleanup_disk',
  variables: { cleanup_paths: ['/mnt/x'], temp_keep_days: 0 },
  dryRun: false,
  status: 'queued',
  reason: null,
  approvalId: null,
  requestedBy: 'job:healing',
  createdAt: NOW,
  startedAt: null,
  beganAt: null,
  finishedAt: null,
  playedAt: null,
  verifyBy: null,
  cancelledBy: null,
  ownerSaysFixed: null,
};

describe.each(STORE_KINDS)('on %s', (kind) => {
  let opened: TestStore;
  beforeAll(async () => {
    opened = await openTestStore(kind);
  });
  afterAll(() => opened.close());

  test('an approval comes back as it was stored, and of many changes of one version one is written', async () => {
    const { approvals } = opened.store;
    await approvals.add(approval);
    expect(await approvals.get('a1')).toEqual(approval);
    const results = await crowd((n) => approvals.replace({ ...approval, outcome: `by ${n}` }));
    expect(winners(results)).toBe(1);
    expect(await approvals.get('a1')).toMatchObject({ version: 1 });
    expect((await approvals.overdue(NOW, 10)).map(({ id }) => id)).toEqual(['a1']);
  });

  test('a remediation comes back as it was stored, moves once, and has its endpoint for itself', async () => {
    const { remediations } = opened.store;
    await remediations.add(remediation);
    await remediations.add({ ...remediation, id: 'r2' });
    expect(await remediations.get('r1')).toEqual(remediation);
    expect(winners(await crowd(() => remediations.move('r1', ['queued'], { status: 'running' })))).toBe(1);
    await expect(remediations.move('r2', ['queued'], { status: 'running' })).rejects.toThrow();
    await remediations.move('r1', ['running'], { status: 'not_fixed', finishedAt: NOW });
    expect(await remediations.fleetRecord(NOW)).toEqual({ remediations: 2, failures: 1 });
    expect(await remediations.fleetRecord(new Date(NOW.getTime() + 1))).toEqual({ remediations: 0, failures: 0 });
  });

  test('the owner is heard once', async () => {
    const { remediations } = opened.store;
    await remediations.add({ ...remediation, id: 'r3', status: 'fixed' });
    expect(winners(await crowd((n) => remediations.answerFixCheck('r3', n % 2 === 0)))).toBe(1);
  });

  test('a delivery is new once, and a notice is kept once', async () => {
    const { tickets, outbox } = opened.store;
    expect(winners(await crowd(() => tickets.noteDelivery('d1', NOW)))).toBe(1);
    const message = {
      messenger: 'slack',
      kind: 'changed',
      subject: 'notice:x',
      idempotencyKey: 'notice:x',
      payload: {},
    } as const;
    for (let times = 0; times < 3; times++) await outbox.addOnce(message, NOW);
    expect(await outbox.due('slack', NOW, 10)).toHaveLength(1);
    await outbox.dead([(await outbox.due('slack', NOW, 10))[0]!.id], 'gone', NOW);
    expect(await outbox.deadCounts()).toEqual([{ messenger: 'slack', messages: 1, lastError: 'gone' }]);
    expect(await outbox.prune(new Date(NOW.getTime() + 1))).toBe(1);
  });

  test('tickets are found by the other system, by ours, and by alert, newest first', async () => {
    const { tickets } = opened.store;
    const ticket = {
      id: 't1',
      alertId: 7,
      status: 'open',
      externalId: 'IT-1',
      externalRef: 'IT-1',
      url: null,
      createdAt: NOW,
      openedAt: NOW,
      statusAt: null,
    } as const;
    const newer = { ...ticket, id: 't2', externalId: 'IT-2', createdAt: new Date(NOW.getTime() + 1) };
    await tickets.add(ticket);
    await tickets.add(newer);
    expect(await tickets.byExternalId('IT-1')).toEqual(ticket);
    expect(await tickets.ofAlerts([7, 8])).toEqual([newer, ticket]);
    await tickets.update('t1', { status: 'resolved' });
    expect(await tickets.get('t1')).toEqual({ ...ticket, status: 'resolved' });
  });

  test('a predictive alert has one threshold, until it is dropped', async () => {
    const { predictions } = opened.store;
    const threshold = { alertName: 'DiskFull', horizonHours: 96, setBy: 'ann', setAt: NOW } as const;
    await predictions.keepThreshold(threshold);
    await predictions.keepThreshold({ ...threshold, horizonHours: 72 });
    expect(await predictions.thresholds()).toEqual([{ ...threshold, horizonHours: 72 }]);
    await predictions.dropThreshold('MemoryLeak');
    await predictions.dropThreshold('DiskFull');
    expect(await predictions.thresholds()).toEqual([]);
  });
});
