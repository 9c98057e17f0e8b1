/** A collection in memory: its documents in the order in which they came, and its indexes, of which the unique ones are kept. */
import { setTimeout as delay } from 'node:timers/promises';
import { type Document, ObjectId } from 'bson';
import { find, Query } from 'mingo';
import { MongoError } from './errors.ts';
import { asked, keyOf, same, seedOf, updated } from './update.ts';

/** As with MongoDB, an upsert looks first and inserts later: others come in between, and only a unique index keeps two from inserting. */
const UPSERT_GAP_MS = 5;

interface Index {
  name: string;
  key: Document;
  unique: boolean;
  /** Documents that do not match it are not in the index. */
  partialFilterExpression?: Document;
}

export interface Selection {
  filter?: Document;
  projection?: Document;
  sort?: Document;
  skip?: number;
  limit?: number;
}

/** What an update did; `upserted` is the document that it made. */
export interface Change {
  before: Document | null;
  after: Document | null;
  modified: boolean;
  upserted: boolean;
}

/** A document that is stored is never changed, only put in the place of another: what was found once stays as it was found. */
export interface Collection {
  find(selection: Selection): Document[];
  insert(document: Document): void;
  /** Updates the first in order, or all, that match; with `upsert` makes one where none does. */
  update(
    filter: Document,
    change: unknown,
    options: { sort?: Document; all?: boolean; upsert?: boolean },
  ): Promise<Change[]>;
  /** Deletes the first in order, or all, that match, and returns them. */
  remove(filter: Document, options: { sort?: Document; all?: boolean }): Document[];
  indexes(): Index[];
  createIndex(index: Index): void;
}

export function createCollection(namespace: string): Collection {
  const documents = new Map<string, Document>();
  const indexes: Index[] = [{ name: '_id_', key: { _id: 1 }, unique: true }];

  const select = ({ filter = {}, projection, sort, skip = 0, limit = 0 }: Selection): Document[] =>
    asked('BadValue', () => {
      const cursor = find<Document>([...documents.values()], filter, projection, { scriptEnabled: false });
      if (sort && Object.keys(sort).length > 0) cursor.sort(directions(sort));
      if (skip > 0) cursor.skip(skip);
      if (limit > 0) cursor.limit(limit);
      return cursor.all();
    });

  const refuseDuplicate = ({ name, key, ...index }: Index, document: Document, others: Document[]) => {
    const isIn = new Query(index.partialFilterExpression ?? {}, { scriptEnabled: false });
    if (!isIn.test(document)) return;
    const values = valuesOf(key, document);
    for (const other of others) {
      if (!isIn.test(other) || !same(values, valuesOf(key, other))) continue;
      const text = `E11000 duplicate key error collection: ${namespace} index: ${name} dup key: ${JSON.stringify(values)}`;
      throw new MongoError('DuplicateKey', text, { keyPattern: key, keyValue: values });
    }
  };
  const put = (document: Document, replaced: Document | null) => {
    const known = documents.get(keyOf(document._id));
    for (const index of indexes.filter(({ unique }) => unique)) {
      const others =
        index.name !== '_id_'
          ? [...documents.values()].filter((other) => other !== replaced)
          : known && known !== replaced
            ? [known]
            : [];
      refuseDuplicate(index, document, others);
    }
    documents.set(keyOf(document._id), document);
  };
  const insert = ({ _id = new ObjectId(), ...fields }: Document): Document => {
    const document = { _id, ...fields };
    put(document, null);
    return document;
  };

  const replace = (before: Document, after: Document): Change => {
    const modified = !same(before, after);
    if (modified) put(after, before);
    return { before, after, modified, upserted: false };
  };

  return {
    find: select,
    insert,
    async update(filter, change, { sort, all = false, upsert = false }) {
      const found = select({ filter, sort, limit: all ? 0 : 1 });
      if (found.length > 0 || !upsert) return found.map((before) => replace(before, updated(before, change)));
      await delay(UPSERT_GAP_MS);
      try {
        return [
          { before: null, after: insert(updated(seedOf(filter), change, true)), modified: false, upserted: true },
        ];
      } catch (error) {
        const [before] = isTriedAgain(error, filter, change) ? select({ filter, limit: 1 }) : [];
        if (!before) throw error;
        return [replace(before, updated(before, change))];
      }
    },
    remove(filter, { sort, all = false }) {
      const found = select({ filter, sort, limit: all ? 0 : 1 });
      for (const { _id } of found) documents.delete(keyOf(_id));
      return found;
    },
    indexes: () => indexes,
    createIndex(index) {
      const standing = indexes.find(({ name, key }) => name === index.name || same(key, index.key));
      if (standing && same(optionsOf(standing), optionsOf(index))) return;
      if (standing) {
        const codeName = standing.name === index.name ? 'IndexKeySpecsConflict' : 'IndexOptionsConflict';
        throw new MongoError(
          codeName,
          `Index ${index.name} stands already as ${standing.name} with another key or options`,
        );
      }
      const all = [...documents.values()];
      if (index.unique) for (const [i, document] of all.entries()) refuseDuplicate(index, document, all.slice(0, i));
      indexes.push(index);
    },
  };
}

/**
 * Whether MongoDB itself updates what came in between an upsert's look and its insert: where the index that refuses it is over just
 * the fields of the filter, and the change touches none of them.
 */
function isTriedAgain(error: unknown, filter: Document, change: unknown): boolean {
  if (!(error instanceof MongoError) || error.codeName !== 'DuplicateKey') return false;
  const fields = Object.keys(filter);
  const touched = Object.values(change as Document).flatMap((values: Document | null) => Object.keys(values ?? {}));
  return same(fields, Object.keys(error.details.keyPattern)) && !touched.some((path) => fields.includes(path));
}

function optionsOf({ name, key, unique, partialFilterExpression = {} }: Index): Document {
  return { name, key, unique, partialFilterExpression };
}

function directions(sort: Document): Record<string, 1 | -1> {
  for (const [path, direction] of Object.entries(sort)) {
    if (direction !== 1 && direction !== -1)
      throw new MongoError('BadValue', `Sorting ${path} by ${direction} is not done here`);
  }
  return sort;
}

/** What an index holds of a document: null for what it lacks. */
function valuesOf(key: Document, document: Document): Document {
  const values = Object.keys(key).map((path) => {
    let value: unknown = document;
    for (const step of path.split('.')) value = (value as Document | null | undefined)?.[step];
    if (Array.isArray(value)) throw new MongoError('NotImplemented', 'This double keeps no unique index over arrays.');
    return [path, value ?? null];
  });
  return Object.fromEntries(values) as Document;
}
