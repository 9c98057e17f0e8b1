/** The queue in MongoDB. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll } from 'vitest';
import { describeSharedQueue, type SharedQueue, type StoredJob } from '../adapters/scheduler/queueRules.ts';
import { MONGO_KIND, type MongoServer, startMongo } from '../helpers/mongo.ts';

let dir: string;
let mongo: MongoServer;
let client: MongoClient;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'dexops-mongo-jobs-'));
  mongo = await startMongo(dir);
  client = await MongoClient.connect(mongo.url('dexops'));
});
afterAll(async () => {
  await client.close();
  await mongo.down();
  await rm(dir, { recursive: true, force: true });
});

const queue: SharedQueue = {
  url: () => mongo.url('dexops'),
  jobs: async (name) => client.db().collection<StoredJob>('agendaJobs').find({ name }).toArray(),
  async change(name, fields, n) {
    const which = n === undefined ? { name } : { name, 'data.n': n };
    await client.db().collection('agendaJobs').updateMany(which, { $set: fields });
  },
};

describeSharedQueue(MONGO_KIND, queue);
