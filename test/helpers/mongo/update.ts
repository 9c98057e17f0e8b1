/** What an update makes of a document; mingo does the operators, this the rules around them. */
import { type Document, deserialize, serialize } from 'bson';
import { update as applyOperators } from 'mingo';
import { type CodeName, MongoError } from './errors.ts';

const OPERATORS = new Set([
  '$addToSet',
  '$bit',
  '$currentDate',
  '$inc',
  '$max',
  '$min',
  '$mul',
  '$pop',
  '$pull',
  '$pullAll',
  '$push',
  '$rename',
  '$set',
  '$setOnInsert',
  '$unset',
]);

/** @param inserting true where an upsert makes the document */
export function updated(document: Document, change: unknown, inserting = false): Document {
  if (Array.isArray(change)) throw new MongoError('NotImplemented', 'This double knows no updates by a pipeline.');
  if (!isPlain(change)) throw new MongoError('FailedToParse', 'Update argument must be either an object or an array');
  const result = isReplacement(change) ? replaced(document, change) : modified(document, change, inserting);
  if ('_id' in document && !same(document._id, result._id)) throw immutableId();
  return result;
}

/** What an upsert begins with: the fields that its filter wants to be equal to something. */
export function seedOf(filter: Document): Document {
  const seed: Document = {};
  for (const [path, value] of equalities(filter))
    asked('FailedToParse', () => applyOperators(seed, { $set: { [path]: value } }));
  return seed;
}

/** Runs what a client asked of mingo; what mingo refuses is the client's error. */
export function asked<T>(codeName: CodeName, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new MongoError(codeName, (error as Error).message);
  }
}

export function same(a: unknown, b: unknown): boolean {
  return keyOf(a) === keyOf(b);
}

/** The bytes of a value, as a string to look it up by. */
export function keyOf(value: unknown): string {
  return Buffer.from(serialize({ value })).toString('latin1');
}

export function isPlain(value: unknown): value is Document {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

export function isReplacement(change: unknown): boolean {
  return isPlain(change) && !Object.keys(change).some((name) => name.startsWith('$'));
}

function immutableId(): MongoError {
  return new MongoError(
    'ImmutableField',
    "Performing an update on the path '_id' would modify the immutable field '_id'",
  );
}

function replaced(document: Document, { _id = document._id, ...fields }: Document): Document {
  return { _id, ...fields };
}

function modified(document: Document, change: Document, inserting: boolean): Document {
  for (const name of Object.keys(change)) {
    if (!OPERATORS.has(name)) {
      throw new MongoError(
        'FailedToParse',
        `Unknown modifier: ${name}. Expected a valid update modifier or pipeline-style update specified as an array`,
      );
    }
  }
  const paths = Object.values(change).flatMap((fields: Document) => Object.keys(fields));
  refuseConflicts(paths);
  if (paths.includes('_id')) throw immutableId();
  const { $setOnInsert = {}, ...operators } = change;
  if (inserting) operators.$set = { ...$setOnInsert, ...operators.$set };
  const copy = deserialize(serialize(document));
  asked('FailedToParse', () => applyOperators(copy, operators));
  return copy;
}

/** Two operators may not touch one path, nor a path and one below it. */
function refuseConflicts(paths: string[]): void {
  const sorted = paths.map((path) => `${path}.`).sort();
  for (const [i, path] of sorted.entries()) {
    const before = sorted[i - 1];
    if (before && path.startsWith(before)) {
      const [name, other] = [path.slice(0, -1), before.slice(0, -1)];
      throw new MongoError(
        'ConflictingUpdateOperators',
        `Updating the path '${name}' would create a conflict at '${other}'`,
      );
    }
  }
}

function equalities(filter: Document): [string, unknown][] {
  return Object.entries(filter).flatMap(([path, condition]): [string, unknown][] => {
    if (path === '$and') return (condition as Document[]).flatMap(equalities);
    if (path.startsWith('$')) throw new MongoError('NotImplemented', `This double knows no upsert by ${path}.`);
    if (condition instanceof RegExp) return [];
    if (!isPlain(condition) || !Object.keys(condition).some((name) => name.startsWith('$'))) return [[path, condition]];
    return '$eq' in condition ? [[path, condition.$eq]] : [];
  });
}
