/** Machines that join through the network with an enrolment's secret, and what that secret cannot do. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { snapshotToWire } from '../../../../src/domain/signals/agentReport.ts';
import { testClock } from '../../../helpers/clock.ts';
import { targetOf } from '../../../helpers/collecting.ts';
import { flatSnapshot } from '../../../helpers/flatSnapshot.ts';
import { WELL } from '../../../helpers/machines.ts';
import { startTestService, type TestService } from '../../../helpers/service.ts';

let service: TestService;
const clock = testClock();
beforeAll(async () => {
  service = await startTestService(
    { PUBLIC_URL: 'https://dex.example.com', DATABASE_URL: 'sqlite://:memory:' },
    { clock },
  );
});
afterAll(() => service.stop());

const bearer = (secret: string) => ({ Authorization: `Bearer ${secret}`, 'X-API-Key': '' });
const create = async (more: object = {}) =>
  (await service.call('POST', '/api/v1/dex/enrolments', { tags: { dept: 'sales' }, ...more })).body;
const machine = (n: number, more: object = {}) => ({
  hostname: `laptop-${n}`,
  os_platform: 'linux',
  os_version: 'Debian 12',
  model: 'ThinkPad T14',
  serial_number: `SERIAL${n}`,
  machine_id: `machine-id-${n}-0123456789`,
  user: 'ann',
  agent_version: '1.0.0',
  ...more,
});
const enrol = (secret: string, about: object, headers = {}) =>
  service.call('POST', '/agent/v1/enroll', about, { ...bearer(secret), ...headers });
const report = (token: string) => {
  const wire = snapshotToWire(flatSnapshot(targetOf('push', {}, 'any'), clock.now(), { ...WELL, durationMs: 3 }));
  return service.call('POST', '/api/v1/dex/agent/snapshot', wire, bearer(token));
};

test('an enrolment is made with the lines to paste, and its secret is never shown again', async () => {
  const { enrolment, secret, install } = await create({ expires_in_hours: 24, max_machines: 3 });
  expect(enrolment).toMatchObject({ state: 'valid', machines: 0, max_machines: 3, tags: { dept: 'sales' } });
  expect(install.linux).toBe(`DEX_ENROLMENT_SECRET=${secret} npm run agent -- --server https://dex.example.com`);
  expect(install.windows).toContain('npm run agent -- --server https://dex.example.com');
  const list = await service.call('GET', '/api/v1/dex/enrolments');
  expect(list.body.enrolments.map(({ id }: { id: number }) => id)).toContain(enrolment.id);
  expect(JSON.stringify(list.body)).not.toContain(secret);
});

test('a machine joins, appears with what it is, reports, and comes back as itself', async () => {
  const { secret, enrolment } = await create({ owner_rule: '{user}@example.com', persona: 'salesperson' });
  const first = await enrol(secret, machine(10));
  expect(first).toMatchObject({ status: 201, body: { hostname: 'laptop-10', known: false, warnings: [] } });
  expect((await report(first.body.token)).status).toBe(202);
  const { endpoint } = (await service.call('GET', '/api/v1/dex/endpoints/laptop-10')).body;
  expect(endpoint).toMatchObject({
    owner_email: 'ann@example.com',
    persona: 'salesperson',
    os_platform: 'linux',
    collector: 'push',
    tags: { dept: 'sales', model: 'ThinkPad T14', os_version: 'Debian 12' },
  });
  expect(endpoint.aliases).toContainEqual({ kind: 'serial_number', value: 'serial10', source: 'seen' });

  const again = await enrol(secret, machine(10, { hostname: 'renamed', os_version: 'Debian 13' }));
  expect(again.body).toMatchObject({ hostname: 'laptop-10', known: true });
  expect((await report(first.body.token)).status).toBe(401);
  clock.advance(1000);
  expect((await report(again.body.token)).status).toBe(202);
  const list = (await service.call('GET', '/api/v1/dex/enrolments')).body.enrolments;
  expect(list.find(({ id }: { id: number }) => id === enrolment.id).machines).toBe(1);
  const audit = (await service.call('GET', '/api/v1/audit?tool=enrol_machine')).body;
  expect(JSON.stringify(audit)).toContain(`enrolment:${enrolment.id}`);
  expect(JSON.stringify(audit)).not.toContain(again.body.token);
});

describe('a machine that is not what it says', () => {
  test('is noticed when it was made from the image of another', async () => {
    const { secret } = await create();
    await enrol(secret, machine(20));
    const copy = await enrol(secret, machine(20, { serial_number: 'SERIAL20B' }));
    expect(copy.body.known).toBe(false);
    expect(copy.body.hostname).toMatch(/^laptop-20-[0-9a-f]{6}$/);
    expect(copy.body.warnings.join('\n')).toMatch(/machine id of laptop-20.*\n.*registered as laptop-20/);
  });

  test('is refused when it claims the serial number of another', async () => {
    const { secret } = await create();
    await enrol(secret, machine(21));
    const claim = await enrol(secret, machine(22, { serial_number: 'serial21' }));
    expect(claim).toMatchObject({ status: 409, body: { error: { details: { hostname: 'laptop-21' } } } });
    expect((await service.call('GET', '/api/v1/dex/endpoints/laptop-22')).status).toBe(404);
  });

  test('never takes over an endpoint by its name', async () => {
    await service.call('POST', '/api/v1/dex/endpoints', { hostname: 'laptop-23' });
    const { secret } = await create();
    expect((await enrol(secret, machine(23))).body.hostname).toMatch(/^laptop-23-/);
    await service.call('POST', '/api/v1/dex/endpoints', { hostname: 'laptop-24', collector: 'push', persona: 'tech' });
    expect((await enrol(secret, machine(24))).body.hostname).toBe('laptop-24');
    expect((await service.call('GET', '/api/v1/dex/endpoints/laptop-24')).body.endpoint.persona).toBe('tech');
  });

  test.each([
    ['a name that is none', { hostname: 'localhost' }],
    ['nothing to recognise it by', { serial_number: 'Default string', machine_id: null }],
    ['more than is asked', { role: 'admin' }],
    ['no platform', { os_platform: 'amiga' }],
  ])('is refused with %s', async (_, wrong) => {
    const { secret } = await create();
    expect((await enrol(secret, machine(25, wrong))).status).toBe(400);
  });
});

describe('a secret', () => {
  test('is for so many machines, also when they come together', async () => {
    const { secret } = await create({ max_machines: 3 });
    const answers = await Promise.all(Array.from({ length: 8 }, (_, n) => enrol(secret, machine(30 + n))));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(3);
    expect(answers.find(({ status }) => status === 403)?.body.error.message).toMatch(/all places are taken/);
    const joined = answers.findIndex(({ status }) => status === 201);
    expect((await enrol(secret, machine(30 + joined))).body.known).toBe(true);
  });

  test('ends when it expires or is revoked', async () => {
    const { secret, enrolment } = await create({ expires_in_hours: 1 });
    clock.advance(3_600_001);
    expect((await enrol(secret, machine(40))).body.error.message).toMatch(/expired at/);
    const other = await create();
    const revoked = await service.call('DELETE', `/api/v1/dex/enrolments/${other.enrolment.id}`);
    expect(revoked.body.enrolment.state).toBe('revoked');
    expect(await enrol(other.secret, machine(40))).toMatchObject({ status: 403, body: { error: { kind: 'denied' } } });
    expect((await service.call('DELETE', `/api/v1/dex/enrolments/${other.enrolment.id}`)).status).toBe(404);
    expect(enrolment.id).not.toBe(other.enrolment.id);
  });

  test('opens nothing else', async () => {
    const { secret } = await create();
    for (const path of ['/api/v1/dex/fleet', '/api/v1/dex/endpoints', '/api/v1/dex/enrolments'])
      expect((await service.call('GET', path, undefined, bearer(secret))).status).toBe(401);
    expect((await service.call('POST', '/mcp', {}, bearer(secret))).status).toBe(401);
    expect((await report(secret)).status).toBe(401);
    expect((await service.call('POST', '/agent/v1/token', {}, bearer(secret))).status).toBe(401);
    for (const wrong of ['dexe_made-up', 'the-administrators-key', ''])
      expect((await enrol(wrong, machine(41))).status).toBe(401);
  });
});

describe('a token', () => {
  const renew = (token: string, about: object = {}) =>
    service.call('POST', '/agent/v1/token', { agent_version: '1.0.0', ...about }, bearer(token));

  test('is renewed, and the one before is taken for a day more', async () => {
    const { secret } = await create();
    const { token } = (await enrol(secret, machine(50))).body;
    const renewed = (await renew(token)).body.token;
    expect(renewed).not.toBe(token);
    expect((await report(token)).status).toBe(202);
    // The answer was lost: asked again with the old one, it is renewed again.
    const final = (await renew(token)).body.token;
    expect((await report(renewed)).status).toBe(401);
    clock.advance(86_400_001);
    expect((await report(token)).status).toBe(401);
    expect((await report(final)).status).toBe(202);
  });

  test('is not renewed for a copy of the disk', async () => {
    const { secret } = await create();
    const { token } = (await enrol(secret, machine(51))).body;
    const copy = await renew(token, { machine_id: 'machine-id-of-the-copy' });
    expect(copy).toMatchObject({ status: 403, body: { error: { details: { hostname: 'laptop-51' } } } });
  });

  test('ends with its agent, after which the machine may come back with a new system', async () => {
    const { secret } = await create();
    const { token } = (await enrol(secret, machine(52))).body;
    expect((await service.call('POST', '/agent/v1/sign-off', {}, bearer(token))).status).toBe(200);
    expect((await report(token)).status).toBe(401);
    const back = await enrol(secret, machine(52, { machine_id: 'a-machine-id-of-a-new-system' }));
    expect(back.body).toMatchObject({ hostname: 'laptop-52', known: true });
  });
});
