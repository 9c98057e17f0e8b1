/** The store's promises, kept alike by SQLite and by a real PostgreSQL. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { StoredPrediction } from '../../../src/core/ports/alertPorts.ts';
import type { Store } from '../../../src/core/ports/storePorts.ts';
import type { Alert } from '../../../src/domain/alerts/alert.ts';
import { type AlertDraft, type Move, observe } from '../../../src/domain/alerts/alertMoves.ts';
import { flatOf } from '../../helpers/flatSnapshot.ts';
import { later, NOW, registration, run, score, snapshot } from '../../helpers/rows.ts';
import { openTestStore, STORE_KINDS, type TestStore } from '../../helpers/stores.ts';

/** A new alert, not stored yet. */
function firing(endpointId: number, hostname: string, alertName: string, message = 'high', startsAt = NOW): AlertDraft {
  const labels = { 'a label': message };
  const what = { state: 'firing', alertType: 'prometheus', severity: 'warning', message, labels, startsAt } as const;
  return (observe(null, { endpointId, hostname, alertName, series: message, ...what }, NOW) as Move).alert;
}

describe.each(STORE_KINDS)('%s', (kind) => {
  let opened: TestStore;
  let store: Store;
  beforeAll(async () => {
    opened = await openTestStore(kind);
    store = opened.store;
  });
  afterAll(() => opened.close());

  test('a NUL costs a text nothing but itself, in a column and in JSON', async () => {
    const steps = [{ name: 'list', message: 'a\0b', 'key\0': 'kept as it is: \\u0000' }];
    await store.runs.add(run('nul', { error: 'it\0 failed', steps }));
    expect(await store.runs.get('nul')).toMatchObject({
      error: 'it failed',
      steps: [{ name: 'list', message: 'ab', key: 'kept as it is: \\u0000' }],
    });
  });

  test('rows that are written together come back as they were, in their order, whatever their texts hold', async () => {
    const { id: endpointId, hostname } = await store.endpoints.register(registration(), null, NOW);
    const texts = ["it's", '"quoted" \\ \\u0000', 'what? $1 $& ??', 'line\nbreak', 'ünïcödé 🖥️', ''];
    const drafts = texts.map((message, index) => firing(endpointId, hostname, `Text${index}`, message, later(-index)));
    const ids = await store.alerts.add(drafts);
    expect(await store.alerts.byIds(ids)).toEqual(drafts.map((draft, index) => ({ ...draft, id: ids[index] })));

    const changed = (await store.alerts.byIds(ids)).map((alert, index) => ({
      ...alert,
      message: `${texts.at(-index)} changed`,
      acknowledgedUntil: later(index),
    }));
    await store.alerts.save(changed);
    expect(await store.alerts.byIds(ids)).toEqual(changed);
    expect(await store.alerts.byIds([])).toEqual([]);
    await store.alerts.save([]);
    expect(await store.alerts.add([])).toEqual([]);
  });

  test('an alert that moved since it was seen does not count as handled', async () => {
    const { id: endpointId, hostname } = await store.endpoints.register(registration(), null, NOW);
    const ids = await store.alerts.add(['Still', 'Moved'].map((name) => firing(endpointId, hostname, name)));
    const seen = await store.alerts.byIds(ids);
    await store.alerts.save([{ ...(seen[1] as Alert), flaps: 1, updatedAt: later(2) }]);
    expect(await store.alerts.unmoved(seen)).toEqual(new Set([ids[0]]));
    await store.alerts.markHandled(ids, later(1), later(3));
    expect((await store.alerts.byIds(ids)).map(({ handledAt }) => handledAt)).toEqual([later(3), null]);
  });

  test('what no database takes in a text costs rows that are written together nothing else', async () => {
    const { id } = await store.endpoints.register(registration(), null, NOW);
    await store.snapshots.add([
      snapshot(id, NOW, 1, { unreachableReason: 'a\0b \ud83d c', diskPct: 1, diskMount: '\\u0000' }),
    ]);
    const kept = (await store.snapshots.latest([id])).get(id);
    expect(kept && flatOf(kept)).toMatchObject({ unreachableReason: 'ab \ufffd c', diskMount: '\\u0000' });
  });

  test('an endpoint comes back as it was registered', async () => {
    const given = registration({
      ipAddress: '::1',
      tags: { dept: 'it', 'a.b': 'c' },
      options: { port: 9100, services: ['sshd'] },
    });
    const registered = await store.endpoints.register(given, 'digest-1', NOW);
    const read = await store.endpoints.get(given.hostname);
    expect(read).toEqual(registered);
    expect(read).toMatchObject({ ...given, score: null, scoreStatus: 'unknown', breaches: {}, registeredAt: NOW });
    expect(read).not.toHaveProperty('agentTokenDigest');
    expect((await store.endpoints.byAgentTokens(['digest-1', 'digest-0'])).get('digest-1')?.hostname).toBe(
      given.hostname,
    );
    expect((await store.endpoints.byNamesOrAddresses(['::1']))[0]?.hostname).toBe(given.hostname);
  });

  test('a name is taken until it is deregistered, and then free again', async () => {
    const given = registration();
    const first = await store.endpoints.register(given, null, NOW);
    await expect(store.endpoints.register(given, null, NOW)).rejects.toMatchObject({ kind: 'conflict' });
    await store.endpoints.deregister(first.id, later(1));
    expect(await store.endpoints.get(given.hostname)).toBeNull();
    const second = await store.endpoints.register(given, null, later(2));
    expect(second.id).not.toBe(first.id);
  });

  test('of fifty registrations of one name at once exactly one wins', async () => {
    const given = registration();
    const results = await Promise.allSettled(
      Array.from({ length: 50 }, () => store.endpoints.register(given, null, NOW)),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  test('lists filter by persona, tier, tag and state, and page', async () => {
    const hosts = ['fresh', 'stale', 'never'].map((word) =>
      registration({ hostname: `list-${word}`, persona: 'executive', tags: { team: word } }),
    );
    const [fresh, stale] = await Promise.all(hosts.map((host) => store.endpoints.register(host, null, NOW)));
    await store.endpoints.recordConditions([
      { ...fresh!, lastSeenAt: later(0) },
      { ...stale!, lastSeenAt: later(-10_000) },
    ]);
    const names = async (filter: Parameters<Store['endpoints']['list']>[0], page = { limit: 10, offset: 0 }) =>
      (await store.endpoints.list({ persona: 'executive', ...filter }, page, later(-5000))).items.map(
        ({ hostname }) => hostname,
      );
    expect(await names({})).toEqual(['list-fresh', 'list-never', 'list-stale']);
    expect(await names({ state: 'fresh' })).toEqual(['list-fresh']);
    expect(await names({ state: 'stale' })).toEqual(['list-stale']);
    expect(await names({ state: 'never_seen' })).toEqual(['list-never']);
    expect(await names({ tag: 'team=stale' })).toEqual(['list-stale']);
    expect(await names({ tag: 'team' })).toHaveLength(3);
    expect(await names({ tag: "team' or 1=1 --" })).toEqual([]);
    expect(await names({ criticalityTier: 1 })).toEqual([]);
    expect(await names({}, { limit: 1, offset: 1 })).toEqual(['list-never']);
  });

  test('what is searched for is a text: its wildcards find only themselves', async () => {
    const texts = ['like-50%', 'like-50x', 'like-a_b', 'like-axb', 'like-c\\d', 'like-cd'];
    for (const [i, text] of texts.entries())
      await store.endpoints.register(registration({ hostname: `wild-${i}`, tags: { mark: text } }), null, NOW);
    const found = async (filter: Parameters<Store['endpoints']['list']>[0]) =>
      (await store.endpoints.list(filter, { limit: 100, offset: 0 }, NOW)).items.map(({ hostname }) => hostname);
    expect(await found({ search: 'like-50' })).toEqual(['wild-0', 'wild-1']);
    expect(await found({ search: 'like-50%' })).toEqual(['wild-0']);
    expect(await found({ search: 'a_b' })).toEqual(['wild-2']);
    expect(await found({ search: 'mark=like-a_b' })).toEqual(['wild-2']);
    expect(await found({ search: '%' })).toEqual(['wild-0']);
    expect(await found({ search: '_' })).toEqual(['wild-2']);
    expect(await found({ prefix: 'wild_' })).toEqual([]);
    expect(await found({ prefix: 'w%' })).toEqual([]);
  });

  test('recording conditions never undoes what people changed meanwhile', async () => {
    const endpoint = await store.endpoints.register(registration(), null, NOW);
    await store.endpoints.update(endpoint.id, { persona: 'tech', tags: { new: 'yes' } }, later(1));
    await store.endpoints.recordConditions([
      { ...endpoint, score: 71.5, scoreStatus: 'healthy', scoredAt: later(2), breaches: { HighCpu: 2 } },
    ]);
    expect(await store.endpoints.get(endpoint.hostname)).toMatchObject({
      persona: 'tech',
      tags: { new: 'yes' },
      score: 71.5,
      breaches: { HighCpu: 2 },
      scoredAt: later(2),
    });
  });

  test('the fleet is counted by persona and status', async () => {
    const persona = 'salesperson';
    const [a, b] = await Promise.all(
      [1, 2, 3].map(() => store.endpoints.register(registration({ persona }), null, NOW)),
    );
    await store.endpoints.recordConditions([
      { ...a!, score: 80, scoreStatus: 'healthy' },
      { ...b!, score: 30.5, scoreStatus: 'critical' },
    ]);
    const rows = (await store.endpoints.fleet()).filter((row) => row.persona === persona);
    expect(rows).toHaveLength(3);
    expect(rows).toContainEqual({ persona, status: 'critical', endpoints: 1, scoreSum: 30.5 });
    expect((await store.endpoints.worst(1))[0]?.score).toBe(30.5);
  });

  const add = () => store.endpoints.register(registration(), null, NOW);

  test('histories hold the predicted metrics by endpoint, oldest first', async () => {
    const [a, b] = [await add(), await add()];
    await store.snapshots.add([snapshot(a.id, later(2000)), snapshot(a.id, later(1000)), snapshot(b.id, later(-1))]);
    const histories = await store.snapshots.histories([a.id, b.id], later(0));
    expect([...histories.keys()]).toEqual([a.id]);
    const { cpuPct, memoryPct, diskPct } = flatOf(snapshot(a.id, NOW));
    expect(histories.get(a.id)).toEqual([
      { atMs: later(1000).getTime(), cpuPct, memoryPct, diskPct },
      { atMs: later(2000).getTime(), cpuPct, memoryPct, diskPct },
    ]);
    expect(await store.snapshots.histories([], later(0))).toEqual(new Map());
  });

  test('one prediction of a metric stands at a time; a verdict is final', async () => {
    const endpoint = await add();
    const made: Omit<StoredPrediction, 'id'> = {
      endpointId: endpoint.id,
      hostname: endpoint.hostname,
      metric: 'diskPct',
      alertName: 'DiskFull',
      madeAt: NOW,
      limitPct: 90,
      value: 70,
      slopePerHour: 0.5,
      expectedAt: later(1e7),
      soonestAt: later(9e6),
      latestAt: later(2e7),
      severity: 'warning',
      impactText: 'about 3 hours',
      impactHours: 3,
      endedAt: null,
      verdict: 'open',
      judgedAt: null,
      reachedAt: null,
      leadHours: null,
    };
    await store.predictions.add([made]);
    await expect(store.predictions.add([made])).rejects.toThrow();
    const [standing] = await store.predictions.current([endpoint.id]);
    expect(standing).toMatchObject(made);
    const { id } = standing as StoredPrediction;
    await store.predictions.update(id, { endedAt: later(5) });
    expect(await store.predictions.current([endpoint.id])).toEqual([]);
    await store.predictions.add([{ ...made, madeAt: later(6) }]);

    const judgement = { id, judgedAt: later(9), reachedAt: later(8), leadHours: 2 };
    await store.predictions.judge([{ ...judgement, verdict: 'hit' }]);
    await store.predictions.judge([{ ...judgement, verdict: 'false' }]);
    const mine = (await store.predictions.since(NOW, 'DiskFull')).filter((row) => row.endpointId === endpoint.id);
    expect(mine.map(({ verdict }) => verdict)).toEqual(['open', 'hit']);
    expect((await store.predictions.unjudged(0, 100)).map((row) => row.id)).not.toContain(id);
  });

  test('snapshots keep every field, and the latest is found per endpoint', async () => {
    const [a, b, c] = await Promise.all([1, 2, 3].map(() => store.endpoints.register(registration(), null, NOW)));
    await store.snapshots.add([
      snapshot(a!.id, later(1000)),
      snapshot(a!.id, later(0), null),
      snapshot(b!.id, later(5)),
    ]);
    const latest = await store.snapshots.latest([a!.id, b!.id, c!.id]);
    expect(latest.get(a!.id)).toEqual(snapshot(a!.id, later(1000)));
    expect(latest.get(b!.id)?.collectedAt).toEqual(later(5));
    expect(latest.has(c!.id)).toBe(false);
    expect((await store.snapshots.since([a!.id], later(500))).map(({ collectedAt }) => collectedAt)).toEqual([
      later(1000),
    ]);
  });

  test('scores come newest first', async () => {
    const endpoint = await store.endpoints.register(registration(), null, NOW);
    await store.scores.add([
      score(endpoint.id, later(0), 50),
      score(endpoint.id, later(9), 60),
      score(endpoint.id, later(5), 55),
    ]);
    expect((await store.scores.history(endpoint.id, 2)).map((row) => row.score)).toEqual([60, 55]);
    expect((await store.scores.latest(endpoint.id))?.components.network).toBeNull();
  });

  test('more rows than one statement may carry are written all the same', async () => {
    const endpoint = await store.endpoints.register(registration(), null, NOW);
    await store.snapshots.add(Array.from({ length: 5000 }, (_, i) => snapshot(endpoint.id, later(i))));
    expect(await store.snapshots.since([endpoint.id], later(0))).toHaveLength(5000);
  });

  test('a run is claimed once, whoever tries', async () => {
    await store.runs.add(run('claim-me'));
    const claims = await Promise.all(Array.from({ length: 20 }, () => store.runs.claim('claim-me', 'worker', NOW)));
    expect(claims.filter(Boolean)).toHaveLength(1);
    await store.runs.update('claim-me', {
      status: 'completed',
      finishedAt: later(5),
      result: { score: { value: [1, null] } },
    });
    expect(await store.runs.get('claim-me')).toMatchObject({
      status: 'completed',
      result: { score: { value: [1, null] } },
    });
    expect((await store.runs.list({ status: 'completed' }, { limit: 5, offset: 0 })).total).toBe(1);
  });

  test('a transaction that fails leaves nothing, nested ones included', async () => {
    const given = registration();
    const failing = store.transaction(async (inner) => {
      await inner.endpoints.register(given, null, NOW);
      await inner.transaction((innermost) => innermost.runs.add(run('rolled-back')));
      throw new Error('stop');
    });
    await expect(failing).rejects.toThrow('stop');
    expect(await store.endpoints.get(given.hostname)).toBeNull();
    expect(await store.runs.get('rolled-back')).toBeNull();
  });

  test('the audit trail is read newest first', async () => {
    const entry = {
      at: NOW,
      actor: 'key:a',
      actorKind: 'human',
      via: 'rest',
      role: 'admin',
      tool: 't',
      inputDigest: 'd',
      subject: null,
      outcome: 'ok' as const,
      error: null,
      durationMs: 1,
    };
    await store.audit.append([entry]);
    await store.audit.append([{ ...entry, tool: 'u' }]);
    const { items, total } = await store.audit.list({ actor: 'key:a' }, { limit: 10, offset: 0 });
    expect(total).toBe(2);
    expect(items.map(({ tool }) => tool)).toEqual(['u', 't']);
  });

  test('votes on a runbook: one a voter, page and alert, the last word counts', async () => {
    const vote = (docId: string, voter: string, alertId: number | null, helped: boolean) =>
      store.runbookVotes.cast({ docId, voter, alertId, helped }, NOW);
    await vote('disk', 'ann', null, false);
    await vote('disk', 'ann', null, true);
    await vote('disk', 'ann', 7, true);
    await vote('disk', 'bob', 7, true);
    await vote('disk', 'bob', 8, false);
    await vote('vpn', 'bob', null, true);
    await vote('vpn', 'bob', null, false);
    expect(await store.runbookVotes.counts()).toEqual(
      new Map([
        ['disk', { helped: 3, notHelped: 1 }],
        ['vpn', { helped: 0, notHelped: 1 }],
      ]),
    );
  });

  test('the committed migrations have not drifted from the entities', async () => {
    expect(await opened.database.orm.schema.getUpdateSchemaSQL({ wrap: false, safe: false })).toBe('');
    expect(await opened.database.orm.migrator.checkSchema()).toBe(false);
  });
});
