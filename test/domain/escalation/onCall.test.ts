/** Turns on call by the local calendar, overrides, and policies by what they match. */
import { describe, expect, it } from 'vitest';
import { type OnCallOverride, onCallAt, type Rotation } from '../../../src/domain/escalation/onCall.ts';
import { type EscalationPolicy, policyFor, stepsDue } from '../../../src/domain/escalation/policy.ts';
import { readTarget } from '../../../src/domain/escalation/target.ts';

const ROTATION: Rotation = {
  name: 'workplace',
  people: [
    { id: 'U0OTTO', name: 'Otto' },
    { id: 'nora@example.com', name: null },
    { id: 'U0KIM', name: null },
  ],
  start: { year: 2026, month: 3, day: 16, hour: 9, minute: 0 },
  shiftMinutes: 7 * 24 * 60,
};
const at = (iso: string, overrides: OnCallOverride[] = []) =>
  onCallAt(ROTATION, overrides, new Date(iso), 'Europe/Berlin');
const override = (id: string, person: string, from: string, until: string): OnCallOverride => ({
  id,
  rotation: 'workplace',
  person: { id: person, name: null },
  from: new Date(from),
  until: new Date(until),
  setBy: 'slack:U0KIM',
});

describe('turns', () => {
  it.each([
    ['2026-03-16T08:00:00Z', 'U0OTTO', 'nora@example.com'],
    ['2026-03-23T07:59:59Z', 'U0OTTO', 'nora@example.com'],
    ['2026-03-23T08:00:00Z', 'nora@example.com', 'U0KIM'],
    // The clocks went forward on March 29: the turn still changes at nine.
    ['2026-03-30T06:59:59Z', 'nora@example.com', 'U0KIM'],
    ['2026-03-30T07:00:00Z', 'U0KIM', 'U0OTTO'],
    ['2026-03-10T08:00:00Z', 'U0KIM', 'U0OTTO'],
  ])('at %s it is %s, then %s', (iso, person, next) => {
    expect(at(iso)).toMatchObject({ person: { id: person }, next: { id: next }, insteadOf: null });
  });

  it('end at nine whatever the clocks do', () => {
    expect(at('2026-03-24T12:00:00Z').until.toISOString()).toBe('2026-03-30T07:00:00.000Z');
  });

  it('are interrupted by the override that was set last, until its end', () => {
    const night = override('2', 'U0KIM', '2026-03-17T16:00:00Z', '2026-03-18T07:00:00Z');
    const earlier = override('1', 'U0LEE', '2026-03-17T00:00:00Z', '2026-03-19T00:00:00Z');
    expect(at('2026-03-17T20:00:00Z', [night, earlier])).toEqual({
      rotation: 'workplace',
      person: { id: 'U0KIM', name: null },
      until: night.until,
      insteadOf: { id: 'U0OTTO', name: 'Otto' },
      next: { id: 'U0OTTO', name: 'Otto' },
    });
    expect(at('2026-03-18T07:00:00Z', [night, earlier]).person.id).toBe('U0LEE');
    expect(at('2026-03-19T00:00:00Z', [night, earlier]).person.id).toBe('U0OTTO');
  });
});

const policy = (name: string, match: EscalationPolicy['match'], about: EscalationPolicy['about'] = ['alert']) => ({
  name,
  about,
  match,
  steps: [],
});
const subject = { about: 'alert' as const, severity: 'critical' as const, tier: 1, tags: { site: 'berlin' } };

describe('policies', () => {
  const night = policy('night', { hours: { days: [1], fromMinute: 18 * 60, toMinute: 8 * 60 } });
  it.each([
    ['by severity', policy('p', { severity: ['critical'] }), true],
    ['by another severity', policy('p', { severity: ['warning'] }), false],
    ['by tier', policy('p', { tier: [1, 2] }), true],
    ['by a tag', policy('p', { tags: { site: ['berlin', 'rome'] } }), true],
    ['by a tag that it lacks', policy('p', { tags: { team: ['sales'] } }), false],
    ['about approvals', policy('p', {}, ['approval']), false],
  ])('%s', (_how, one, fits) => {
    expect(policyFor([one], subject, new Date('2026-03-16T12:00:00Z'), 'UTC')).toBe(fits ? one : null);
  });

  it.each([
    ['Monday evening', '2026-03-16T17:00:00Z', true],
    ['Monday at 17:59', '2026-03-16T16:59:00Z', false],
    ['Tuesday before eight, of the night that began on Monday', '2026-03-17T06:59:00Z', true],
    ['Tuesday at eight', '2026-03-17T07:00:00Z', false],
    ['Monday before eight, of a night that began on Sunday', '2026-03-16T06:00:00Z', false],
  ])('by hours in a zone: %s', (_when, iso, fits) => {
    expect(policyFor([night], subject, new Date(iso), 'Europe/Berlin')).toBe(fits ? night : null);
  });

  it('what is about no machine has no tier', () => {
    const approval = { about: 'approval' as const, severity: null, tier: null, tags: {} };
    expect(policyFor([policy('p', { tier: [1] }, ['approval'])], approval, new Date(), 'UTC')).toBeNull();
    expect(policyFor([policy('p', {}, ['approval'])], approval, new Date(), 'UTC')?.name).toBe('p');
  });

  it('go through their steps once each, and make up for those they missed together', () => {
    const steps = [0, 10, 30].map((minutes) => ({ afterMs: minutes * 60_000, mention: [], direct: [] }));
    const three = { ...policy('p', {}), steps };
    const beganAt = new Date('2026-03-16T12:00:00Z');
    const later = (minutes: number) => new Date(beganAt.getTime() + minutes * 60_000);
    expect(stepsDue(three, { beganAt, stepsDone: 0 }, beganAt)).toMatchObject({ stepsDone: 1, nextAt: later(10) });
    expect(stepsDue(three, { beganAt, stepsDone: 1 }, later(9)).due).toEqual([]);
    expect(stepsDue(three, { beganAt, stepsDone: 1 }, later(45))).toEqual({
      due: steps.slice(1),
      stepsDone: 3,
      nextAt: null,
    });
  });
});

it.each([
  ['U0123ABCD', { kind: 'person', person: { id: 'U0123ABCD', name: null } }],
  ['Otto Brandt <U0123ABCD>', { kind: 'person', person: { id: 'U0123ABCD', name: 'Otto Brandt' } }],
  ['Nora@Example.com', { kind: 'person', person: { id: 'nora@example.com', name: null } }],
  ['S0123ABCD', { kind: 'group', id: 'S0123ABCD' }],
  ['rotation:workplace', { kind: 'rotation', name: 'workplace' }],
  ['owner', { kind: 'owner' }],
  ['everybody', null],
  ['<!channel>', null],
])('%s is read', (text, target) => {
  expect(readTarget(text)).toEqual(target);
});
