/** A survey of forty people from the lot to the summary, attacked through every interface that could tell who said what. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { jobActor } from '../../../src/core/actor.ts';
import type { ComposedSurvey } from '../../../src/core/people/surveys.ts';
import type { Ports } from '../../../src/core/ports/ports.ts';
import { dayOf } from '../../../src/domain/people/survey.ts';
import { testClock } from '../../helpers/clock.ts';
import { collectingLog } from '../../helpers/collectingLog.ts';
import { dump } from '../../helpers/dump.ts';
import { machines } from '../../helpers/machines.ts';
import { startTestService, type TestService } from '../../helpers/service.ts';
import { SLOW_STORE_KINDS } from '../../helpers/stores.ts';
import { type Employee, post, slackActor } from '../../helpers/surveyCompany.ts';
import { createTestDatabase } from '../../helpers/testDatabase.ts';

const HOUR_MS = 3_600_000;
const LEAST = 5;
const PERSONAS = ['developer', 'salesperson', 'executive', 'tech', 'general'];
const TEAMS = ['red', 'blue', 'lonely'];

/** Forty people: two executives and one lonely developer among larger groups, ten of them on the other side of the ocean. */
const EMPLOYEES: Employee[] = Array.from({ length: 40 }, (_, index) => ({
  email: `person-${index}@example.com`,
  hostname: `laptop-${index}`,
  persona: index < 2 ? 'executive' : index < 20 ? 'developer' : index < 32 ? 'salesperson' : 'general',
  tags: { team: index === 2 ? 'lonely' : index % 2 ? 'red' : 'blue' },
  timeZone: index % 4 === 3 ? 'America/New_York' : 'Europe/London',
}));

const secretComment = (email: string) => `what ${email.replace('@example.com', '')} thinks in private`;
const ratingOf = (index: number) => ((index * 7) % 5) + 1;

interface Question {
  days: number;
  persona?: string;
  team?: string;
}

/** What an onlooker was told, and what then was asked for. */
interface Sighting extends Question {
  at: string;
  /** First day that counts. */
  since: string;
  responses: number;
  promoters: number | null;
}

const EVERY_QUESTION: Question[] = [1, 2, 7, 30, 365].flatMap((days) =>
  [undefined, ...PERSONAS].flatMap((persona) => [undefined, ...TEAMS].map((team) => ({ days, persona, team }))),
);

