/** Who is reached while nobody answers: steps in their time and once, answers that stop them, approvals, storms, a service that was away. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { jobActor } from '../../../src/core/actor.ts';
import { FULL_DISK, type HealingWorld, healingWorld, person } from '../../helpers/healingWorld.ts';

const RULES = `
time_zone: UTC
rotations:
  workplace: { start: "2026-03-02 00:00", shift: 1d, people: ["Otto <U0OTTO>", nora@example.com] }
policies:
  - name: critical machines
    match: { severity: [critical] }
    steps:
      - mention: ["rotation:workplace"]
      - { after: 10m, direct: ["rotation:workplace", owner] }
      - { after: 30m, mention: [S0GROUP] }
  - name: approvals of others
    about: [approval]
    steps: [{ after: 5m, direct: [U0LEAD] }]
`;
const MINUTE_MS = 60_000;
let world: HealingWorld;
const tend = () => world.service.app.invoke('maintain_alerts', {}, jobActor('dex_maintain_alerts'));
const pass = async (minutes: number) => {
  world.clock.advance(minutes * MINUTE_MS);
  await tend();
};
const DIRECT_OR_MENTION = ['escalation', 'direct'];
/** What reached people so far, once it is delivered. */
async function reached(most: number): Promise<string[]> {
  for (let tries = 0; tries < 100; tries++) {
    if (world.told.filter(({ what }) => DIRECT_OR_MENTION.includes(String(what))).length >= most) break;
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
  return world.told
    .filter(({ what }) => DIRECT_OR_MENTION.includes(String(what)))
    .map(
      ({ what, people, subjects }) => `${what} ${(people as string[]).join()} about ${(subjects as string[]).join()}`,
    );
}
const fire = (hostname: string, alertname: string, severity = 'critical', status = 'firing') =>
  world.service.call('POST', '/api/v1/webhooks/alertmanager', {
    version: '4',
    status,
    alerts: [
      {
        status,
        labels: { alertname, hostname, severity },
        annotations: { summary: 'Something is wrong' },
        startsAt: world.clock.now().toISOString(),
        endsAt: status === 'firing' ? '0001-01-01T00:00:00Z' : world.clock.now().toISOString(),
        fingerprint: `${hostname}${alertname}`,
      },
    ],
  });

beforeAll(async () => {
  world = await healingWorld({ config: { 'escalation.yaml': RULES } });
});
afterAll(() => world.close());

let hosts = 0;
/** A machine of its own for each test. */
async function newMachine(): Promise<string> {
  const hostname = `web-${++hosts}`;
  await world.register(hostname, { owner_email: 'alice@example.com' });
  return hostname;
}
afterEach(async () => {
  await world.call('resolve_alerts', { hostname: `web-${hosts}` });
  world.told.length = 0;
});

describe('an alert that nobody answers', () => {
  it('reaches people step by step, each once, and stops when somebody acknowledges it', async () => {
    const host = await newMachine();
    await fire(host, 'Strange');
    const { id } = await world.reaches(host, 'needs_human');
    expect(await reached(1)).toEqual([`escalation U0OTTO about alert:${id}`]);
    const shown = await world.call('get_alert', { alert_id: id });
    expect(shown.escalation).toMatchObject({ policy: 'critical machines', people: ['U0OTTO'] });
    await tend();
    await pass(9);
    expect(await reached(1)).toHaveLength(1);
    await pass(1);
    await tend();
    expect(await reached(3)).toEqual([
      `escalation U0OTTO about alert:${id}`,
      `direct U0OTTO about alert:${id}`,
      `direct alice@example.com about alert:${id}`,
    ]);
    await world.call('acknowledge_alert', { alert_id: id, hours: 1 });
    expect((await world.call('get_alert', { alert_id: id })).escalation).toBeNull();
    await pass(40);
    expect(await reached(3)).toHaveLength(3);
    // It still holds when the acknowledgement is over: it begins anew.
    await pass(30);
    expect((await reached(4)).at(-1)).toBe(`escalation U0OTTO about alert:${id}`);
    await world.call('resolve_alert', { alert_id: id });
    await pass(60);
    expect(await reached(4)).toHaveLength(4);
  });

  it('makes up together for the steps of the time when the service was away', async () => {
    const host = await newMachine();
    await fire(host, 'Strange');
    const { id } = await world.reaches(host, 'needs_human');
    await reached(1);
    world.clock.advance(45 * MINUTE_MS);
    // Two processes at once take each step once.
    await Promise.all([tend(), tend()]);
    expect((await reached(4)).slice(1).toSorted()).toEqual([
      `direct U0OTTO about alert:${id}`,
      `direct alice@example.com about alert:${id}`,
      `escalation S0GROUP about alert:${id}`,
    ]);
  });

  it('begins anew when it becomes worse, and not for what no policy is about', async () => {
    const host = await newMachine();
    await fire(host, 'Strange', 'warning');
    const { id } = await world.reaches(host, 'needs_human');
    expect((await world.call('get_alert', { alert_id: id })).escalation).toBeNull();
    await fire(host, 'Strange', 'critical');
    expect(await reached(1)).toEqual([`escalation U0OTTO about alert:${id}`]);
  });

  it('of many that reach the same people at once, one message says how many', async () => {
    const host = await newMachine();
    const alerts = ['A', 'B', 'C', 'D', 'E'].map((name) => ({
      status: 'firing',
      labels: { alertname: `Strange${name}`, hostname: host, severity: 'critical' },
      annotations: { summary: 'Something is wrong' },
      startsAt: world.clock.now().toISOString(),
      endsAt: '0001-01-01T00:00:00Z',
      fingerprint: name,
    }));
    await world.service.call('POST', '/api/v1/webhooks/alertmanager', { version: '4', status: 'firing', alerts });
    const [told] = await reached(1);
    expect(told).toMatch(/^escalation U0OTTO about (alert:\d+,){4}alert:\d+$/);
  });
});

describe('an approval', () => {
  it('of an alert that reaches people reaches nobody besides; answering it stops both', async () => {
    const host = await newMachine();
    await world.scan(host, FULL_DISK);
    await world.reaches(host, 'pending_approval');
    await pass(6);
    expect((await reached(1)).every((line) => !line.includes('approval:'))).toBe(true);
    const [approval] = await world.approvals();
    await world.call('decide_approval', { approval_id: approval!.approval_id, decision: 'approve' }, person('ann'));
    const told = await reached(1);
    await pass(60);
    expect((await reached(told.length)).filter((line) => line.includes('DiskFull'))).toEqual([]);
  });
});

describe('who is on call', () => {
  it('is shown, taken over until a time, and handed back', async () => {
    const host = await newMachine();
    world.clock.advance(Date.parse('2026-03-04T10:00:00Z') - world.clock.now().getTime());
    const { on_call } = await world.call('get_on_call', {});
    expect(on_call[0]).toMatchObject({ rotation: 'workplace', person: { id: 'U0OTTO', name: 'Otto' } });
    const taken = await world.call('take_on_call', { until: '18:00' }, { ...person('U0KIM'), name: 'Kim' });
    expect(taken).toMatchObject({ person: { id: 'U0KIM', name: 'Kim' }, instead_of: { name: 'Otto' } });
    expect(taken.until).toBe('2026-03-04T18:00:00.000Z');
    await fire(host, 'Strange');
    expect((await reached(1))[0]).toContain('escalation U0KIM');
    const back = await world.call('release_on_call', {}, person('U0KIM'));
    expect(back.person.id).toBe('U0OTTO');
    const { body } = await world.service.call('POST', '/api/v1/on-call/take', { until: 'tomorrow' });
    expect(body.error.message).toContain('say for whom');
    const wrong = await world.service.call('POST', '/api/v1/on-call/take', { until: 'soonish', who: 'U0KIM' });
    expect([wrong.status, wrong.body.error.message]).toEqual([400, expect.stringContaining('"soonish" is not a time')]);
    const other = await world.service.call('GET', '/api/v1/on-call?rotation=workplce');
    expect(other.body.error.message).toContain('Did you mean workplace?');
  });
});
