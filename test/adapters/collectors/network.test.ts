import { spawn } from 'node:child_process';
import { connect, createServer, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { measureNetwork } from '../../../src/adapters/collectors/network.ts';
import { freePort } from '../../helpers/freePort.ts';

describe('measureNetwork', () => {
  it('times five accepted connections', async () => {
    let accepted = 0;
    const server = createServer((socket) => {
      accepted++;
      socket.on('error', () => {});
    });
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    const address = server.address();
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
    const quality = await measureNetwork('127.0.0.1', port);
    await new Promise((closed) => server.close(closed));
    expect(quality).toEqual({ value: { latencyMs: expect.any(Number), packetLossPct: 0 } });
    expect(accepted).toBe(5);
  });

  it('takes a refusal for an answer', async () => {
    const quality = await measureNetwork('127.0.0.1', await freePort());
    expect(quality).toEqual({ value: { latencyMs: expect.any(Number), packetLossPct: 0 } });
  });

  it('counts silence as loss', async (ctx) => {
    if (process.platform !== 'linux') ctx.skip('only Linux drops connections that exceed the backlog');
    // A stopped process accepts nothing; once its backlog is full the kernel drops every SYN.
    const program =
      "require('net').createServer().listen(0,'127.0.0.1',1,function(){console.log(this.address().port)})";
    const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
    const fillers: Socket[] = [];
    try {
      const port = Number(await new Promise((resolve) => child.stdout.once('data', (data) => resolve(String(data)))));
      child.kill('SIGSTOP');
      for (let index = 0; index < 4; index++) fillers.push(connect(port, '127.0.0.1').on('error', () => {}));
      await new Promise((resolve) => fillers[1]?.once('connect', resolve));
      const quality = await measureNetwork('127.0.0.1', port);
      expect(quality).toEqual({ value: { latencyMs: null, packetLossPct: 100 } });
    } finally {
      for (const filler of fillers) filler.destroy();
      child.kill('SIGKILL');
    }
  });

  it('does not blame the endpoint for a fault on this side', async () => {
    expect(await measureNetwork('127.0.0.1', 70_000)).toEqual({ missing: expect.stringContaining('on this side') });
  });
});
