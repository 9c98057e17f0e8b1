/** What the store promises about feedback and surveys, kept alike by SQLite and by a real PostgreSQL. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { giveOut } from '../../../src/core/people/feedback.ts';
import type { Store } from '../../../src/core/ports/storePorts.ts';
import type { FeedbackAnswer } from '../../../src/domain/people/confidentiality.ts';
import { answersIn } from '../../../src/domain/people/enps.ts';
import { registration } from '../../helpers/rows.ts';
import { openTestStore, STORE_KINDS, type TestStore } from '../../helpers/stores.ts';

const NOW = new Date('2026-03-02T09:00:00.123Z');
const DAY_MS = 86_400_000;
const later = (days: number) => new Date(NOW.getTime() + days * DAY_MS);

function answers(count: number, more: Partial<FeedbackAnswer> = {}): FeedbackAnswer[] {
  return Array.from({ length: count }, (_, index) => ({
    source: 'survey' as const,
    rating: (index % 5) + 1,
    category: 'other' as const,
    comment: `comment ${index}`,
    groups: [],
    ...more,
  }));
}

function survey() {
  return {
    question: 'How is it?',
    status: 'open' as const,
    startedBy: 'test',
    startedAt: NOW,
    endsAt: later(7),
    closedAt: null,
    invited: 5,
    answered: 0,
  };
}

describe.each(STORE_KINDS)('%s', (kind) => {
  let opened: TestStore;
  let store: Store;
  beforeAll(async () => {
    opened = await openTestStore(kind);
    store = opened.store;
  }, 60_000);
  afterAll(() => opened.close(), 30_000);

  beforeEach(async () => {
    for (const table of [
      'feedback',
      'feedback_cell',
      'feedback_comment',
      'survey',
      'survey_invitation',
      'survey_seat',
      'survey_person',
    ]) {
      await opened.database.em.fork().execute(`delete from ${table}`);
    }
    await opened.database.em.fork().execute('update endpoint set deregistered_at = ?', [NOW]);
  });

  test('a voice has one answer that waits, however many come at once', async () => {
    const [first, ...more] = answers(6, { source: 'feedback' });
    expect(await store.feedback.addOf('a', first!)).toMatchObject({ replaced: false });
    await Promise.all(more.map((answer) => store.feedback.addOf('a', answer)));
    expect(await store.feedback.addOf('b', first!)).toMatchObject({ replaced: false });
    expect(await store.feedback.waiting('feedback')).toBe(2);
    const taken = await store.feedback.take('feedback');
    expect(taken.every((answer) => !('voice' in answer))).toBe(true);
  });

  test('answers that are published leave only counts behind', async () => {
    await store.feedback.add(answers(7, { groups: ['persona:developer'] }));
    await store.feedback.add(answers(4, { source: 'feedback' }));
    await giveOut({ store }, 'survey', NOW);
    await giveOut({ store }, 'feedback', NOW);
    expect(await store.feedback.waiting('survey')).toBe(0);
    expect(await store.feedback.waiting('feedback')).toBe(4);
    const cells = await store.feedback.cells('2026-03-02');
    expect(cells).toEqual([
      {
        source: 'survey',
        on: '2026-03-02',
        groups: ['persona:developer'],
        tally: { ratings: [2, 2, 1, 1, 1], categories: { other: 7 } },
      },
    ]);
    expect(await store.feedback.cells('2026-03-03')).toEqual([]);
  });

  test('comments are withheld until ten answers are behind them', async () => {
    await store.feedback.add(answers(6));
    await giveOut({ store }, 'survey', NOW);
    expect(await store.feedback.comments('2026-01-01', 100)).toEqual([]);
    await store.feedback.add(answers(5, { source: 'feedback', comment: 'of another source' }));
    await giveOut({ store }, 'feedback', NOW);
    expect(await store.feedback.comments('2026-01-01', 100)).toEqual([]);
    await store.feedback.add(answers(5));
    await giveOut({ store }, 'survey', later(1));
    const out = await store.feedback.comments('2026-03-03', 100);
    expect(out).toHaveLength(11);
    expect(out.map(({ text }) => text)).not.toContain('of another source');
    expect(await store.feedback.answersWithheld('survey')).toBe(0);
    expect(await store.feedback.answersWithheld('feedback')).toBe(5);
  });

  test('published ten times at once, every answer is counted once', async () => {
    await store.feedback.add(answers(23));
    await Promise.all(Array.from({ length: 10 }, () => giveOut({ store }, 'survey', NOW)));
    const cells = await store.feedback.cells('2026-03-02');
    expect(cells.reduce((sum, { tally }) => sum + answersIn(tally), 0)).toBe(23);
    expect(Math.min(...cells.map(({ tally }) => answersIn(tally)))).toBeGreaterThanOrEqual(5);
  });

  test('answers that arrive while others are published are neither lost nor counted twice', async () => {
    await Promise.all(
      Array.from({ length: 30 }, async () => {
        await store.feedback.add(answers(1));
        await giveOut({ store }, 'survey', NOW);
      }),
    );
    const counted = (await store.feedback.cells('2026-03-02')).map(({ tally }) => answersIn(tally));
    expect(counted.reduce((sum, size) => sum + size, 0) + (await store.feedback.waiting('survey'))).toBe(30);
    expect(Math.min(...counted)).toBeGreaterThanOrEqual(5);
  });

  test('ids of answers are not in the order of their arrival', async () => {
    const ids: number[] = [];
    for (const answer of answers(40)) ids.push(...(await store.feedback.add([answer])));
    expect(ids).not.toEqual(ids.toSorted((a, b) => a - b));
    if (kind === 'sqlite') {
      const rows = await opened.database.em
        .fork()
        .execute<{ id: number; rowid: number }[]>('select id, rowid as rowid from feedback');
      expect(rows.every(({ id, rowid }) => id === rowid)).toBe(true);
    }
  });

  test('one survey is open at a time, and closing it ends every right to answer', async () => {
    const first = await store.surveys.add(survey());
    await expect(store.surveys.add(survey())).rejects.toMatchObject({ kind: 'conflict' });
    await store.surveys.invite(first.id, ['a@example.com', 'b@example.com']);
    const [invitation] = await store.surveys.withoutTimeZone(first.id, 10);
    await store.surveys.rememberToken(invitation!.id, 'digest-1', false);
    await store.surveys.rememberToken(invitation!.id, 'digest-2', true);
    expect((await store.surveys.byToken('digest-1'))?.id).toBe(invitation!.id);
    expect((await store.surveys.byToken('digest-2'))?.id).toBe(invitation!.id);
    expect(await store.surveys.close(first.id, later(1))).toBe(true);
    expect(await store.surveys.close(first.id, later(2))).toBe(false);
    expect(await store.surveys.seats(first.id)).toBe(0);
    expect(await store.surveys.byToken('digest-1')).toBeNull();
    expect(await store.surveys.get(first.id)).toMatchObject({ status: 'closed', closedAt: later(1) });
    expect(await store.surveys.open()).toBeNull();
  });

  test('a seat is given up once, by whomever', async () => {
    const { id } = await store.surveys.add(survey());
    await store.surveys.invite(id, ['a@example.com']);
    const [invitation] = await store.surveys.withoutTimeZone(id, 10);
    const tries = await Promise.all(Array.from({ length: 10 }, () => store.surveys.giveUpSeat(invitation!.id)));
    expect(tries.filter(Boolean)).toHaveLength(1);
  });

  test('asked are owners of live machines, once each, who may be asked', async () => {
    const own = (ownerEmail: string | null) => store.endpoints.register(registration({ ownerEmail }), null, NOW);
    await Promise.all(['a@x.org', 'a@x.org', 'b@x.org', 'c@x.org', 'd@x.org', null].map(own));
    const gone = await own('gone@x.org');
    await store.endpoints.deregister(gone.id, NOW);
    await store.surveys.rememberAsked('b@x.org', later(-10));
    await store.surveys.rememberAsked('c@x.org', later(-31));
    await store.surveys.setOptOut('d@x.org', NOW);
    expect(await store.surveys.askable(later(-30))).toEqual(['a@x.org', 'c@x.org']);
    await store.surveys.setOptOut('d@x.org', null);
    expect(await store.surveys.askable(later(-30))).toEqual(['a@x.org', 'c@x.org', 'd@x.org']);
    await store.surveys.rememberAsked('d@x.org', NOW);
    expect(await store.surveys.askable(later(-30))).toEqual(['a@x.org', 'c@x.org']);
  });

  test('invitations go from waiting to asked to reminded; who opted out is left alone', async () => {
    const { id } = await store.surveys.add(survey());
    await store.surveys.invite(id, ['a@x.org', 'b@x.org', 'c@x.org']);
    const [a, b, c] = await store.surveys.withoutTimeZone(id, 10);
    await store.surveys.update(a!.id, { timeZone: 'UTC' });
    await store.surveys.update(b!.id, { timeZone: 'Asia/Tokyo' });
    await store.surveys.update(c!.id, { timeZone: 'UTC' });
    await store.surveys.setOptOut('c@x.org', NOW);
    expect((await store.surveys.timeZones(id)).toSorted()).toEqual(['Asia/Tokyo', 'UTC']);
    expect((await store.surveys.toAsk(id, ['UTC'], 10)).map(({ email }) => email)).toEqual(['a@x.org']);
    await store.surveys.update(a!.id, { state: 'asked', askedAt: NOW });
    expect(await store.surveys.countStates(id)).toEqual({ waiting: 2, asked: 1, unreachable: 0 });
    expect(await store.surveys.toRemind(id, ['UTC'], later(-1), 10)).toEqual([]);
    expect(await store.surveys.toRemind(id, ['UTC'], NOW, 10)).toEqual([
      { id: a!.id, surveyId: id, email: 'a@x.org', state: 'asked', timeZone: 'UTC', askedAt: NOW, remindedAt: null },
    ]);
    await store.surveys.giveUpSeat(a!.id);
    expect(await store.surveys.toRemind(id, ['UTC'], NOW, 10)).toEqual([]);
  });

  test('scores come with what their machines belong to', async () => {
    const scored = await store.endpoints.register(registration({ persona: 'tech', tags: { team: 'red' } }), null, NOW);
    await store.endpoints.register(registration(), null, NOW);
    await store.endpoints.recordConditions([{ ...scored, score: 71.5, scoreStatus: 'healthy' }]);
    expect(await store.endpoints.scored()).toEqual([{ persona: 'tech', tags: { team: 'red' }, score: 71.5 }]);
  });
});
