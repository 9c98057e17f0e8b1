/** What every method of every repository sends is answered by an index, on both databases filled as a large fleet fills them. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { StoredApproval } from '../../src/core/ports/alertPorts.ts';
import { FORGOTTEN, type Forgotten } from '../../src/core/ports/retentionPorts.ts';
import type { Store } from '../../src/core/ports/storePorts.ts';
import { fillFleet, FILLED_UNTIL as NOW } from '../helpers/fleetRows.ts';
import { scannedTables, statementsOf } from '../helpers/queryPlans.ts';
import { openTestStore, STORE_KINDS, type TestStore } from '../helpers/stores.ts';

const DAY_MS = 86_400_000;
const daysAgo = (days: number) => new Date(NOW.getTime() - days * DAY_MS);
const HOUR_AGO = daysAgo(1 / 24);
const PAGE = { limit: 20, offset: 0 };
const IDS = [2, 5, 8, 11, 14, 17, 21, 23, 26, 29];

/** It only inserts. */
const INSERTS = 'inserts';

type Ask = () => Promise<unknown>;

/** Its answer is about every row of these tables, or they stay small: no index could help. */
interface Whole {
  tables: readonly string[];
  why: string;
  asks: readonly Ask[];
}

type Question = readonly (Ask | Whole)[] | Whole | typeof INSERTS;

/** An entry for each method: a new one does not compile before somebody says here how it is asked. */
type Questions<Repository> = {
  [Name in keyof Repository]: Repository[Name] extends (...given: never[]) => unknown
    ? Question
    : Questions<Repository[Name]>;
};

const whole = (tables: string | readonly string[], why: string, ...asks: Ask[]): Whole => ({
  tables: [tables].flat(),
  why,
  asks,
});
const TOTAL = 'the exact number of all rows is part of the answer';
const SEATS = ['survey', 'survey_seat'];
const ONE_OPEN = 'there are few surveys, and seats for the one that is open';

/** From when on the filled rows of a kind have ended; a day later only the oldest of them are older. */
const OLDEST_DAYS: Record<Forgotten, number> = {
  scan_runs: 90,
  runs: 90,
  alerts: 390,
  predictions: 400,
  approvals: 300,
  survey_invitations: 500,
  feedback_cells: 52,
  feedback_comments: 52,
  audit: 360,
  sign_in_sessions: 2,
  accesses: 360,
  reveals: 360,
  endpoints: 400,
};
const FEW_REVEALS = 'names are revealed some times a year';
const ALL_ENDPOINTS = 'a figure about every endpoint';

