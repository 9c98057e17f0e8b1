/** The commands that this double of a MongoDB server answers, each with the fields that it understands. */
import { type Document, Long } from 'bson';
import { aggregate } from 'mingo';
import { aggregated, changeAnswer, each, refuseBadKey, refuseUnknown } from './answers.ts';
import { type Collection, createCollection } from './collection.ts';
import { MongoError } from './errors.ts';
import { asked, isReplacement } from './update.ts';

/** What outlives a restart: collections by namespace. */
export type Data = Map<string, Collection>;

interface Cursor {
  namespace: string;
  rest: Document[];
}

/** Fields that any command may carry and that change nothing for one server whose writes are all in order. */
const COMMON = ['$db', '$readPreference', 'lsid', 'writeConcern', 'readConcern', 'maxTimeMS', 'comment', 'apiVersion'];

/** How many documents a cursor gives first when it is not told. */
const FIRST_BATCH = 101;
const MAX_BATCH = 100_000;

/** Limits as MongoDB 7.0 reports them; wire version 21 is that release. */
const HELLO = {
  isWritablePrimary: true,
  ismaster: true,
  helloOk: true,
  maxBsonObjectSize: 16 * 2 ** 20,
  maxMessageSizeBytes: 48_000_000,
  maxWriteBatchSize: MAX_BATCH,
  logicalSessionTimeoutMinutes: 30,
  minWireVersion: 0,
  maxWireVersion: 21,
  readOnly: false,
};

