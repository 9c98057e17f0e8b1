import { describe, expect, test } from 'vitest';
import { ALERT_STATUSES, type AlertStatus, mayMove, TRANSITIONS } from '../../../src/domain/alerts/alert.ts';
import {
  type AlertDraft,
  acknowledge,
  expireAcknowledgement,
  FORECAST_SERIES,
  type Move,
  type Observation,
  observe,
  REOPEN_WINDOW_MS,
  resolve,
} from '../../../src/domain/alerts/alertMoves.ts';

const NOW = new Date('2026-03-02T09:00:00Z');
const at = (ms: number) => new Date(NOW.getTime() + ms);

function firing(more: Partial<Extract<Observation, { state: 'firing' }>> = {}): Observation {
  return {
    endpointId: 1,
    hostname: 'pc-1',
    alertName: 'DiskFull',
    series: 'a',
    state: 'firing',
    alertType: 'prometheus',
    severity: 'warning',
    message: 'the disk is full',
    labels: { mountpoint: '/', device: 'sda' },
    startsAt: NOW,
    ...more,
  };
}

function ended(more: Partial<Extract<Observation, { state: 'clear' }>> = {}): Observation {
  return {
    endpointId: 1,
    hostname: 'pc-1',
    alertName: 'DiskFull',
    series: 'a',
    state: 'clear',
    resolution: 'source',
    why: 'it is over',
    startsAt: null,
    endedAt: null,
    ...more,
  };
}

function move(known: AlertDraft | null, observation: Observation, now = NOW): Move {
  const result = observe(known, observation, now);
  if (result.kind === 'refused') throw new Error(result.reason);
  return result;
}

const raised = (more: Parameters<typeof firing>[0] = {}) => move(null, firing(more)).alert;
const inStatus = (status: AlertStatus): AlertDraft => ({ ...raised(), status });

describe('firing', () => {
  test('the first makes an alert', () => {
    const { kind, alert, event } = move(null, firing());
    expect(kind).toBe('created');
    expect(alert).toMatchObject({ status: 'active', series: ['a'], flaps: 0, handledAt: null, startsAt: NOW });
    expect(event).toEqual({ from: null, to: 'active', why: 'the disk is full' });
  });

  test('a repeat changes nothing, whatever the order of its labels', () => {
    const repeat = firing({ labels: { device: 'sda', mountpoint: '/' } });
    expect(move(raised(), repeat, at(1000)).kind).toBe('unchanged');
  });

  test.each(ALERT_STATUSES.filter((status) => status !== 'resolved'))('new words leave the status %s', (status) => {
    const { kind, alert, event } = move(inStatus(status), firing({ message: 'fuller' }), at(1000));
    expect(kind).toBe('updated');
    expect(alert).toMatchObject({ status, message: 'fuller', updatedAt: at(1000) });
    expect(event).toBeNull();
  });

  test('a new severity is told, in place', () => {
    const worse = move(raised(), firing({ severity: 'critical' }));
    expect(worse.event).toMatchObject({ from: 'active', to: 'active' });
    expect(worse.alert).toMatchObject({ status: 'active', severity: 'critical' });
    const better = move(worse.alert, firing({ severity: 'info' }));
    expect(better.alert).toMatchObject({ status: 'active', severity: 'info' });
    expect(better.event?.why).toMatch(/^critical became info/);
  });

  test('an acknowledgement covers what was acknowledged, not worse', () => {
    const quiet = {
      ...inStatus('acknowledged'),
      acknowledgedBy: 'me',
      acknowledgedUntil: at(9e6),
      acknowledgedAt: NOW,
    };
    expect(move(quiet, firing({ severity: 'info' })).alert.status).toBe('acknowledged');
    expect(move(quiet, firing({ severity: 'critical' })).alert).toMatchObject({
      status: 'active',
      acknowledgedBy: null,
      acknowledgedUntil: null,
      acknowledgedAt: NOW,
    });
  });

  test('within the window it comes back as a flap, after it as a new alert', () => {
    const over = move(raised(), ended()).alert;
    const back = move(over, firing(), at(REOPEN_WINDOW_MS));
    expect(back.kind).toBe('reopened');
    expect(back.alert).toMatchObject({
      status: 'active',
      flaps: 1,
      resolvedAt: null,
      resolution: null,
      handledAt: null,
    });
    expect(move(over, firing(), at(REOPEN_WINDOW_MS + 1)).kind).toBe('created');
  });
});

describe('a predicted problem', () => {
  const foreseen = (more: Parameters<typeof firing>[0] = {}) =>
    firing({ series: FORECAST_SERIES, alertType: 'predictive', predictedTimeToImpact: 'about 3 hours', ...more });
  const predicted = () => move(null, foreseen({ severity: 'critical' })).alert;
  const measured = (severity: 'warning' | 'critical') =>
    firing({ series: 'scan', alertType: 'metric', severity, message: 'full' });
  const full = measured('critical');

  test('becomes the real one when it is measured, and keeps its history', () => {
    const real = move(predicted(), full, at(1000));
    expect(real.alert).toMatchObject({ alertType: 'metric', message: 'full', series: ['scan', FORECAST_SERIES] });
    expect(real.event).toEqual({ from: 'active', to: 'active', why: 'the prediction is confirmed: full' });
    const after = move(real.alert, foreseen({ severity: 'critical', predictedTimeToImpact: 'now' }), at(2000));
    expect(after.alert).toMatchObject({ alertType: 'metric', message: 'full', predictedTimeToImpact: 'now' });
    expect(move(after.alert, full, at(3000)).kind).toBe('unchanged');
  });

  test('keeps speaking while what is measured is less bad, but is a prediction no more', () => {
    const joined = move(predicted(), measured('warning')).alert;
    expect(joined).toMatchObject({ alertType: 'metric', severity: 'critical', series: [FORECAST_SERIES, 'scan'] });
  });

  test('does not soften or rename a measured one, and leaves it as it came', () => {
    const real = move(null, full).alert;
    const both = move(real, foreseen()).alert;
    expect(both).toMatchObject({ alertType: 'metric', severity: 'critical', message: 'full' });
    const over = move(both, { ...ended(), series: FORECAST_SERIES });
    expect(over).toMatchObject({ kind: 'updated', alert: { series: ['scan'], predictedTimeToImpact: null } });
  });
});

