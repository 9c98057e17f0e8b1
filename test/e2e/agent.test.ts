import { spawn } from 'node:child_process';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { agentSnapshotWire } from '../../src/core/scans/agentSnapshot.ts';
import { startHttpServer } from '../helpers/httpServer.ts';
import { startTestService } from '../helpers/service.ts';

it('the agent program measures this machine and posts what it found', async () => {
  const bodies: unknown[] = [];
  const server = await startHttpServer(async (request, response) => {
    bodies.push(JSON.parse((await request.toArray()).join('')));
    response.writeHead(202).end();
  });
  const args = ['src/agent.ts', '--server', `http://127.0.0.1:${server.port}`, '--once'];
  const child = spawn(process.execPath, args, { env: { ...process.env, DEX_AGENT_TOKEN: 'secret' } });
  const code = await new Promise((resolve) => child.once('close', resolve));
  await server.stop();
  expect(code).toBe(0);
  expect(bodies).toHaveLength(1);
  expect(agentSnapshotWire.parse(bodies[0])).toMatchObject({
    version: 2,
    readings: { cpu_pct: expect.anything(), disk_pct: expect.anything(), updates_pending: expect.anything() },
  });
});

it('the line of an enrolment lets this machine in, and the next start reports with the token that was kept', async () => {
  const service = await startTestService();
  const home = await mkdtemp(join(tmpdir(), 'dexops-agent-home-'));
  try {
    const { body } = await service.call('POST', '/api/v1/dex/enrolments', { tags: { dept: 'sales' } });
    const run = async (env: Record<string, string>) => {
      const args = ['src/agent.ts', '--server', service.url, '--once'];
      const child = spawn(process.execPath, args, { env: { ...process.env, HOME: home, DEX_AGENT_TOKEN: '', ...env } });
      const said = child.stderr.toArray();
      const code = await new Promise((resolve) => child.once('close', resolve));
      return { code, said: Buffer.concat(await said).toString() };
    };
    const nobody = await run({});
    expect(nobody).toMatchObject({ code: 2, said: expect.stringContaining('DEX_ENROLMENT_SECRET') });
    const wrong = await run({ DEX_ENROLMENT_SECRET: 'dexe_wrong' });
    expect(wrong).toMatchObject({ code: 1, said: expect.stringMatching(/was not let in by \S+ \(HTTP 401\)/) });

    const first = await run({ DEX_ENROLMENT_SECRET: body.secret });
    expect(first).toMatchObject({ code: 0, said: expect.stringContaining('enrolled as') });
    expect(first.said).not.toContain(body.secret);
    const [folder = ''] = await readdir(join(home, '.dexops-agent'));
    expect((await stat(join(home, '.dexops-agent', folder, 'state.json'))).mode & 0o777).toBe(0o600);
    const { endpoint } = (await service.call('GET', `/api/v1/dex/endpoints/${hostname().toLowerCase()}`)).body;
    expect(endpoint).toMatchObject({ collector: 'push', tags: { dept: 'sales' }, os_platform: 'linux' });
    expect(endpoint.last_seen_at).not.toBeNull();

    const second = await run({});
    expect(second).toMatchObject({ code: 0, said: expect.stringContaining('delivered') });
    expect(second.said).not.toContain('enrolled as');
  } finally {
    await service.stop();
    await rm(home, { recursive: true, force: true });
  }
});
