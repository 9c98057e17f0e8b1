/** MongoDB for tests: the real server where it is installed, else a double of it that speaks its wire protocol. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { startProgram } from './childProcess.ts';
import { findBinary } from './findBinary.ts';
import { freePort } from './freePort.ts';
import { startMongoDouble } from './mongo/server.ts';

const MONGOD = findBinary('mongod');

/** Says with which of the two a test runs. */
export const MONGO_KIND = MONGOD ? 'MongoDB' : 'MongoDB (mongod is not on this machine: a double of it on the wire)';

export interface MongoServer {
  /** For RUN_QUEUE_URL and drivers, with a database of this name. */
  url(database: string): string;
  down(): Promise<void>;
  up(): Promise<void>;
}

/** @param dir where a real server keeps its data; the double keeps it in memory, also while it is down */
export async function startMongo(dir: string): Promise<MongoServer> {
  const { port, down, up } = MONGOD ? await startMongod(MONGOD, dir) : await startMongoDouble();
  return { url: (database) => `mongodb://127.0.0.1:${port}/${database}`, down, up };
}

async function startMongod(binary: string, dir: string) {
  const port = await freePort();
  const dbpath = join(dir, 'mongo');
  await mkdir(dbpath);
  const args = ['--port', `${port}`, '--bind_ip', '127.0.0.1', '--dbpath', dbpath];
  const start = () => startProgram(binary, args, /Waiting for connections/i);
  let program = await start();
  return {
    port,
    down: () => program.stop(),
    async up() {
      program = await start();
    },
  };
}
