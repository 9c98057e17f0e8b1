/** What tests with MongoDB rely on, by its own driver: the same of the real server and, where there is none, of its double. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Collection, MongoClient, type MongoServerError } from 'mongodb';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { MONGO_KIND, type MongoServer, startMongo } from './mongo.ts';

describe(MONGO_KIND, () => {
  let dir: string;
  let mongo: MongoServer;
  let client: MongoClient;
  let jobs: Collection<Record<string, any>>;
  let collections = 0;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'dexops-mongo-'));
    mongo = await startMongo(dir);
    client = await MongoClient.connect(mongo.url('dexops'));
  });
  beforeEach(() => {
    jobs = client.db().collection(`jobs_${++collections}`);
  });
  afterAll(async () => {
    await client.close();
    await mongo.down();
    await rm(dir, { recursive: true, force: true });
  });

  const codeOf = (asked: Promise<unknown>) =>
    asked.then(
      () => 'done',
      (error: MongoServerError) => error.code,
    );
  const numbered = (count: number) => Array.from({ length: count }, (_, n) => ({ n, at: new Date(n * 1000) }));

  test('finds, counts and groups, over more than one batch of a cursor', async () => {
    await jobs.insertMany(numbered(250));
    const found = await jobs
      .find({ n: { $lt: 240 } })
      .sort({ at: -1 })
      .batchSize(50)
      .toArray();
    expect(found.map(({ n }) => n)).toEqual(Array.from({ length: 240 }, (_, i) => 239 - i));
    expect(await jobs.find({}).sort({ n: 1 }).skip(2).limit(2).project({ n: 1, _id: 0 }).toArray()).toEqual([
      { n: 2 },
      { n: 3 },
    ]);
    expect(await jobs.countDocuments({ at: { $lte: new Date(9000) } })).toBe(10);
    expect(await jobs.estimatedDocumentCount()).toBe(250);
    expect(await jobs.distinct('n', { n: { $in: [1, 2, 900] } })).toEqual([1, 2]);
    expect(await jobs.aggregate([{ $group: { _id: '$absent' } }]).toArray()).toEqual([{ _id: null }]);
    const cursor = jobs.find({}).batchSize(2);
    await cursor.next();
    await cursor.close();
  });

  test('a field that is null or absent equals null, and is not before any date', async () => {
    await jobs.insertMany([{ lockedAt: null }, {}, { lockedAt: new Date(0) }]);
    expect(await jobs.countDocuments({ lockedAt: null })).toBe(2);
    expect(await jobs.countDocuments({ lockedAt: { $eq: null } })).toBe(2);
    expect(await jobs.countDocuments({ lockedAt: { $lte: new Date() } })).toBe(1);
    expect(await jobs.countDocuments({ lockedAt: { $ne: null } })).toBe(1);
  });

  test('updates say what they matched and what they changed', async () => {
    await jobs.insertMany(numbered(4));
    expect(await jobs.updateOne({ n: 1 }, { $set: { n: 1 } })).toMatchObject({ matchedCount: 1, modifiedCount: 0 });
    expect(await jobs.updateMany({ n: { $gt: 1 } }, { $unset: { at: true } })).toMatchObject({ modifiedCount: 2 });
    expect(await jobs.countDocuments({ at: null })).toBe(2);
    expect(await jobs.replaceOne({ n: 3 }, { n: 30 })).toMatchObject({ modifiedCount: 1 });
    expect(await jobs.deleteOne({})).toMatchObject({ deletedCount: 1 });
    expect(await jobs.deleteMany({ n: { $gte: 2 } })).toMatchObject({ deletedCount: 2 });
  });

  test('finding and changing is one step; an upsert takes over what its filter demands', async () => {
    const job = { name: 'scan', type: 'single' };
    const change = { $set: { priority: 1 }, $setOnInsert: { nextRunAt: new Date(5) } };
    const options = { upsert: true, returnDocument: 'after' } as const;
    const made = await jobs.findOneAndUpdate(job, change, options);
    expect(made).toMatchObject({ ...job, priority: 1, nextRunAt: new Date(5) });
    const again = await jobs.findOneAndUpdate(job, { ...change, $setOnInsert: { nextRunAt: new Date(6) } }, options);
    expect(again).toEqual(made);

    await jobs.insertMany(numbered(20));
    const takes = Array.from({ length: 30 }, () =>
      jobs.findOneAndUpdate({ n: { $gte: 0 }, taken: null }, { $set: { taken: true } }, { sort: { n: 1 } }),
    );
    const taken = (await Promise.all(takes)).flatMap((each) => (each ? [each.n] : []));
    expect(taken.sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, n) => n));
    expect(await jobs.findOneAndDelete({ n: 4 })).toMatchObject({ n: 4 });
  });

  test('unique indexes hold', async () => {
    const [{ insertedId }] = [await jobs.insertOne({ name: 'a' })];
    expect(await codeOf(jobs.insertOne({ _id: insertedId }))).toBe(11000);
    await jobs.createIndex({ name: 1 }, { unique: true, name: 'by_name' });
    await jobs.createIndex({ name: 1 }, { unique: true, name: 'by_name' });
    expect((await jobs.indexes()).map(({ name, unique }) => [name, unique])).toEqual([
      ['_id_', undefined],
      ['by_name', true],
    ]);
    expect(await codeOf(jobs.createIndex({ name: 1 }, { name: 'other' }))).toBe(85);
    expect(await codeOf(jobs.createIndex({ other: 1 }, { name: 'by_name' }))).toBe(86);
    const some = [{ name: 'b' }, { name: 'a' }, { name: 'c' }];
    expect(await codeOf(jobs.insertMany(some))).toBe(11000);
    expect(await jobs.distinct('name')).toEqual(['a', 'b']);
    expect(await codeOf(jobs.insertMany(some.slice(1), { ordered: false }))).toBe(11000);
    expect(await codeOf(jobs.updateOne({ name: 'b' }, { $set: { name: 'c' } }))).toBe(11000);
    expect(await jobs.distinct('name')).toEqual(['a', 'b', 'c']);
  });

  test('upserts at once come together where a unique index over what they ask for stands; a partial one will do', async () => {
    const upsert = (name: string) =>
      jobs.findOneAndUpdate({ name, type: 'single' }, { $inc: { n: 1 } }, { upsert: true, returnDocument: 'after' });
    const many = (name: string) => Promise.all(Array.from({ length: 8 }, () => upsert(name)));
    await jobs.createIndex({ name: 1, type: 1 }, { unique: true, partialFilterExpression: { type: 'single' } });
    await many('guarded');
    expect(await jobs.find({}, { projection: { _id: 0 } }).toArray()).toEqual([
      { name: 'guarded', type: 'single', n: 8 },
    ]);
    await jobs.insertMany([
      { name: 'guarded', type: 'normal' },
      { name: 'guarded', type: 'normal' },
    ]);
    expect(await codeOf(jobs.updateOne({ type: 'normal' }, { $set: { type: 'single' } }))).toBe(11000);
  });

  test('what is not known is refused by the number of its error, never passed over', async () => {
    await jobs.insertOne({ n: 1 });
    const command = (body: object) => codeOf(client.db().command(body));
    expect(await command({ no_such_command: 1 })).toBe(59);
    expect(await command({ find: jobs.collectionName, no_such_field: 1 })).toBe(40415);
    expect(await codeOf(jobs.find({ n: { $nothing: 1 } }).toArray())).toBe(2);
    expect(await codeOf(jobs.find({ $nothing: [] }).toArray())).toBe(2);
    expect(await codeOf(jobs.aggregate([{ $nothing: {} }]).toArray())).toBe(40324);
    expect(await codeOf(jobs.updateOne({}, { $nothing: { n: 1 } } as object))).toBe(9);
    expect(await codeOf(jobs.updateOne({}, { $set: { 'a.b': 1 }, $unset: { a: true } }))).toBe(40);
    expect(await codeOf(jobs.updateOne({}, { $set: { _id: 1 } } as object))).toBe(66);
    const upwards = { createIndexes: jobs.collectionName, indexes: [{ name: 'upwards', key: { n: 'up' } }] };
    expect(await command(upwards)).toBe(67);
    expect(await command({ getMore: 4711n, collection: jobs.collectionName })).toBe(43);
    expect(await codeOf(client.db().collection('never_written').indexes())).toBe(26);
    expect(await jobs.find({}, { projection: { _id: 0 } }).toArray()).toEqual([{ n: 1 }]);
  });

  test('what was written before a restart is there after it, for a client that was connected', async () => {
    await jobs.insertMany(numbered(3));
    await mongo.down();
    await mongo.up();
    expect(await jobs.countDocuments({})).toBe(3);
  });
});