describe.each(SLOW_STORE_KINDS)('a survey of forty people on %s', (kind) => {
  let service: TestService;
  let surveyId: number;
  const clock = testClock(new Date('2026-03-02T10:00:00Z')); // a Monday
  const office = post(EMPLOYEES);
  const { log, lines } = collectingLog();
  /** Everything an onlooker with an API key ever saw. */
  const seen: Sighting[] = [];
  /** In the order of answering, which is not that of the invitations. */
  const answered: Employee[] = [];

  beforeAll(async () => {
    const env: Record<string, string> = kind === 'postgresql' ? { DATABASE_URL: await createTestDatabase() } : {};
    service = await startTestService(env, { collector: machines(new Map()), clock, log, ...office.overrides });
    office.openFor(service);
    for (const { email, hostname, persona, tags } of EMPLOYEES) {
      const machine = { hostname, owner_email: email, persona, tags, collector: 'local' };
      expect((await service.call('POST', '/api/v1/dex/endpoints', machine)).status).toBe(201);
    }
  }, 90_000);
  afterAll(async () => {
    await service.stop();
  }, 60_000);

  const ports = (): Ports => service.app.ports;
  const tend = async () => (await service.app.invoke('maintain_surveys', {}, jobActor('dex_maintain_surveys'))).output;
  const answer = (letter: ComposedSurvey, more: Record<string, unknown>) => {
    const name = letter.email.replace('@example.com', '');
    return service.app.invoke('answer_survey', { token: letter.token, ...more }, slackActor(name));
  };
  const look = async (question: Question, at: string) => {
    const { days, persona, team } = question;
    const query = `lookback_days=${days}${persona ? `&persona=${persona}` : ''}${team ? `&tag=team=${team}` : ''}`;
    const { status, body } = await service.call('GET', `/api/v1/dex/feedback/summary?${query}`);
    expect(status).toBe(200);
    const since = dayOf(new Date(clock.now().getTime() - days * 24 * HOUR_MS));
    seen.push({ ...question, at, since, responses: body.responses, promoters: body.promoters });
  };
  const lookAtAll = async (at: string) => {
    for (const question of EVERY_QUESTION) await look(question, at);
  };

  test('asks people in their own working hours, once', async () => {
    const { status, body } = await service.call('POST', '/api/v1/dex/surveys', { days: 4 });
    expect(status).toBe(201);
    surveyId = body.survey.id;
    expect(body.survey).toMatchObject({ status: 'open', invited: 40, answered: 0, started_by: 'key:api_key' });
    expect(await tend()).toEqual({ asked: 30, reminded: 0 });
    expect(await tend()).toEqual({ asked: 0, reminded: 0 });
    await office.arrived(30);
    expect(office.to('person-3@example.com')).toEqual([]);
    clock.advance(5 * HOUR_MS); // 10:00 in New York
    expect(await tend()).toEqual({ asked: 10, reminded: 0 });
    await office.arrived(40);
    expect(new Set(office.letters.map(({ email }) => email)).size).toBe(40);
    expect(office.to('person-2@example.com')[0]).toMatchObject({ hostnames: ['laptop-2'], reminder: false });
  }, 60_000);

  test('is not started twice', async () => {
    expect((await service.call('POST', '/api/v1/dex/surveys', {})).status).toBe(409);
  });

  test('takes answers of 37 people while an onlooker asks for summaries all the time', async () => {
    for (let step = 0; step < 37; step++) {
      const index = (step * 11 + 5) % 40; // 11 and 40 share no factor, so that everybody comes once
      const employee = EMPLOYEES[index] as Employee;
      const [letter] = office.to(employee.email) as [ComposedSurvey];
      const named = index % 5 !== 0; // every fifth does not tick that the machine may be named
      await answer(letter, {
        rating: ratingOf(index),
        category: 'software',
        comment: secretComment(employee.email),
        ...(named && { hostname: employee.hostname }),
      });
      answered.push(employee);
      await look({ days: 30 }, `after answer ${step + 1}`);
      if (step % 12 === 0) await lookAtAll(`after answer ${step + 1}`);
    }
    expect((await service.call('GET', `/api/v1/dex/surveys/${surveyId}`)).body).toMatchObject({
      survey: { answered: 37, response_rate_pct: 93 },
      invitations: { asked: 40, waiting: 0, unreachable: 0 },
    });
  }, 120_000);

  test('a token answers once, a foreign machine and a made-up token are refused', async () => {
    const [used] = office.to((answered[0] as Employee).email) as [ComposedSurvey];
    await expect(answer(used, { rating: 1 })).rejects.toMatchObject({ kind: 'conflict' });
    const [unused] = office.to(lastThree()[0]!.email) as [ComposedSurvey];
    await expect(answer(unused, { rating: 1, hostname: 'laptop-39' })).rejects.toMatchObject({ kind: 'invalid' });
    await expect(answer({ ...unused, token: 'dex_made-up' }, { rating: 1 })).rejects.toMatchObject({
      kind: 'not_found',
    });
    for (const bad of [{ rating: 9 }, { rating: 3, category: 'x' }, { rating: 3, comment: 'y'.repeat(10_000) }])
      await expect(answer(unused, bad)).rejects.toMatchObject({ kind: 'invalid' });
    for (const via of ['rest', 'mcp', 'planner', 'cli', 'job'] as const) {
      const actor = { ...slackActor('eve'), via };
      await expect(
        service.app.invoke('answer_survey', { token: unused.token, rating: 1 }, actor),
      ).rejects.toMatchObject({ kind: 'not_found' });
    }
  });

  /** Who had not answered after the first round. */
  const lastThree = () => EMPLOYEES.filter((employee) => !answered.includes(employee)).slice(0, 3);

  test('what waits in the database does not tell whose it is', async () => {
    const rows = await dump(service.app.config.DATABASE_URL, 'feedback');
    expect(rows).toHaveLength(37);
    const columns = Object.keys(rows[0] as object).toSorted();
    expect(columns).toEqual(['category', 'comment', 'groups', 'id', 'rating', 'source', 'voice']);
    // Only unasked feedback keeps a voice, so that one caller counts once.
    expect(rows.filter(({ voice }) => voice !== null)).toEqual([]);
    // The guess of somebody who watched people answer: first row, first person; or by id; or by the order of asking.
    const comments = rows.map(({ comment }) => comment);
    const byId = rows.toSorted((a, b) => Number(a.id) - Number(b.id)).map(({ comment }) => comment);
    const invitations = await dump(service.app.config.DATABASE_URL, 'survey_invitation');
    const asked = invitations
      .map(({ email }) => String(email))
      .filter((email) => answered.some((one) => one.email === email));
    for (const guesses of [answered.map(({ email }) => email), asked]) {
      for (const found of [comments, byId]) {
        const right = guesses.filter((email, place) => found[place] === secretComment(email)).length;
        // By luck alone one guess of 37 is right; ten are so in one of ten million runs.
        expect(right).toBeLessThan(10);
      }
    }
    // Of those who did not tick, nothing is known but what they said.
    for (const { comment, groups } of rows) {
      const employee = EMPLOYEES.find(({ email }) => comment === secretComment(email));
      const ticked = EMPLOYEES.indexOf(employee as Employee) % 5 !== 0;
      expect(typeof groups === 'string' ? groups : JSON.stringify(groups)).toBe(
        JSON.stringify(ticked ? [`persona:${employee?.persona}`, `tag:team=${employee?.tags.team}`] : []),
      );
    }
  });

  test('invitations stay as they were, whether answered or not', async () => {
    const rows = await dump(service.app.config.DATABASE_URL, 'survey_invitation');
    expect(new Set(rows.map(({ state }) => state))).toEqual(new Set(['asked']));
    expect(rows.every(({ reminded_at }) => reminded_at === null)).toBe(true);
  });

  test('reminds once, and only who has not answered; the first message still counts; opting out ends it', async () => {
    const [one, two, three] = lastThree() as [Employee, Employee, Employee];
    clock.advance(48 * HOUR_MS); // Wednesday, the same hour: more than half of four days
    expect(await tend()).toEqual({ asked: 0, reminded: 3 });
    expect(await tend()).toEqual({ asked: 0, reminded: 0 });
    await office.arrived(43);
    const reminded = office.letters.filter(({ reminder }) => reminder).map(({ email }) => email);
    expect(reminded.toSorted()).toEqual([one, two, three].map(({ email }) => email).toSorted());

    const [first, reminder] = office.to(one.email) as [ComposedSurvey, ComposedSurvey];
    await answer(first, { rating: 5, comment: secretComment(one.email) });
    await expect(answer(reminder, { rating: 1 })).rejects.toMatchObject({ kind: 'conflict' });
    answered.push(one);
    await answer(office.to(two.email)[1] as ComposedSurvey, { rating: 2, comment: secretComment(two.email) });
    answered.push(two);
    await look({ days: 30 }, 'before the end');
    expect(seen.every(({ responses }) => responses === 0)).toBe(true);

    const token = (office.to(three.email)[1] as ComposedSurvey).token;
    await service.app.invoke('opt_out', { token }, slackActor('three'));
    await expect(answer(office.to(three.email)[0] as ComposedSurvey, { rating: 3 })).rejects.toMatchObject({
      kind: 'conflict',
    });
    await expect(service.app.invoke('opt_out', { email: one.email }, slackActor('three'))).rejects.toMatchObject({
      kind: 'denied',
    });
  }, 30_000);

  test('is over when everybody has had their say, and tells all of them together', async () => {
    await lookAtAll('at the end');
    const { body } = await service.call('GET', '/api/v1/dex/feedback/summary');
    expect(body).toMatchObject({
      responses: 39,
      waiting: 0,
      top_categories: [
        { category: 'software', responses: 37 },
        { category: 'other', responses: 2 },
      ],
    });
    expect(body.comments).toHaveLength(39);
    expect(body.groups.map(({ group }: { group: string }) => group)).toEqual(
      expect.arrayContaining(['persona:developer', 'persona:salesperson', 'persona:general']),
    );
    expect(body.groups.map(({ group }: { group: string }) => group)).not.toContain('persona:executive');
    expect(body.groups.map(({ group }: { group: string }) => group)).not.toContain('tag:team=lonely');
    expect((await service.call('GET', `/api/v1/dex/surveys/${surveyId}`)).body.survey.status).toBe('closed');
  }, 60_000);

  test('feedback that an onlooker adds does not uncover anybody', async () => {
    // A second survey that one person answers, beside four answers of the attacker's own.
    clock.advance(31 * 24 * HOUR_MS); // a Saturday
    clock.advance(48 * HOUR_MS);
    const { body } = await service.call('POST', '/api/v1/dex/surveys', { days: 1 });
    const invited = body.survey.invited;
    expect(invited).toBe(39); // one opted out
    await tend();
    await office.arrived(43 + invited);
    const [victim] = EMPLOYEES as [Employee];
    await look({ days: 365 }, 'before the victim');
    const letter = office.to(victim.email).at(-1) as ComposedSurvey;
    await answer(letter, { rating: 1, comment: 'the second time' });
    for (let round = 0; round < 4; round++) {
      await service.call('POST', '/api/v1/dex/feedback', { rating: 5, category: 'hardware', hostname: 'laptop-1' });
      await look({ days: 365 }, `after ${round + 1} of the attacker's own`);
    }
    expect((await service.call('POST', `/api/v1/dex/surveys/${body.survey.id}/close`)).body.survey).toMatchObject({
      status: 'closed',
      answered: 1,
    });
    await lookAtAll('after the second survey');
    await service.call('POST', '/api/v1/dex/feedback', { rating: 5, category: 'hardware', hostname: 'laptop-1' });
    await lookAtAll('after the fifth of the attacker’s own');
    const { waiting, responses } = (await service.call('GET', '/api/v1/dex/feedback/summary?lookback_days=365')).body;
    expect({ waiting, responses }).toEqual({ waiting: 1, responses: 44 });
  }, 60_000);

  test('no two summaries that were ever seen differ by fewer than five people', () => {
    expect(seen.length).toBeGreaterThan(500);
    const breaches: string[] = [];
    seen.forEach((one, later) => {
      if (one.responses > 0 && one.responses < LEAST) breaches.push(JSON.stringify(one));
      for (const other of seen.slice(0, later)) {
        if (!holds(one, other)) continue;
        const apart = one.responses - other.responses;
        if ((apart !== 0 && apart < LEAST) || (apart === 0 && one.promoters !== other.promoters))
          breaches.push(`${JSON.stringify(one)} − ${JSON.stringify(other)}`);
      }
    });
    expect(breaches).toEqual([]);
  }, 30_000);

  test('nobody is asked again within thirty days', async () => {
    expect((await service.call('POST', '/api/v1/dex/surveys', {})).body.error).toMatchObject({ kind: 'refused' });
    clock.advance(31 * 24 * HOUR_MS);
    const { status, body } = await service.call('POST', '/api/v1/dex/surveys', { share_pct: 50 });
    expect(status).toBe(201);
    expect(body.survey.invited).toBe(20);
    await service.call('POST', `/api/v1/dex/surveys/${body.survey.id}/close`);
  });

  test('no table joins a person to an answer, and nothing keeps a token', async () => {
    const tables = await dump(service.app.config.DATABASE_URL);
    const whereIs = (text: string) =>
      Object.keys(tables)
        .filter((table) => JSON.stringify(tables[table]).includes(text))
        .toSorted();
    for (const employee of answered) {
      expect(whereIs(`"${employee.email}"`)).toEqual(['endpoint', 'survey_invitation', 'survey_person']);
      expect(whereIs(secretComment(employee.email))).toEqual(['feedback_comment']);
    }
    for (const { token } of office.letters) {
      expect(whereIs(token)).toEqual([]);
      expect(whereIs(ports().tokens.digest(token))).toEqual([]);
    }
    expect(tables.survey_seat).toEqual([]);
    expect(whereIs('rating').filter((table) => table !== 'feedback' && table !== 'feedback_cell')).toEqual([]);
    expect(Object.keys(tables.feedback_comment?.[0] as object).toSorted()).toEqual([
      'category',
      'given_out_on',
      'id',
      'source',
      'text',
    ]);
  });

  test('the audit shows that answers were given and neither by whom, when, nor what', async () => {
    const { items } = await ports().store.audit.list({ tool: 'answer_survey' }, { limit: 1000, offset: 0 });
    expect(items.filter(({ outcome }) => outcome === 'ok')).toHaveLength(40);
    for (const { actor, actorKind, via, role, inputDigest, subject, error, durationMs, at } of items) {
      expect({ actor, actorKind, via, role }).toEqual({
        actor: 'anonymous',
        actorKind: 'anonymous',
        via: 'anonymous',
        role: 'anonymous',
      });
      expect({ inputDigest, subject, error, durationMs }).toEqual({
        inputDigest: '',
        subject: null,
        error: null,
        durationMs: 0,
      });
      expect(at.toISOString()).toMatch(/T00:00:00\.000Z$/);
    }
    const started = await ports().store.audit.list({ tool: 'start_survey' }, { limit: 10, offset: 0 });
    expect(started.items[0]).toMatchObject({
      actor: 'key:api_key',
      inputDigest: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });

  test('the log and the metrics name nobody', async () => {
    const page = (await service.app.metricsPage()).text;
    for (const text of [...lines, page]) {
      for (const { email } of answered) {
        expect(text).not.toContain(email);
        expect(text).not.toContain(`slack:U${email.replace('@example.com', '')}"`);
        expect(text).not.toContain(secretComment(email));
      }
      for (const { token } of office.letters) expect(text).not.toContain(token);
    }
    expect(page).toContain('dex_tool_calls_total{tool="answer_survey",interface="slack",outcome="ok"}');
  });
});

/**
 * Whether everybody counted in the earlier answer is counted in the later one as well, so that subtracting means something:
 * a window that begins no later, and no condition that the other did not have.
 */
function holds(later: Sighting, earlier: Sighting): boolean {
  return (
    later.since <= earlier.since &&
    (later.persona === undefined || later.persona === earlier.persona) &&
    (later.team === undefined || later.team === earlier.team)
  );
}
