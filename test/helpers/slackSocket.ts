/** Slack's end of Socket Mode: a small WebSocket server (RFC 6455) that sends envelopes and keeps what is acknowledged. */
import { createHash, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Transport } from './slack.ts';

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
/** Slack waits for 3 s; here the machine may be busy with other tests, and the benchmark has the figure. */
const ACKNOWLEDGE_MS = 15_000;
const TEXT = 1;
const CLOSE = 8;
const PING = 9;
const PONG = 10;

export interface SlackSocket {
  /** What apps.connections.open answers with. */
  url: string;
  /** Resolves when the app is connected. */
  connected: Promise<void>;
  send: Transport;
  /** Sends the same envelope again, as after a lost acknowledgement. */
  repeat(envelope: Record<string, unknown>): Promise<any>;
  /** The last envelope sent. */
  last(): Record<string, unknown>;
  close(): Promise<void>;
}

export async function startSlackSocket(): Promise<SlackSocket> {
  const acknowledgements = new Map<string, (payload: unknown) => void>();
  const connection = Promise.withResolvers<void>();
  /** The newest: a client that heard nothing for some seconds connects anew. */
  let current: Duplex | undefined;
  const sockets = new Set<Duplex>();
  let last: Record<string, unknown> = {};

  const server = createServer();
  server.on('upgrade', (request, socket: Duplex) => {
    const accept = createHash('sha1').update(`${request.headers['sec-websocket-key']}${GUID}`).digest('base64');
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
    sockets.add(socket);
    let pending: Buffer = Buffer.alloc(0);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', (chunk: Buffer) => {
      pending = Buffer.concat([pending, chunk]);
      for (let frame = takeFrame(pending); frame; frame = takeFrame(pending)) {
        pending = frame.rest;
        if (frame.opcode === PING) socket.write(toFrame(PONG, frame.payload));
        if (frame.opcode === CLOSE) socket.end(toFrame(CLOSE, frame.payload));
        if (frame.opcode !== TEXT) continue;
        const { envelope_id, payload } = JSON.parse(frame.payload.toString());
        acknowledgements.get(envelope_id)?.(payload ?? null);
      }
    });
    socket.write(text({ type: 'hello', num_connections: 1, connection_info: { app_id: 'A000000001' } }));
    current = socket;
    connection.resolve();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();

  async function repeat(envelope: Record<string, unknown>): Promise<any> {
    last = envelope;
    await connection.promise;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const timer = setTimeout(() => reject(new Error('not acknowledged within 15 s')), ACKNOWLEDGE_MS);
    acknowledgements.set(String(envelope.envelope_id), resolve);
    current?.write(text(envelope));
    const json = await promise.finally(() => clearTimeout(timer));
    return { status: 200, json };
  }

  return {
    url: `ws://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}/link`,
    connected: connection.promise,
    send: (type, payload) =>
      repeat({ type, envelope_id: randomUUID(), accepts_response_payload: type !== 'events_api', payload }),
    repeat,
    last: () => last,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function text(message: unknown): Buffer {
  return toFrame(TEXT, Buffer.from(JSON.stringify(message)));
}

/** A whole, unmasked frame, as servers send. */
function toFrame(opcode: number, payload: Buffer): Buffer {
  const head =
    payload.length < 126
      ? Buffer.from([0x80 | opcode, payload.length])
      : Buffer.from([0x80 | opcode, 126, payload.length >> 8, payload.length & 0xff]);
  return Buffer.concat([head, payload]);
}

/** The first whole frame of a client's bytes, unmasked; null while it is not all there. */
function takeFrame(bytes: Buffer): { opcode: number; payload: Buffer; rest: Buffer } | null {
  if (bytes.length < 2) return null;
  const short = bytes[1]! & 0x7f;
  const lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0;
  const start = 2 + lengthBytes + 4;
  if (bytes.length < start) return null;
  const length =
    lengthBytes === 0 ? short : lengthBytes === 2 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
  if (bytes.length < start + length) return null;
  const mask = bytes.subarray(start - 4, start);
  const payload = bytes.subarray(start, start + length).map((byte, i) => byte ^ mask[i % 4]!);
  return { opcode: bytes[0]! & 0x0f, payload: Buffer.from(payload), rest: bytes.subarray(start + length) };
}