function questions(store: Store): Questions<Omit<Store, 'transaction' | 'ping' | 'changeMarkers' | 'within'>> {
  const { endpoints, snapshots, scores, alerts, predictions, outbox, approvals, remediations, ownerRemedies, tickets } =
    store;
  const { feedback, surveys, runs, audit, apiKeys, signInSessions, workers, jobs, retention } = store;
  const archive = <Archive extends Store['retention']['snapshots' | 'scores' | 'fleet']>(
    of: Archive,
    oldestDays: number,
  ): Questions<Store['retention']['fleet']> => ({
    take: [() => of.take(IDS, daysAgo(oldestDays), 20)],
    find: [() => of.find(IDS.map((subjectId) => ({ subjectId, hour: daysAgo(14.5) })))],
    save: INSERTS,
    forget: [() => of.forget(IDS, daysAgo(oldestDays - 1), 20)],
  });
  const endpointArchive = (of: Store['retention']['snapshots' | 'scores']): Questions<typeof of> => ({
    pack: (['latest', 'none'] as const).map(
      (keep) => () => of.pack(IDS, { before: daysAgo(0.3), due: daysAgo(0.4) }, 20, keep),
    ),
    ...archive(of, 12),
  });
  return {
    endpoints: {
      register: INSERTS,
      registerAll: INSERTS,
      get: [() => endpoints.get('host-7')],
      byAgentTokens: [() => endpoints.byAgentTokens(['digest-7', 'digest-8'])],
      byHostnames: [() => endpoints.byHostnames(['host-7', 'host-8'])],
      withAgent: [() => endpoints.withAgent(IDS)],
      list: whole(
        ['endpoint', 'endpoint_alias'],
        'any filter, a part of any name included, sorted and counted, over tables of the size of the fleet',
        () => endpoints.list({}, PAGE, HOUR_AGO),
        () => endpoints.list({ prefix: 'host-7' }, PAGE, HOUR_AGO),
        () => endpoints.list({ persona: 'tech' }, PAGE, HOUR_AGO),
        () => endpoints.list({ tag: 'team=sales' }, PAGE, HOUR_AGO),
        () => endpoints.list({ state: 'stale' }, PAGE, HOUR_AGO),
        () => endpoints.list({ ownerName: 'user7' }, PAGE, HOUR_AGO),
        () => endpoints.list({ search: 'ost-7', minScore: 10, belowScore: 90 }, PAGE, HOUR_AGO),
        () => endpoints.list({ scoreStatus: 'healthy' }, PAGE, HOUR_AGO, { by: 'score', descending: true }),
      ),
      byIds: [() => endpoints.byIds(IDS)],
      byNamesOrAddresses: [() => endpoints.byNamesOrAddresses(['host-7', '10.0.9', 'nobody'])],
      hold: [() => store.transaction((inner) => inner.endpoints.hold(IDS))],
      batch: [() => endpoints.batch(1000, 20)],
      between: [() => endpoints.between(1000, 1020)],
      spans: whole('endpoint', ALL_ENDPOINTS, () => endpoints.spans(500)),
      count: whole('endpoint', ALL_ENDPOINTS, () => endpoints.count()),
      updateAll: [async () => endpoints.updateAll(await endpoints.byIds(IDS), NOW)],
      update: [() => endpoints.update(7, { persona: 'tech' }, NOW)],
      deregister: [() => endpoints.deregister(9, NOW)],
      recordConditions: [async () => endpoints.recordConditions(await endpoints.byIds(IDS))],
      rememberHostKey: [() => endpoints.rememberHostKey('host-7', 'SHA256:x')],
      hostKey: [() => endpoints.hostKey('host-7')],
      fleet: whole('endpoint', ALL_ENDPOINTS, () => endpoints.fleet()),
      countStale: whole('endpoint', ALL_ENDPOINTS, () => endpoints.countStale(HOUR_AGO)),
      watchedSince: whole('endpoint', ALL_ENDPOINTS, () => endpoints.watchedSince(daysAgo(28))),
      scored: whole('endpoint', ALL_ENDPOINTS, () => endpoints.scored()),
      distribution: whole('endpoint', ALL_ENDPOINTS, () => endpoints.distribution()),
      members: whole('endpoint', ALL_ENDPOINTS, () => endpoints.members()),
      worst: [() => endpoints.worst(5)],
    },
    aliases: {
      byValues: [() => store.aliases.byValues(['host-7', '10.0.9', 'nobody'])],
      ofEndpoints: [() => store.aliases.ofEndpoints(IDS)],
      keep: INSERTS,
      remove: [() => store.aliases.remove(7, 'host')],
    },
    enrolments: {
      add: INSERTS,
      list: whole('enrolment', 'some dozens', () => store.enrolments.list()),
      get: whole('enrolment', 'some dozens', () => store.enrolments.get(7)),
      byDigest: whole('enrolment', 'some dozens', () => store.enrolments.byDigest('7')),
      revoke: whole('enrolment', 'some dozens', () => store.enrolments.revoke(7, NOW)),
      use: whole('enrolment', 'some dozens', () => store.enrolments.use(7, true, NOW)),
    },
    agents: {
      get: [() => store.agents.get(7)],
      byPreviousToken: [() => store.agents.byPreviousToken('digest-7', HOUR_AGO)],
      release: whole('agent_release', 'one a version', () => store.agents.release('1.0.0', NOW)),
      noteRollback: whole('agent_release', 'one a version', () => store.agents.noteRollback('1.0.0')),
      keep: INSERTS,
    },
    snapshots: {
      add: INSERTS,
      latest: [() => snapshots.latest(IDS)],
      since: [() => snapshots.since(IDS, daysAgo(0.2))],
      histories: [() => snapshots.histories(IDS, daysAgo(8)), () => snapshots.histories(IDS, daysAgo(15))],
      stretches: [() => snapshots.stretches(IDS, daysAgo(15), new Set(['cpuPct', 'diskPct']))],
    },
    scores: {
      add: INSERTS,
      latest: [() => scores.latest(7)],
      history: [
        () => scores.history(7, 20),
        () => scores.history(7, 60),
        () => scores.history(7, 60, daysAgo(0.2)),
        () => scores.history(7, 20, daysAgo(14.5)),
      ],
    },
    fleetScores: { add: INSERTS, since: [() => store.fleetScores.since(daysAgo(7))] },
    alerts: {
      remediationRecords: [() => alerts.remediationRecords(IDS, daysAgo(7))],
      open: [() => alerts.open(), () => alerts.open(IDS)],
      recent: [() => alerts.recent([{ hostname: 'host-7', alertName: 'DiskFull' }], HOUR_AGO)],
      get: [() => alerts.get(7)],
      byIds: [() => alerts.byIds(IDS)],
      list: [
        () => alerts.list({}, PAGE),
        () => alerts.list({ hostname: 'host-7', status: 'all' }, PAGE),
        () => alerts.list({ severity: 'critical' }, PAGE),
        () => alerts.list({ alertName: 'DiskFull' }, PAGE),
        () => alerts.list({ since: daysAgo(1), status: 'all' }, PAGE),
        () => alerts.list({ status: 'acknowledged' }, PAGE),
        whole('alert', TOTAL, () => alerts.list({ status: 'all' }, PAGE)),
      ],
      add: INSERTS,
      save: [async () => alerts.save(await alerts.byIds(IDS))],
      saveProgress: [async () => alerts.saveProgress(await alerts.byIds(IDS))],
      addEvents: INSERTS,
      timeline: [() => alerts.timeline(7)],
      timelines: [() => alerts.timelines(IDS, daysAgo(14))],
      silenceOver: [() => alerts.silenceOver(NOW, 20)],
      unmoved: [async () => alerts.unmoved(await alerts.byIds(IDS))],
      unhandled: [() => alerts.unhandled(20)],
      markHandled: [() => alerts.markHandled(IDS, NOW, NOW)],
      openCounts: [() => alerts.openCounts()],
      movedSince: [() => alerts.movedSince(daysAgo(7))],
    },
    predictions: {
      add: INSERTS,
      current: [() => predictions.current(IDS)],
      thresholds: whole('prediction_threshold', 'one an alert name', () => predictions.thresholds()),
      keepThreshold: INSERTS,
      dropThreshold: whole('prediction_threshold', 'one an alert name', () => predictions.dropThreshold('DiskFull')),
      update: [() => predictions.update(7, { impactHours: 3 })],
      unjudged: [() => predictions.unjudged(0, 20)],
      judge: [() => predictions.judge([{ id: 7, verdict: 'hit', judgedAt: NOW, reachedAt: NOW, leadHours: 1 }])],
      since: [() => predictions.since(daysAgo(7)), () => predictions.since(daysAgo(7), 'DiskFull')],
    },
    unknownHosts: {
      note: whole('unknown_host', 'a thousand rows at most', () =>
        store.unknownHosts.note([{ hostname: 'a', alertName: 'b', count: 1 }], NOW),
      ),
      list: whole('unknown_host', 'a thousand rows at most', () => store.unknownHosts.list(PAGE)),
      forget: [() => store.unknownHosts.forget(['7'])],
    },
    outbox: {
      add: INSERTS,
      addOnce: INSERTS,
      due: [() => outbox.due('slack', NOW, 20)],
      lease: [() => outbox.lease(IDS, NOW, NOW)],
      sent: [() => outbox.sent([2], NOW)],
      postpone: [() => outbox.postpone([4], NOW, 'busy')],
      dead: [() => outbox.dead([6], 'refused', NOW)],
      deadLetters: [() => outbox.deadLetters(undefined, PAGE), () => outbox.deadLetters('slack', PAGE)],
      revive: [() => outbox.revive({ id: 6 }, NOW), () => outbox.revive({ messenger: 'slack' }, NOW)],
      deadCounts: [() => outbox.deadCounts()],
      prune: [() => outbox.prune(daysAgo(29.9))],
    },
    slackMessages: {
      find: [() => store.slackMessages.find('alert:7')],
      keep: INSERTS,
      about: whole('slack_message', 'once, at the start', () => store.slackMessages.about('run:')),
      sharing: [() => store.slackMessages.sharing({ channel: 'C1', ts: '1.7' })],
      latestDigest: whole('slack_message', 'once for each storm', () => store.slackMessages.latestDigest()),
      forget: [() => store.slackMessages.forget('run:7')],
    },
    escalations: {
      begin: INSERTS,
      get: [() => store.escalations.get('alert:7')],
      due: [() => store.escalations.due(NOW, 20)],
      advance: [
        () =>
          store.escalations.advance(
            { subject: 'alert:7', beganAt: NOW, stepsDone: 1 },
            { stepsDone: 2, notified: [], nextAt: null },
          ),
      ],
      end: [() => store.escalations.end(['alert:7', 'alert:8'], NOW)],
      prune: whole(['escalation', 'on_call_override'], 'once a minute, over what waits or has just ended', () =>
        store.escalations.prune(daysAgo(7)),
      ),
    },
    onCall: {
      add: INSERTS,
      standing: whole('on_call_override', 'a handful of rows', () => store.onCall.standing(NOW)),
      end: whole('on_call_override', 'a handful of rows', () => store.onCall.end('workplace', 'U1', NOW)),
    },
    approvals: {
      add: INSERTS,
      get: [() => approvals.get('7')],
      list: [
        () => approvals.list({ status: 'pending' }, PAGE),
        () => approvals.list({ hostname: 'host-7' }, PAGE),
        () => approvals.list({ hostname: 'host-7', kind: 'tool' }, PAGE),
        whole('approval', TOTAL, () => approvals.list({}, PAGE)),
      ],
      replace: [async () => approvals.replace((await approvals.get('7')) as StoredApproval)],
      overdue: [() => approvals.overdue(NOW, 20)],
      running: [() => approvals.running(20)],
      unsettled: [() => approvals.unsettled(20)],
      decidedSince: [() => approvals.decidedSince(daysAgo(7))],
    },
    remediations: {
      add: INSERTS,
      get: [() => remediations.get('7')],
      list: [
        () => remediations.list({ hostname: 'host-7' }, PAGE),
        () => remediations.list({ alertId: 7 }, PAGE),
        () => remediations.list({ status: 'running' }, PAGE),
        whole('remediation', TOTAL, () => remediations.list({}, PAGE)),
      ],
      move: [() => remediations.move('7', ['running'], { reason: 'none' })],
      ofEndpoint: [() => remediations.ofEndpoint(7, daysAgo(1))],
      inStatus: [() => remediations.inStatus(['queued', 'running'])],
      fleetRecord: [() => remediations.fleetRecord(HOUR_AGO)],
      answerFixCheck: [() => remediations.answerFixCheck('200', true)],
      finishedSince: [() => remediations.finishedSince(daysAgo(7))],
    },
    ownerRemedies: {
      add: INSERTS,
      get: [() => ownerRemedies.get('7')],
      list: [
        () => ownerRemedies.list({ email: 'owner-7@example.com' }, PAGE),
        whole('owner_remedy', TOTAL, () => ownerRemedies.list({}, PAGE)),
      ],
      inStatus: [() => ownerRemedies.inStatus(['offered', 'running'])],
      ofRemediation: [() => ownerRemedies.ofRemediation('7')],
      move: [() => ownerRemedies.move('7', ['offered'], { status: 'declined' })],
      candidates: [
        () =>
          ownerRemedies.candidates({
            alertNames: ['DiskFull'],
            raisedBefore: HOUR_AGO,
            notAskedSince: daysAgo(1),
            notAboutItSince: daysAgo(7),
          }),
      ],
      setOptOut: INSERTS,
      setReportWanted: INSERTS,
      reportsDue: whole('owner_report', 'every one of them is due once a month', () =>
        ownerRemedies.reportsDue('2026-02', 40),
      ),
      reportSent: [() => ownerRemedies.reportSent('user7@example.com', '2026-02')],
    },
    tickets: {
      add: INSERTS,
      get: [() => tickets.get('7')],
      byExternalId: [() => tickets.byExternalId('T-7')],
      ofAlerts: [() => tickets.ofAlerts(IDS)],
      update: [() => tickets.update('7', { url: null })],
      noteDelivery: INSERTS,
      pruneDeliveries: [() => tickets.pruneDeliveries(daysAgo(0.99))],
    },
    feedback: {
      add: INSERTS,
      addOf: INSERTS,
      waiting: [() => feedback.waiting('feedback')],
      take: [() => store.transaction((inner) => inner.feedback.take('feedback', 5))],
      addCells: INSERTS,
      addComments: INSERTS,
      answersWithheld: [() => feedback.answersWithheld('feedback')],
      giveOutComments: [() => feedback.giveOutComments('feedback', '2026-03-02')],
      cells: [() => feedback.cells('2026-03-01')],
      comments: [() => feedback.comments('2026-03-01', 20)],
    },
    surveys: {
      add: INSERTS,
      open: whole(SEATS, ONE_OPEN, () => surveys.open()),
      get: whole(SEATS, ONE_OPEN, () => surveys.get(7)),
      list: whole(SEATS, ONE_OPEN, () => surveys.list(PAGE)),
      close: whole(SEATS, ONE_OPEN, () => surveys.close(7, NOW)),
      askable: {
        tables: ['endpoint', 'survey_person'],
        why: ALL_ENDPOINTS,
        asks: [() => surveys.askable(daysAgo(28))],
      },
      invite: INSERTS,
      invitation: [() => surveys.invitation(7)],
      byToken: [() => surveys.byToken('t-7')],
      countStates: [() => surveys.countStates(7)],
      withoutTimeZone: whole(SEATS, ONE_OPEN, () => surveys.withoutTimeZone(7, 20)),
      timeZones: [() => surveys.timeZones(7)],
      toAsk: whole(SEATS, ONE_OPEN, () => surveys.toAsk(7, ['Europe/Berlin'], 20)),
      toRemind: whole(SEATS, ONE_OPEN, () => surveys.toRemind(7, ['Europe/Berlin'], daysAgo(2), 20)),
      update: [() => surveys.update(7, { state: 'asked' })],
      rememberToken: [() => surveys.rememberToken(7, 'digest', true)],
      seats: whole(SEATS, ONE_OPEN, () => surveys.seats(1)),
      hasSeat: whole(SEATS, ONE_OPEN, () => surveys.hasSeat(100)),
      giveUpSeat: whole(SEATS, ONE_OPEN, () => surveys.giveUpSeat(100)),
      countAnswer: whole(SEATS, ONE_OPEN, () => surveys.countAnswer(7)),
      rememberAsked: INSERTS,
      setOptOut: whole(SEATS, ONE_OPEN, () => surveys.setOptOut('user7@example.com', NOW)),
    },
    runs: {
      add: INSERTS,
      get: [() => runs.get('7')],
      list: [
        () => runs.list({ status: 'running' }, PAGE),
        () => runs.list({ hostname: 'host-7' }, PAGE),
        () => runs.list({ hostname: 'host-7', kind: 'scan' }, PAGE),
        whole('run', TOTAL, () => runs.list({}, PAGE)),
      ],
      status: [() => runs.status('7')],
      move: [() => runs.move('7', ['running'], { error: null })],
      claim: [() => runs.claim('40', 'worker', NOW)],
      abandoned: [() => runs.abandoned(['worker'])],
      update: [() => runs.update('7', { error: null })],
      inStatus: [() => runs.inStatus(['queued'], 'planner')],
    },
    scanShards: {
      add: INSERTS,
      claimNext: [() => store.scanShards.claimNext('7', 'worker')],
      keep: [() => store.scanShards.keep({ id: '7', attempts: 1 }, { scanned: 1 })],
      open: [() => store.scanShards.open('7')],
      totals: [() => store.scanShards.totals('7')],
      notes: [() => store.scanShards.notes('7')],
      drop: [() => store.scanShards.drop('7')],
    },
    llmSpending: {
      hold: whole('llm_spend', 'two days of callers', () => store.llmSpending.hold('2026-03-02', ['job:a'])),
      add: whole('llm_spend', 'two days of callers', () =>
        store.llmSpending.add('2026-03-02', ['job:a'], { spentUsd: 1, reservedUsd: 0 }),
      ),
    },
    audit: {
      append: INSERTS,
      list: [
        () => audit.list({ actor: 'key:7' }, PAGE),
        () => audit.list({ actor: 'key:7', since: daysAgo(7) }, PAGE),
        () => audit.list({ since: daysAgo(7) }, PAGE),
        whole(
          'audit',
          TOTAL,
          () => audit.list({ tool: 'tool_7' }, PAGE),
          () => audit.list({}, PAGE),
        ),
      ],
    },
    apiKeys: {
      add: INSERTS,
      list: whole('api_key', 'some dozens', () => apiKeys.list()),
      byDigest: whole('api_key', 'some dozens', () => apiKeys.byDigest('7')),
      revoke: whole('api_key', 'some dozens', () => apiKeys.revoke('7', NOW)),
      noteUse: whole('api_key', 'some dozens', () => apiKeys.noteUse(7, NOW)),
    },
    signInSessions: {
      add: INSERTS,
      byDigest: [() => signInSessions.byDigest('digest-7', NOW)],
      byEmail: [() => signInSessions.byEmail('user7@example.com', NOW)],
      list: [
        () => signInSessions.list('subject-7', NOW),
        whole('sign_in_session', 'everybody who is signed in', () => signInSessions.list(null, NOW)),
      ],
      takeConfirmation: [() => signInSessions.takeConfirmation({ id: 7, confirmAfter: NOW }, NOW)],
      update: [() => signInSessions.update(7, { lastUsedAt: NOW })],
      end: [() => signInSessions.end(7, NOW)],
    },
    workers: {
      beat: INSERTS,
      seenSince: whole('worker', 'some dozens', () => workers.seenSince(HOUR_AGO)),
      leave: whole('worker', 'some dozens', () => workers.leave('7', daysAgo(1))),
    },
    jobs: { ended: INSERTS, list: whole('job', 'one a job', () => jobs.list()) },
    runbookVotes: {
      cast: INSERTS,
      counts: whole('runbook_feedback', 'every vote counts', () => store.runbookVotes.counts()),
    },
    retention: {
      snapshots: endpointArchive(retention.snapshots),
      scores: endpointArchive(retention.scores),
      fleet: archive(retention.fleet, 389),
      endpointIds: [() => retention.endpointIds(1000, 20)],
      forget: FORGOTTEN.map((what) =>
        whole(['survey', 'machine_access', 'reveal'], ONE_OPEN, () =>
          retention.forget(what, daysAgo(OLDEST_DAYS[what] - 1), 5),
        ),
      ),
    },
    identities: {
      marker: whole(['endpoint', 'endpoint_alias'], ALL_ENDPOINTS, () => store.identities.marker()),
      all: whole(['endpoint', 'endpoint_alias'], ALL_ENDPOINTS, () => store.identities.all()),
    },
    reveals: {
      add: INSERTS,
      get: whole('reveal', FEW_REVEALS, () => store.reveals.get('7')),
      begin: whole('reveal', FEW_REVEALS, () => store.reveals.begin('7', 'key:b', NOW, NOW)),
      end: whole('reveal', FEW_REVEALS, () => store.reveals.end('7', NOW)),
      active: whole('reveal', FEW_REVEALS, () => store.reveals.active(NOW)),
      list: whole('reveal', FEW_REVEALS, () => store.reveals.list({ endpointId: 7 }, 10)),
    },
    accesses: {
      count: INSERTS,
      of: whole('machine_access', 'nobody has looked in this store', () => store.accesses.of(7)),
    },
    pauses: { set: INSERTS, since: whole('collection_pause', 'few pause at a time', () => store.pauses.since(NOW)) },
    // A person asks once, and everything is read for them.
    personalData: { export: INSERTS, erase: INSERTS, compact: INSERTS },
  };
}

