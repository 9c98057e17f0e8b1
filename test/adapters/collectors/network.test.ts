import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { measureNetwork } from '../../../src/adapters/collectors/network.ts';
import { startDroppingPort } from '../../helpers/droppingPort.ts';
import { freePort } from '../../helpers/freePort.ts';

const { signal } = new AbortController();
const sockets = (): number => process.getActiveResourcesInfo().filter((kind) => /^TCP/.test(kind)).length;

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
    const quality = await measureNetwork('127.0.0.1', port, signal);
    await new Promise((closed) => server.close(closed));
    expect(quality).toEqual({
      value: { jitterMs: expect.anything(), latencyMs: expect.any(Number), packetLossPct: { value: 0 } },
    });
    expect(accepted).toBe(5);
  });

  it('takes a refusal for an answer', async () => {
    const quality = await measureNetwork('127.0.0.1', await freePort(), signal);
    expect(quality).toEqual({
      value: { jitterMs: expect.anything(), latencyMs: expect.any(Number), packetLossPct: { value: 0 } },
    });
  });

  it('tells a port that drops everything from a line that loses, and leaves no socket behind', async (ctx) => {
    if (process.platform !== 'linux') ctx.skip('only Linux drops connections that exceed the backlog');
    const dropping = await startDroppingPort();
    try {
      const before = sockets();
      expect(await measureNetwork('127.0.0.1', dropping.port, signal)).toEqual({
        missing: `none of 20 TCP probes of 127.0.0.1 port ${dropping.port} was answered: a firewall drops them, or nobody is there`,
      });
      expect(sockets()).toBe(before);
    } finally {
      dropping.close();
    }
  });

  it('tells a limit on connections from a line that loses', async (ctx) => {
    if (process.platform !== 'linux') ctx.skip('only Linux drops connections that exceed the backlog');
    const dropping = await startDroppingPort(2);
    try {
      expect(await measureNetwork('127.0.0.1', dropping.port, signal)).toEqual({
        value: {
          jitterMs: expect.anything(),
          latencyMs: expect.any(Number),
          packetLossPct: { missing: expect.stringMatching(/answered 2 TCP probes and none of the 18 after them/) },
        },
      });
    } finally {
      dropping.close();
    }
  });

  it('ends its probes with the scan that they belong to', async (ctx) => {
    if (process.platform !== 'linux') ctx.skip('only Linux drops connections that exceed the backlog');
    const dropping = await startDroppingPort();
    try {
      const before = sockets();
      const scan = new AbortController();
      const measuring = measureNetwork('127.0.0.1', dropping.port, scan.signal);
      scan.abort();
      expect(await measuring).toEqual({ missing: expect.stringContaining('aborted') });
      expect(sockets()).toBe(before);
    } finally {
      dropping.close();
    }
  });

  it('does not blame the endpoint for a fault on this side', async () => {
    expect(await measureNetwork('127.0.0.1', 70_000, signal)).toEqual({
      missing: expect.stringContaining('on this side'),
    });
  });
});
