import { spawn } from 'node:child_process';
import { expect, it } from 'vitest';
import { agentSnapshotWire } from '../../src/core/scans/agentSnapshot.ts';
import { startHttpServer } from '../helpers/httpServer.ts';

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
