/** What is forgotten whole, kind by kind on both databases: the old goes, the young stays, and what is not over stays however old. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SAMPLE_BLOCK_KINDS } from '../../../src/adapters/db/entities/telemetry.ts';
import { encodeBlock } from '../../../src/adapters/db/telemetry/sampleBlock.ts';
import { FORGOTTEN, type Forgotten } from '../../../src/core/ports/retentionPorts.ts';
import { maintainRetention } from '../../../src/core/processes/retention.ts';
import { plantRow } from '../../helpers/plantRow.ts';
import { NOW } from '../../helpers/rows.ts';
import { openTestStore, SLOW_STORE_KINDS, type TestStore } from '../../helpers/stores.ts';

const DAY_MS = 86_400_000;
const THIRTEEN_MONTHS = 396;
const daysAgo = (days: number) => new Date(NOW.getTime() - days * DAY_MS);
const dayOf = (at: Date) => at.toISOString().slice(0, 10);
const ANCIENT = daysAgo(2000);

type Fields = Record<string, unknown>;

interface Kind {
  table: string;
  keptDays: number;
  /** A row that was over at this moment. */
  over(at: Date): Fields;
  /** Rows that may be as old as they like. */
  never: Fields[];
}

const KINDS: Record<Exclude<Forgotten, 'survey_invitations'>, Kind> = {
  scan_runs: {
    table: 'run',
    keptDays: 14,
    over: (at) => ({ kind: 'fleet_scan', status: 'completed', finished_at: at }),
    never: [{ kind: 'scan', status: 'running', created_at: ANCIENT, finished_at: null }],
  },
  runs: {
    table: 'run',
    keptDays: 90,
    over: (at) => ({ kind: 'planner', status: 'failed', finished_at: at }),
    never: [{ kind: 'planner', status: 'waiting_approval', created_at: ANCIENT, finished_at: null }],
  },
  alerts: {
    table: 'alert',
    keptDays: THIRTEEN_MONTHS,
    over: (at) => ({ status: 'resolved', created_at: ANCIENT, resolved_at: at }),
    never: ['active', 'acknowledged', 'pending_approval', 'remediating', 'needs_human'].map((status) => ({
      status,
      created_at: ANCIENT,
      updated_at: ANCIENT,
    })),
  },
  predictions: {
    table: 'prediction',
    keptDays: THIRTEEN_MONTHS,
    over: (at) => ({ made_at: at, ended_at: at, verdict: 'hit' }),
    never: [
      { made_at: ANCIENT, ended_at: null, verdict: 'open' },
      { made_at: ANCIENT, ended_at: ANCIENT, verdict: 'open' }, // nobody has judged it yet
    ],
  },
  approvals: {
    table: 'approval',
    keptDays: THIRTEEN_MONTHS,
    over: (at) => ({ status: 'approved', execution: 'done', requested_at: ANCIENT, settled_at: at }),
    never: [
      { status: 'pending', execution: 'none', requested_at: ANCIENT, expires_at: ANCIENT },
      { status: 'approved', execution: 'running', requested_at: ANCIENT, decided_at: ANCIENT },
    ],
  },
  accesses: { table: 'machine_access', keptDays: THIRTEEN_MONTHS, over: (at) => ({ day: dayOf(at) }), never: [] },
  reveals: { table: 'reveal', keptDays: THIRTEEN_MONTHS, over: (at) => ({ requested_at: at }), never: [] },
  feedback_cells: {
    table: 'feedback_cell',
    keptDays: THIRTEEN_MONTHS,
    over: (at) => ({ given_out_on: dayOf(at), comments_out: true }),
    never: [{ given_out_on: dayOf(ANCIENT), comments_out: false }], // its comments are still withheld
  },
  feedback_comments: {
    table: 'feedback_comment',
    keptDays: THIRTEEN_MONTHS,
    over: (at) => ({ given_out_on: dayOf(at) }),
    never: [{ given_out_on: null }],
  },
  audit: { table: 'audit', keptDays: THIRTEEN_MONTHS, over: (at) => ({ at }), never: [] },
  sign_in_sessions: { table: 'sign_in_session', keptDays: 1, over: (at) => ({ expires_at: at }), never: [] },
  endpoints: {
    table: 'endpoint',
    keptDays: THIRTEEN_MONTHS,
    over: (at) => ({ registered_at: ANCIENT, deregistered_at: at }),
    never: [{ registered_at: ANCIENT, last_seen_at: ANCIENT }],
  },
};