/** @returns answers a command; never throws, as a server answers its errors */
export function createCommands(data: Data): (body: Document) => Promise<Document> {
  const cursors = new Map<number, Cursor>();
  let lastCursor = 0;

  const namespaceOf = (body: Document, name: unknown) => {
    if (typeof name !== 'string' || name === '') throw new MongoError('BadValue', 'A collection has to be named.');
    return `${body.$db}.${name}`;
  };
  const read = (namespace: string): Collection => data.get(namespace) ?? createCollection(namespace);
  const write = (namespace: string): Collection => {
    const collection = data.get(namespace) ?? createCollection(namespace);
    data.set(namespace, collection);
    return collection;
  };
  const opened = (namespace: string, documents: Document[], batchSize = FIRST_BATCH, single = false): Document => {
    const firstBatch = documents.slice(0, batchSize);
    const rest = documents.slice(batchSize);
    const isOpen = rest.length > 0 && !single;
    if (isOpen) cursors.set(++lastCursor, { namespace, rest });
    return { cursor: { firstBatch, id: Long.fromNumber(isOpen ? lastCursor : 0), ns: namespace } };
  };

  const hello = {
    fields: ['helloOk', 'client', 'compression', 'topologyVersion', 'maxAwaitTimeMS', 'loadBalanced', 'backpressure'],
    run: () => ({ ...HELLO, localTime: new Date() }),
  };
  const commands: Record<
    string,
    { fields: string[]; run(body: Document, name: unknown): Document | Promise<Document> }
  > = {
    hello,
    isMaster: hello,
    ismaster: hello,
    ping: { fields: [], run: () => ({}) },
    endSessions: { fields: [], run: () => ({}) },
    find: {
      fields: ['filter', 'sort', 'projection', 'skip', 'limit', 'batchSize', 'singleBatch'],
      run(body, name) {
        const namespace = namespaceOf(body, name);
        const found = read(namespace).find(body);
        return opened(namespace, found, body.batchSize, body.singleBatch);
      },
    },
    getMore: {
      fields: ['collection', 'batchSize'],
      run({ batchSize = MAX_BATCH }, id) {
        const cursor = cursors.get(Number(id));
        if (!cursor) throw new MongoError('CursorNotFound', `cursor id ${id} not found`);
        const nextBatch = cursor.rest.splice(0, batchSize);
        const isOpen = cursor.rest.length > 0;
        if (!isOpen) cursors.delete(Number(id));
        return { cursor: { nextBatch, id: Long.fromNumber(isOpen ? Number(id) : 0), ns: cursor.namespace } };
      },
    },
    killCursors: {
      fields: ['cursors'],
      run(body) {
        const { true: killed = [], false: unknown = [] } = Object.groupBy(body.cursors as number[], (id) =>
          cursors.delete(Number(id)) ? 'true' : 'false',
        );
        const asLongs = (ids: number[]) => ids.map((id) => Long.fromNumber(Number(id)));
        return {
          cursorsKilled: asLongs(killed),
          cursorsNotFound: asLongs(unknown),
          cursorsAlive: [],
          cursorsUnknown: [],
        };
      },
    },
    count: {
      fields: ['query', 'skip', 'limit'],
      run: (body, name) => ({ n: read(namespaceOf(body, name)).find({ ...body, filter: body.query }).length }),
    },
    distinct: {
      fields: ['key', 'query'],
      run(body, name) {
        const found = read(namespaceOf(body, name)).find({ filter: body.query });
        const pipeline = [{ $unwind: `$${body.key}` }, { $group: { _id: `$${body.key}` } }];
        return { values: asked('BadValue', () => aggregate(found, pipeline)).map(({ _id }) => _id) };
      },
    },
    aggregate: {
      fields: ['pipeline', 'cursor', 'hint'],
      run(body, name) {
        const namespace = namespaceOf(body, name);
        const results = aggregated(read(namespace), body.pipeline as Document[]);
        return opened(namespace, results, (body.cursor as Document | undefined)?.batchSize);
      },
    },
    insert: {
      fields: ['documents', 'ordered', 'bypassDocumentValidation'],
      run(body, name) {
        const collection = write(namespaceOf(body, name));
        return each(body.documents, body.ordered, (document) => {
          collection.insert(document);
          return { n: 1 };
        });
      },
    },
    update: {
      fields: ['updates', 'ordered', 'bypassDocumentValidation'],
      run(body, name) {
        const collection = write(namespaceOf(body, name));
        return each(body.updates, body.ordered, async (entry) => {
          refuseUnknown('update.updates', entry, ['q', 'u', 'multi', 'upsert', 'sort']);
          if (entry.multi && isReplacement(entry.u)) {
            throw new MongoError('FailedToParse', 'multi update is not supported for replacement-style update');
          }
          const options = { all: entry.multi, upsert: entry.upsert, sort: entry.sort };
          const changes = await collection.update(entry.q, entry.u, options);
          const [made] = changes.filter(({ upserted }) => upserted);
          return {
            n: changes.length,
            nModified: changes.filter(({ modified }) => modified).length,
            upserted: made?.after?._id,
          };
        });
      },
    },
    delete: {
      fields: ['deletes', 'ordered'],
      run(body, name) {
        const collection = write(namespaceOf(body, name));
        return each(body.deletes, body.ordered, (entry) => {
          refuseUnknown('delete.deletes', entry, ['q', 'limit']);
          return { n: collection.remove(entry.q, { all: entry.limit === 0 }).length };
        });
      },
    },
    findAndModify: {
      fields: ['query', 'sort', 'remove', 'update', 'new', 'upsert', 'fields', 'bypassDocumentValidation'],
      async run(body, name) {
        const collection = write(namespaceOf(body, name));
        const { query = {}, sort, fields } = body;
        if (Boolean(body.remove) === 'update' in body) {
          throw new MongoError('FailedToParse', 'Either an update or remove=true must be specified');
        }
        if (fields && Object.keys(fields).length > 0)
          throw new MongoError('NotImplemented', 'This double projects nothing here.');
        if (body.remove) {
          const [value = null] = collection.remove(query, { sort });
          return { lastErrorObject: { n: value ? 1 : 0 }, value };
        }
        const [change] = await collection.update(query, body.update, { sort, upsert: body.upsert });
        return changeAnswer(change, Boolean(body.new));
      },
    },
    createIndexes: {
      fields: ['indexes', 'commitQuorum'],
      run(body, name) {
        const namespace = namespaceOf(body, name);
        const isNew = !data.has(namespace);
        const collection = write(namespace);
        const numIndexesBefore = collection.indexes().length;
        for (const entry of body.indexes as Document[]) {
          // That it be built in the background is asked by old programs and has meant nothing since MongoDB 4.2.
          refuseUnknown('createIndexes.indexes', entry, [
            'name',
            'key',
            'unique',
            'v',
            'background',
            'partialFilterExpression',
          ]);
          refuseBadKey(entry.key);
          const { v: _version, background: _background, unique = false, ...index } = entry;
          collection.createIndex({ ...(index as { name: string; key: Document }), unique });
        }
        const numIndexesAfter = collection.indexes().length;
        return { numIndexesBefore, numIndexesAfter, createdCollectionAutomatically: isNew };
      },
    },
    listIndexes: {
      fields: ['cursor'],
      run(body, name) {
        const namespace = namespaceOf(body, name);
        const collection = data.get(namespace);
        if (!collection) throw new MongoError('NamespaceNotFound', `ns does not exist: ${namespace}`);
        const indexes = collection.indexes().map(({ unique, ...index }) => ({
          v: 2,
          ...index,
          ...(unique && index.name !== '_id_' && { unique }),
        }));
        return opened(namespace, indexes);
      },
    },
  };

  return async (body) => {
    const [[command, argument] = ['', null]] = Object.entries(body);
    try {
      const known = Object.hasOwn(commands, command) ? commands[command] : undefined;
      if (!known) throw new MongoError('CommandNotFound', `no such command: '${command}'`);
      if ('txnNumber' in body) {
        throw new MongoError(
          'IllegalOperation',
          'Transaction numbers are only allowed on a replica set member or mongos',
        );
      }
      refuseUnknown(command, body, [command, ...COMMON, ...known.fields]);
      return { ...(await known.run(body, argument)), ok: 1 };
    } catch (error) {
      if (!(error instanceof MongoError)) return { ok: 0, code: 1, codeName: 'InternalError', errmsg: String(error) };
      const { message, code, codeName, details } = error;
      return { ok: 0, errmsg: message, code, codeName, ...details };
    }
  };
}
