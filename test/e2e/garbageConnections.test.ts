/** Connections that never become a request: each ends within a minute, whatever it sends, and people are served meanwhile. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { machines } from '../helpers/machines.ts';
import { startTestService, type TestService } from '../helpers/service.ts';

let service: TestService;
beforeAll(async () => {
  service = await startTestService({}, { collector: machines(new Map()) });
});
afterAll(() => service.stop());

/** What each sends once connected; with `drip`, more of it every second. None ever closes its side. */
const GARBAGE: Record<string, { sends: string | Buffer; drip?: string }> = {
  nothing: { sends: '' },
  'half a request line': { sends: 'GET /hea' },
  'headers without end': { sends: 'GET /health HTTP/1.1\r\nHost: x\r\n', drip: 'X-More: y\r\n' },
  'a body without end': {
    sends: 'POST /api/v1/webhooks/alertmanager HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n',
    drip: 'x',
  },
  'a body of MCP without end': {
    sends:
      'POST /mcp HTTP/1.1\r\nHost: localhost\r\nX-API-Key: the-administrators-key\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n',
    drip: ' ',
  },
  'a greeting of TLS': { sends: Buffer.from('16030100c8010000c40303', 'hex') },
  'another protocol': { sends: 'SSH-2.0-OpenSSH_9.2\r\n' },
  'chunks that are none': {
    sends: 'POST /api/v1/keys HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n',
  },
};

test.concurrent.each(Object.entries(GARBAGE))('%s', { timeout: 80_000 }, async (_what, { sends, drip }) => {
  const { hostname, port } = new URL(service.url);
  const socket: Socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
  socket.on('error', () => {});
  socket.resume();
  await once(socket, 'connect');
  const startedAt = performance.now();
  if (sends.length > 0) socket.write(sends);
  const dripping = drip === undefined ? undefined : setInterval(() => socket.write(drip), 1000);
  const ended = new Promise<void>((resolve) => socket.once('close', () => resolve()).once('end', () => resolve()));
  await Promise.race([ended, delay(70_000)]);
  clearInterval(dripping);
  const tookMs = performance.now() - startedAt;
  socket.destroy();
  expect(tookMs).toBeLessThan(60_000);
});

test('leave nothing behind, and nobody waits for them', async () => {
  expect((await service.call('GET', '/health')).status).toBe(200);
});