describe.each(SLOW_STORE_KINDS)('%s', (storeKind) => {
  let opened: TestStore;
  beforeAll(async () => {
    opened = await openTestStore(storeKind);
  }, 120_000);
  afterAll(() => opened.close());

  const plant = (table: string, fields: Fields) => plantRow(opened.database, table, fields);
  const tend = () =>
    maintainRetention(
      { store: opened.store, clock: { now: () => NOW }, settings: { retentionDays: 14 } },
      new AbortController().signal,
    );
  const left = async (table: string, column = 'id') => {
    const rows = await opened.database.em.fork().execute<Fields[]>(`select ${column} as found from ${table}`);
    return rows.map(({ found }) => found).sort();
  };

  test.each(Object.entries(KINDS))('%s', async (what, { table, keptDays, over, never }) => {
    const before = await left(table);
    const staying = [
      await plant(table, over(daysAgo(keptDays - 1))),
      ...(await Promise.all(never.map((row) => plant(table, row)))),
    ];
    await plant(table, over(daysAgo(keptDays + 2)));
    await plant(table, over(ANCIENT));
    expect((await tend()).forgotten).toEqual({
      ...Object.fromEntries(FORGOTTEN.map((each) => [each, 0])),
      [what]: 2,
    });
    expect(await left(table)).toEqual([...before, ...staying].sort());
  });

  test('survey_invitations: those of a survey that ended long ago; its result, and the people of an open one, stay', async () => {
    const survey = (fields: Fields) => plant('survey', { started_at: ANCIENT, ...fields });
    const surveys = [
      await survey({ status: 'closed', closed_at: daysAgo(THIRTEEN_MONTHS + 2) }),
      await survey({ status: 'closed', closed_at: daysAgo(THIRTEEN_MONTHS - 1) }),
      await survey({ status: 'open', closed_at: null }),
    ];
    const invitations = [];
    for (const survey_id of surveys)
      invitations.push(await plant('survey_invitation', { survey_id, asked_at: ANCIENT }));
    expect((await tend()).forgotten.survey_invitations).toBe(1);
    expect(await left('survey_invitation')).toEqual(invitations.slice(1).sort());
    expect(await left('survey')).toEqual([...surveys].sort());
  });

  test('an alert goes with its timeline, remediations, tickets and Slack messages, and takes nothing of another', async () => {
    const withAll = async (resolved_at: Date) => {
      const alert_id = await plant('alert', { status: 'resolved', resolved_at });
      const remediation = await plant('remediation', { alert_id, status: 'fixed', finished_at: resolved_at });
      await plant('alert_event', { alert_id });
      await plant('ticket', { alert_id });
      await plant('owner_remedy', { alert_id, email: `${alert_id}@example.com`, day: null, status: 'declined' });
      await plant('slack_message', { subject: `alert:${alert_id}` });
      await plant('slack_message', { subject: `fix_check:${remediation}` });
      return { alert_id, remediation };
    };
    const young = await withAll(daysAgo(THIRTEEN_MONTHS - 1));
    await withAll(daysAgo(THIRTEEN_MONTHS + 2));
    expect((await tend()).forgotten.alerts).toBe(1);
    expect(await left('remediation', 'alert_id')).toEqual([young.alert_id]);
    expect(await left('alert_event', 'alert_id')).toEqual([young.alert_id]);
    expect(await left('ticket', 'alert_id')).toEqual([young.alert_id]);
    expect(await left('owner_remedy', 'alert_id')).toEqual([young.alert_id]);
    expect(await left('slack_message', 'subject')).toEqual(
      [`alert:${young.alert_id}`, `fix_check:${young.remediation}`].sort(),
    );
  });

  test('an approval goes with its Slack message; those without one stay as they are', async () => {
    const [old, pending] = [
      await plant('approval', { status: 'denied', settled_at: daysAgo(THIRTEEN_MONTHS + 2) }),
      await plant('approval', { status: 'pending', requested_at: ANCIENT }),
    ];
    for (const id of [old, pending]) await plant('slack_message', { subject: `approval:${id}` });
    const before = await left('slack_message', 'subject');
    await tend();
    expect(await left('slack_message', 'subject')).toEqual(before.filter((subject) => subject !== `approval:${old}`));
  });

  test('a deregistered endpoint stays while anything measured on it does', async () => {
    const gone = await plant('endpoint', { deregistered_at: ANCIENT });
    await plant('sample_block', {
      endpoint_id: gone,
      kind: SAMPLE_BLOCK_KINDS.scoreHour,
      day: new Date(daysAgo(100).toISOString().slice(0, 10)),
      data: encodeBlock([{ '@': 0, samples: 1, aggregates: {} }]),
    });
    const { forgotten } = await tend();
    expect(forgotten.endpoints).toBe(0);
    expect(await left('endpoint')).toContain(gone);
  });

  test('more than one step of a kind goes in one run', async () => {
    for (let i = 0; i < 3; i++) {
      await opened.database.em.fork().execute(
        `insert into audit (at, actor, actor_kind, via, role, tool, input_digest, outcome, duration_ms)
         values ${Array.from({ length: 200 }, () => "(?, 'a', 'human', 'cli', 'admin', 't', 'd', 'ok', 1)").join(', ')}`,
        Array.from({ length: 200 }, () => ANCIENT),
      );
    }
    expect((await tend()).forgotten.audit).toBe(600);
  });

  test('what forgets itself: sent messages and ticket deliveries by their age, yesterday is the oldest day of models’ cost', async () => {
    const { store } = opened;
    const sent = (days: number) => plant('outbox', { state: 'sent', sent_at: daysAgo(days), created_at: ANCIENT });
    await sent(8);
    await plant('outbox', { state: 'dead', created_at: daysAgo(8) });
    const staying = [
      await sent(6),
      await plant('outbox', { state: 'dead', created_at: daysAgo(6) }),
      await plant('outbox', { state: 'pending', created_at: ANCIENT }),
    ];
    expect(await store.outbox.prune(daysAgo(7))).toBe(2);
    expect(await left('outbox')).toEqual(staying.sort());

    await plant('ticket_delivery', { id: 'old', received_at: daysAgo(8) });
    await plant('ticket_delivery', { id: 'young', received_at: daysAgo(6) });
    expect(await store.tickets.pruneDeliveries(daysAgo(7))).toBe(1);
    expect(await left('ticket_delivery')).toEqual(['young']);

    for (const day of ['2026-02-28', '2026-03-01', '2026-03-02']) await plant('llm_spend', { day, caller: 'job:a' });
    await store.transaction((inner) => inner.llmSpending.hold('2026-03-02', ['job:a']));
    expect(await left('llm_spend', 'day')).toEqual(['2026-03-01', '2026-03-02']);
  });
});
