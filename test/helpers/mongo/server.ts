/** A double of a MongoDB server: the real wire protocol on a loopback port, in front of collections in memory. */
import { createServer, type Server, type Socket } from 'node:net';
import { freePort } from '../freePort.ts';
import { createCommands, type Data } from './commands.ts';
import { type Message, messageReader } from './wire.ts';

export interface MongoDouble {
  port: number;
  /** Cuts all connections and listens no more; open cursors are forgotten, what was written is not. */
  down(): Promise<void>;
  up(): Promise<void>;
}

/** What a command does to a document is one step of one event loop, and so as atomic as it is with MongoDB. */
export async function startMongoDouble(): Promise<MongoDouble> {
  const data: Data = new Map();
  const port = await freePort();
  const sockets = new Set<Socket>();
  let server: Server;

  const up = async () => {
    const answer = createCommands(data);
    server = createServer((socket) => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      socket.on('error', () => {}); // a client that was killed
      const read = messageReader();
      let answered = Promise.resolve();
      const respond = async ({ body, encode }: Message) => {
        const reply = await answer(body);
        if (encode && socket.writable) socket.write(encode(reply));
      };
      socket.on('data', (chunk) => {
        try {
          for (const message of read(chunk)) answered = answered.then(() => respond(message));
        } catch {
          socket.destroy(); // not this protocol: a real server hangs up too
        }
      });
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', resolve);
    });
  };
  await up();
  return {
    port,
    up,
    async down() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
