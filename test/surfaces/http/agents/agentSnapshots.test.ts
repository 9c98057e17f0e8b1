/** Reports of push agents, made by the agent's own code and sent through the network. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { collectSnapshot } from '../../../../src/adapters/collectors/collectSnapshot.ts';
import { createLocalReader } from '../../../../src/adapters/collectors/local.ts';
import { ownProbes } from '../../../../src/adapters/collectors/machineProbes.ts';
import { runAgent } from '../../../../src/agent/runAgent.ts';
import { readCommandLine, runSettings } from '../../../../src/agent/settings.ts';
import { type AgentReport, snapshotToWire } from '../../../../src/domain/signals/agentReport.ts';
import { targetOf } from '../../../helpers/collecting.ts';
import { flatSnapshot } from '../../../helpers/flatSnapshot.ts';
import { WELL } from '../../../helpers/machines.ts';
import { API_KEY, startTestService, type TestService } from '../../../helpers/service.ts';

const ROUTE = '/api/v1/dex/agent/snapshot';
let service: TestService;
beforeAll(async () => {
  service = await startTestService();
});
afterAll(() => service.stop());

async function registered(hostname: string): Promise<string> {
  return (await service.call('POST', '/api/v1/dex/endpoints', { hostname, collector: 'push' })).body.token;
}
const bearer = (token: string) => ({ Authorization: `Bearer ${token}`, 'X-API-Key': '' });
const report = (at: Date): AgentReport =>
  snapshotToWire(flatSnapshot(targetOf('push', {}, 'any'), at, { ...WELL, durationMs: 3 }));

describe('a report', () => {
  test('of the real agent about this machine becomes its score', async () => {
    const token = await registered('laptop-real');
    const settings = runSettings(readCommandLine(['--server', service.url, '--once']), { token }, null);
    const target = targetOf('push', { timeoutMs: 30_000 }, 'laptop-real');
    const look = createLocalReader(
      undefined,
      ownProbes().filter(({ everyS }) => everyS === 0),
    );
    const signal = new AbortController().signal;
    const said: string[] = [];
    const collect = (previousScanAt: Date | null) =>
      collectSnapshot(look, target, { now: new Date(), signal, previousScanAt });
    expect(await runAgent(settings, { collect, say: (line) => said.push(line), signal }), said.join('\n')).toBe(0);
    const { status, body } = await service.call('GET', '/api/v1/dex/endpoints/laptop-real/score');
    expect(status).toBe(200);
    expect(body.score).toBeGreaterThan(0);
  }, 60_000);

  test('is taken once, however often its answer is lost', async () => {
    const token = await registered('laptop-twice');
    const wire = report(new Date());
    const first = await service.call('POST', ROUTE, wire, bearer(token));
    expect(first).toMatchObject({ status: 202, body: { ok: true, recorded: true, score: 100 } });
    expect((await service.call('POST', ROUTE, wire, bearer(token))).body.recorded).toBe(false);
    const { body } = await service.call('GET', '/api/v1/dex/endpoints/laptop-twice/history');
    expect(body.count).toBe(1);
  });

  test('of a machine whose personal signals are switched off is kept without them, whatever its agent sends', async () => {
    const shownOf = async (hostname: string, options: object): Promise<string> => {
      const machine = { hostname, collector: 'push', options };
      const { token } = (await service.call('POST', '/api/v1/dex/endpoints', machine)).body;
      const wire = report(new Date());
      const named = {
        ...wire,
        readings: { ...wire.readings, top_cpu_pct: { items: [{ item: 'solitaire.exe', value: 40 }] } },
      };
      expect((await service.call('POST', ROUTE, named, bearer(token))).status).toBe(202);
      return JSON.stringify((await service.call('GET', `/api/v1/dex/endpoints/${hostname}`)).body);
    };
    expect(await shownOf('laptop-open', {})).toContain('solitaire.exe');
    const shown = await shownOf('laptop-private', { personal: false });
    expect(shown).not.toContain('solitaire');
  });

  test('speaks only for the endpoint of its token', async () => {
    const token = await registered('laptop-a');
    await registered('laptop-b');
    const forged = { ...report(new Date()), hostname: 'laptop-b' };
    expect((await service.call('POST', ROUTE, forged, bearer(token))).status).toBe(400);
    await service.call('POST', ROUTE, report(new Date()), bearer(token));
    expect((await service.call('GET', '/api/v1/dex/endpoints/laptop-b/score')).status).toBe(404);
  });

  test.each<[string, (wire: AgentReport) => unknown]>([
    ['a wrong clock', (wire) => ({ ...wire, collected_at: new Date(Date.now() + 3_600_000).toISOString() })],
    ['a duration out of range', (wire) => ({ ...wire, duration_ms: -1 })],
    ['no object', () => []],
  ])('with %s is refused for good', async (_, change) => {
    const token = await registered(`laptop-bad-${_.replaceAll(' ', '-')}`);
    expect((await service.call('POST', ROUTE, change(report(new Date())), bearer(token))).status).toBe(400);
  });
});

describe('the door', () => {
  test.each<[string, Record<string, string>]>([
    ['no token', {}],
    ['a made-up token', { Authorization: 'Bearer dex_made-up' }],
    ['an API key', { Authorization: `Bearer ${API_KEY}` }],
  ])('is shut to %s', async (_, headers) => {
    const answer = await service.call('POST', ROUTE, report(new Date()), { 'X-API-Key': '', ...headers });
    expect(answer).toMatchObject({ status: 401, body: { error: { kind: 'unauthenticated' } } });
  });

  test('is shut once the endpoint is deregistered, and its token opens no other', async () => {
    const token = await registered('laptop-gone');
    expect((await fetch(`${service.url}/api/v1/dex/fleet`, { headers: bearer(token) })).status).toBe(401);
    await service.call('DELETE', '/api/v1/dex/endpoints/laptop-gone');
    expect((await service.call('POST', ROUTE, report(new Date()), bearer(token))).status).toBe(401);
  });
});
