/** What the commands have in common: lists of writes, answers of their shape, and refusals. */
import type { Document } from 'bson';
import { aggregate } from 'mingo';
import type { Change, Collection } from './collection.ts';
import { MongoError } from './errors.ts';

export function aggregated(collection: Collection, pipeline: Document[]): Document[] {
  const isUnknown = (error: unknown) => /unregistered pipeline operator/.test(String(error));
  try {
    return aggregate(collection.find({}), pipeline, { scriptEnabled: false }) as Document[];
  } catch (error) {
    if (isUnknown(error))
      throw new MongoError('Location40324', `Unrecognized pipeline stage: ${(error as Error).message}`);
    throw new MongoError('BadValue', (error as Error).message);
  }
}

interface Written {
  n: number;
  nModified?: number;
  upserted?: unknown;
}

/** Writes one after the other; an ordered list ends at the first that fails. */
export async function each(
  entries: Document[],
  ordered: boolean | undefined,
  write: (entry: Document) => Written | Promise<Written>,
): Promise<Document> {
  const total = { n: 0, nModified: 0 };
  const upserted: Document[] = [];
  const writeErrors: Document[] = [];
  for (const [index, entry] of entries.entries()) {
    try {
      const { n, nModified = 0, upserted: _id } = await write(entry);
      total.n += n;
      total.nModified += nModified;
      if (_id !== undefined) upserted.push({ index, _id });
    } catch (error) {
      if (!(error instanceof MongoError)) throw error;
      writeErrors.push({ index, code: error.code, errmsg: error.message, ...error.details });
      if (ordered !== false) break;
    }
  }
  return { ...total, ...(upserted.length > 0 && { upserted }), ...(writeErrors.length > 0 && { writeErrors }) };
}

export function changeAnswer(change: Change | undefined, wantsNew: boolean): Document {
  if (!change) return { lastErrorObject: { n: 0, updatedExisting: false }, value: null };
  const { before, after, upserted } = change;
  const lastErrorObject = { n: 1, updatedExisting: !upserted, ...(upserted && { upserted: after?._id }) };
  return { lastErrorObject, value: wantsNew ? after : before };
}

export function refuseUnknown(where: string, given: Document, known: string[]): void {
  const unknown = Object.keys(given).find((name) => !known.includes(name));
  if (unknown) throw new MongoError('Location40415', `BSON field '${where}.${unknown}' is an unknown field.`);
}

export function refuseBadKey(key: Document): void {
  for (const [path, direction] of Object.entries(key)) {
    if (typeof direction !== 'number' || direction === 0) {
      throw new MongoError(
        'CannotCreateIndex',
        `Values in v:2 index key pattern must be numbers; ${path} is ${JSON.stringify(direction)}`,
      );
    }
  }
}
