/** Feedback over HTTP: the shapes of the operations guide, the rule of five, and bad input. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { machines } from '../../helpers/machines.ts';
import { startTestService, type TestService } from '../../helpers/service.ts';

const FEEDBACK = '/api/v1/dex/feedback';
const SUMMARY = `${FEEDBACK}/summary`;

let service: TestService;
beforeAll(async () => {
  service = await startTestService({}, { collector: machines(new Map()) });
  for (const [hostname, persona] of [
    ['dev-machine-01', 'developer'],
    ['boss-machine-01', 'executive'],
  ]) {
    await service.call('POST', '/api/v1/dex/endpoints', {
      hostname,
      persona,
      collector: 'local',
      tags: { team: 'red' },
    });
    const { body } = await service.call('POST', `/api/v1/dex/endpoints/${hostname}/scan`);
    await service.finished(body.run_id);
  }
}, 60_000);
afterAll(() => service.stop(), 30_000);

const summary = async (query = '') => (await service.call('GET', `${SUMMARY}${query}`)).body;

describe('feedback', () => {
  test('is taken as the guide sends it', async () => {
    const { status, body } = await service.call('POST', FEEDBACK, {
      hostname: 'dev-machine-01',
      rating: 4,
      comment: '  VPN is slow ',
      category: 'connectivity',
    });
    expect(status).toBe(201);
    expect(body).toMatchObject({
      ok: true,
      feedback: { hostname: 'dev-machine-01', rating: 4, comment: 'VPN is slow', category: 'connectivity' },
    });
  });

  test('leaves nothing in the audit that leads to who gave which rating', async () => {
    const { body } = await service.call('GET', '/api/v1/audit?tool=submit_feedback');
    expect(body.audit.length).toBeGreaterThan(0);
    for (const line of body.audit) {
      expect(line).toMatchObject({ actor: 'anonymous', via: 'anonymous', input_digest: '', subject: null });
      expect(line.at).toMatch(/T00:00:00\.000Z$/);
    }
  });

  test('says nothing before there are five answers', async () => {
    for (const rating of [5, 3, 1]) await service.call('POST', FEEDBACK, { rating, hostname: 'dev-machine-01' });
    expect(await summary('?lookback_days=30')).toMatchObject({
      lookback_days: 30,
      responses: 0,
      waiting: 4,
      enps: null,
      enps_margin: null,
      promoters: null,
      avg_rating: null,
      top_categories: [],
      suppressed: expect.stringContaining('Fewer than 5'),
    });
  });

  test('tells five together', async () => {
    await service.call('POST', FEEDBACK, { rating: 5, category: 'connectivity', hostname: 'dev-machine-01' });
    const body = await summary('?lookback_days=30');
    // Ratings 4, 5, 3, 1, 5: three promoters, one passive, one detractor.
    expect(body).toMatchObject({
      responses: 5,
      waiting: 0,
      enps: 40,
      enps_margin: 35.8,
      promoters: 3,
      passives: 1,
      detractors: 1,
      avg_rating: 3.6,
      top_categories: [
        { category: 'other', responses: 3 },
        { category: 'connectivity', responses: 2 },
      ],
    });
    expect(body.comments).toBeUndefined();
    expect(body.groups[0]).toMatchObject({ group: 'persona:developer', responses: 5, enps: 40 });
    expect(body.groups[0].avg_dex_score).toBeGreaterThan(60);
  });

  test('keeps the sixth back, so that before and after cannot be subtracted', async () => {
    await service.call('POST', FEEDBACK, { rating: 1, hostname: 'boss-machine-01' });
    expect(await summary()).toMatchObject({ responses: 5, waiting: 1, enps: 40 });
  });

  test('tells comments from ten answers on, and unhappy people beside machines that do well', async () => {
    for (const rating of [1, 1, 2, 1]) {
      await service.call('POST', FEEDBACK, {
        rating,
        category: 'software',
        hostname: 'boss-machine-01',
        comment: 'It *crashes* <!here>',
      });
    }
    const body = await summary();
    expect(body).toMatchObject({ responses: 10, waiting: 0, enps: -30 });
    expect(body.comments).toHaveLength(5);
    expect(body.comments).toContainEqual({ category: 'connectivity', comment: 'VPN is slow' });
    expect(body.comments).toContainEqual({ category: 'software', comment: 'It *crashes* <!here>' });
    expect(body.groups.find(({ group }: { group: string }) => group === 'persona:executive')).toMatchObject({
      responses: 5,
      enps: -100,
      agreement: 'unclear',
    });
    for (let i = 0; i < 5; i++) {
      await service.call('POST', FEEDBACK, { rating: 2, category: 'software', hostname: 'boss-machine-01' });
    }
    expect(
      (await summary()).groups.find(({ group }: { group: string }) => group === 'persona:executive'),
    ).toMatchObject({
      responses: 10,
      enps: -100,
      enps_low: -100,
      enps_high: expect.any(Number),
      agreement: 'people_unhappy',
    });
    const kpis = (await service.call('GET', '/api/v1/dex/kpis')).body;
    expect(kpis.enps).toBe(-53.3);
    expect(kpis.disagreements).toContainEqual(
      expect.objectContaining({ group: 'persona:executive', enps: -100, agreement: 'people_unhappy' }),
    );
  });

  test('narrows to a persona and a tag', async () => {
    expect(await summary('?persona=executive')).toMatchObject({ responses: 10, enps: -100 });
    expect(await summary('?persona=developer&tag=team=red')).toMatchObject({ responses: 5, enps: 40 });
    expect(await summary('?persona=tech')).toMatchObject({
      responses: 0,
      suppressed: expect.stringContaining('this group'),
    });
    expect((await summary('?persona=executive')).comments).toBeUndefined();
  });

  test.each([
    ['a rating of 0', { rating: 0 }, 400, 'rating'],
    ['a rating of 6', { rating: 6 }, 400, 'rating'],
    ['half a rating', { rating: 2.5 }, 400, 'rating'],
    ['no rating', { category: 'other' }, 400, 'rating'],
    ['an unknown category', { rating: 3, category: 'weather' }, 400, 'category'],
    ['a comment that is too long', { rating: 3, comment: 'x'.repeat(10_000) }, 400, '2000'],
    ['a comment that is no text', { rating: 3, comment: { text: 'x' } }, 400, 'comment'],
    ['an unknown machine', { rating: 3, hostname: 'nobody' }, 404, 'nobody'],
    ['an unknown field', { rating: 3, user: 'alice' }, 400, 'user'],
  ])('%s is refused', async (_what, body, status, words) => {
    const before = (await summary()).waiting;
    const answer = await service.call('POST', FEEDBACK, body);
    expect(answer.status).toBe(status);
    expect(answer.body.error.message).toContain(words);
    expect((await summary()).waiting).toBe(before);
  });

  test.each(['lookback_days=0', 'lookback_days=366', 'persona=pirate', 'tag=team', 'user=alice'])(
    'a summary with %s is refused',
    async (query) => {
      expect((await service.call('GET', `${SUMMARY}?${query}`)).status).toBe(400);
    },
  );

  test('a comment of nothing but space and control characters is none', async () => {
    const { body } = await service.call('POST', FEEDBACK, { rating: 3, comment: ' \u0000\u0007 ' });
    expect(body.feedback.comment).toBeNull();
  });

  test('of one viewer the newest answer counts, so that four of five cannot be theirs', async () => {
    const { body: key } = await service.call('POST', '/api/v1/keys', { name: 'curious', role: 'viewer' });
    const before = (await summary()).waiting;
    const say = (rating: number) => service.call('POST', FEEDBACK, { rating }, { 'X-API-Key': key.token });
    const said = [await say(5), await say(1), await say(5), await say(1)];
    expect(said.map(({ status, body }) => [status, body.replaced])).toEqual([
      [201, false],
      [201, true],
      [201, true],
      [201, true],
    ]);
    expect((await summary()).waiting).toBe(before + 1);
  });

  test('surveys need a way to people', async () => {
    const { status, body } = await service.call('POST', '/api/v1/dex/surveys', {});
    expect(status).toBe(503);
    expect(body.error.message).toContain('SLACK_BOT_TOKEN');
  });
});
