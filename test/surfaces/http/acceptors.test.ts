/** The sockets of one port: all of them serve, nobody else gets the port, and closing frees it. */
import { createServer } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { openSockets } from '../../../src/surfaces/http/acceptors.ts';
import { freePort } from '../../helpers/freePort.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function open(port: number) {
  const server = createServer((request, response) => void request.resume().on('end', () => response.end('served')));
  const sockets = await openSockets(server, '127.0.0.1', port);
  const close = async () => {
    const ended = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await Promise.all([ended, sockets.close()]);
  };
  closing.push(close);
  return { ...sockets, close };
}

test('connections at once are served, whichever socket takes them', async () => {
  const { port } = await open(0);
  const answers = await Promise.all(
    Array.from({ length: 150 }, async () =>
      (await fetch(`http://127.0.0.1:${port}`, { method: 'POST', body: '{}' })).text(),
    ),
  );
  expect(new Set(answers)).toEqual(new Set(['served']));
});

test('a port that another service has is not shared with it, and is free once that is closed', async () => {
  const port = await freePort();
  const first = await open(port);
  expect(first.port).toBe(port);
  await expect(open(port)).rejects.toMatchObject({ kind: 'unavailable', message: expect.stringContaining(`${port}`) });
  await first.close();
  closing.length = 0;
  expect((await open(port)).port).toBe(port);
});