/** Each question with its name: `alerts.list`, `retention.snapshots.take`. */
function listed(of: object, prefix = ''): [string, Question][] {
  return Object.entries(of).flatMap(([name, entry]: [string, Question | object]): [string, Question][] =>
    entry === INSERTS || Array.isArray(entry) || 'asks' in entry
      ? [[prefix + name, entry as Question]]
      : listed(entry, `${prefix}${name}.`),
  );
}

describe.each(STORE_KINDS)('%s', (kind) => {
  let opened: TestStore;
  beforeAll(async () => {
    opened = await openTestStore(kind);
    await fillFleet(opened.database);
  }, 180_000);
  afterAll(() => opened.close());

  test('every statement of every method finds its rows by an index', async () => {
    const bad: string[] = [];
    let statements = 0;
    for (const [name, question] of listed(questions(opened.store))) {
      if (question === INSERTS) continue;
      for (const { asks, tables } of [question]
        .flat()
        .map((each) => ('asks' in each ? each : { asks: [each], tables: [] as string[] }))) {
        for (const ask of asks) {
          const sent = await statementsOf(opened.database, ask);
          if (sent.length === 0) bad.push(`${name} sent nothing`);
          statements += sent.length;
          for (const sql of sent) {
            const scanned = (await scannedTables(opened.database, sql)).filter((table) => !tables.includes(table));
            if (scanned.length > 0) bad.push(`${name} reads all of ${scanned.join(', ')}: ${sql.slice(0, 600)}`);
          }
        }
      }
    }
    expect(bad.join('\n')).toBe('');
    expect(statements).toBeGreaterThan(150);
  }, 180_000);
});
