import { createSocket, type Socket } from 'node:dgram';
import { afterEach, describe, expect, it } from 'vitest';
import { checkDns } from '../../../src/adapters/collectors/dnsCheck.ts';

const sockets: Socket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.close();
});

/** A name server that answers every question with this response code and no records; null answers nothing. */
async function nameServer(responseCode: number | null): Promise<string> {
  const socket = createSocket('udp4');
  sockets.push(socket);
  socket.on('message', (query, { port, address }) => {
    if (responseCode === null) return;
    const answer = Buffer.from(query);
    answer.writeUInt16BE(0x8180 | responseCode, 2);
    // Additional records (EDNS) of the query are not echoed.
    answer.writeUInt16BE(0, 10);
    const questionEnd = answer.indexOf(0, 12) + 5;
    socket.send(answer.subarray(0, questionEnd), port, address);
  });
  await new Promise<void>((bound) => socket.bind(0, '127.0.0.1', bound));
  return `127.0.0.1:${socket.address().port}`;
}

const NAME_ERROR = 3;
const SERVER_FAILURE = 2;
const REFUSED = 5;

describe('checkDns', () => {
  it('takes "no such name" and "no such record" for answers', async () => {
    expect(await checkDns([await nameServer(NAME_ERROR)], 'me', '192.0.2.1')).toEqual({
      dnsFailures: { value: { count: 0, of: 3 } },
      dnsMs: { value: expect.any(Number) },
    });
    expect(await checkDns([await nameServer(0)], 'me', null)).toMatchObject({
      dnsFailures: { value: { count: 0, of: 2 } },
    });
  });

  it('counts failing, refusing and silent servers, each on its own', async () => {
    const servers = [await nameServer(SERVER_FAILURE), await nameServer(REFUSED), await nameServer(null)];
    expect(await checkDns(servers, 'me', '192.0.2.1')).toEqual({
      dnsFailures: { value: { count: 9, of: 9 } },
      dnsMs: { missing: 'no name server answered' },
    });
    const mixed = [await nameServer(NAME_ERROR), await nameServer(SERVER_FAILURE)];
    expect(await checkDns(mixed, 'me', null)).toMatchObject({ dnsFailures: { value: { count: 2, of: 4 } } });
  });

  it('measures nothing without a name server', async () => {
    expect(await checkDns([], 'me', null)).toMatchObject({ dnsFailures: { missing: 'no name server is configured' } });
  });
});