describe('several series behind one alert', () => {
  const b = { series: 'b', message: 'another disk is full', labels: { mountpoint: '/data' } };

  test('settle on one state, in whatever order they repeat', () => {
    let alert = move(raised(), firing(b)).alert;
    expect(alert).toMatchObject({ series: ['a', 'b'], message: 'the disk is full' });
    for (const again of [firing(b), firing(), firing(), firing(b)]) {
      const next = move(alert, again, at(1000));
      expect(next.kind).toBe('unchanged');
      alert = next.alert;
    }
  });

  test('the worst speaks, and keeps speaking', () => {
    let alert = move(raised(), firing({ ...b, severity: 'critical' })).alert;
    expect(alert).toMatchObject({ series: ['b', 'a'], severity: 'critical', message: 'another disk is full' });
    for (const again of [firing(), firing({ ...b, severity: 'critical' })]) {
      const next = move(alert, again);
      expect(next.kind).toBe('unchanged');
      alert = next.alert;
    }
  });

  test('it ends with the last', () => {
    const both = move(raised(), firing(b)).alert;
    const one = move(both, ended());
    expect(one).toMatchObject({ kind: 'updated', alert: { status: 'active', series: ['b'] }, event: null });
    expect(move(one.alert, ended({ series: 'b' })).kind).toBe('resolved');
  });

  test('an end without a name ends all; one by another name ends nothing', () => {
    expect(move(move(raised(), firing(b)).alert, ended({ series: '' })).kind).toBe('resolved');
    expect(observe(raised(), ended({ series: 'c' }), NOW).kind).toBe('refused');
  });
});

describe('an end', () => {
  test('of nothing is refused', () => {
    expect(observe(null, ended(), NOW).kind).toBe('refused');
    expect(observe(inStatus('resolved'), ended(), NOW).kind).toBe('refused');
  });

  test('of an earlier round is refused', () => {
    expect(observe(raised(), ended({ startsAt: at(-60_000) }), NOW)).toMatchObject({ kind: 'refused' });
  });

  test.each([
    ['between creation and now', at(30_000), at(30_000)],
    ['before the creation', at(-1), at(60_000)],
    ['in the future', at(60_001), at(60_000)],
    ['unknown', null, at(60_000)],
  ])('at a time %s', (_words, endedAt, resolvedAt) => {
    expect(move(raised(), ended({ endedAt }), at(60_000)).alert.resolvedAt).toEqual(resolvedAt);
  });

  test('while a remediation works counts as its doing', () => {
    expect(move(inStatus('remediating'), ended()).alert.resolution).toBe('auto');
    expect(move(inStatus('needs_human'), ended()).alert.resolution).toBe('source');
  });
});

describe('people and time', () => {
  test('an acknowledgement is refused where the transitions do not have it', () => {
    for (const status of ALERT_STATUSES) {
      const result = acknowledge(inStatus(status), 'me', at(1), 'why', NOW);
      expect(result.kind).toBe(mayMove(status, 'acknowledged') ? 'updated' : 'refused');
    }
  });

  test('acknowledging again changes the end, not when it was first seen', () => {
    const once = acknowledge(raised(), 'me', at(1000), 'why', NOW) as Move;
    const twice = acknowledge(once.alert, 'you', null, 'why', at(500)) as Move;
    expect(twice.alert).toMatchObject({ acknowledgedAt: NOW, acknowledgedUntil: null, acknowledgedBy: 'you' });
  });

  test('snooze ends by the clock; until it clears never does', () => {
    const quiet = (acknowledge(raised(), 'me', at(1000), 'why', NOW) as Move).alert;
    expect(expireAcknowledgement(quiet, at(999))).toBeNull();
    expect(expireAcknowledgement(quiet, at(1000))).toMatchObject({
      alert: { status: 'active', acknowledgedUntil: null },
    });
    const always = (acknowledge(raised(), 'me', null, 'why', NOW) as Move).alert;
    expect(expireAcknowledgement(always, at(9e9))).toBeNull();
  });

  test('a person ends any open alert once', () => {
    for (const status of ALERT_STATUSES) {
      const result = resolve(inStatus(status), 'person', 'done', NOW);
      expect(result.kind).toBe(status === 'resolved' ? 'refused' : 'resolved');
    }
  });
});

test('every move that is made is one that the table of transitions allows', () => {
  const statuses = ALERT_STATUSES.map(inStatus).map((alert) =>
    alert.status === 'resolved' ? { ...alert, resolvedAt: NOW } : alert,
  );
  const events = statuses.flatMap((alert) =>
    [
      observe(alert, firing({ severity: 'critical' }), NOW),
      observe(alert, ended(), NOW),
      acknowledge(alert, 'me', null, 'why', NOW),
      resolve(alert, 'person', 'why', NOW),
      expireAcknowledgement({ ...alert, acknowledgedUntil: NOW }, NOW),
    ].flatMap((result) => (result && result.kind !== 'refused' && result.event ? [result.event] : [])),
  );
  expect(events.length).toBeGreaterThan(10);
  for (const { from, to } of events) {
    expect(from === null || from === to || TRANSITIONS[from].includes(to), `${from} → ${to}`).toBe(true);
  }
});
