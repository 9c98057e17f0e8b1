/** Errors as MongoDB names and numbers them. */
import type { Document } from 'bson';

/** From MongoDB's list of error codes. */
const CODES = {
  BadValue: 2,
  FailedToParse: 9,
  TypeMismatch: 14,
  IllegalOperation: 20,
  NamespaceNotFound: 26,
  ConflictingUpdateOperators: 40,
  CursorNotFound: 43,
  CommandNotFound: 59,
  ImmutableField: 66,
  CannotCreateIndex: 67,
  IndexOptionsConflict: 85,
  IndexKeySpecsConflict: 86,
  /** What MongoDB can do and this double cannot. */
  NotImplemented: 238,
  DuplicateKey: 11000,
  Location40324: 40324,
  Location40415: 40415,
} as const;
export type CodeName = keyof typeof CODES;

export class MongoError extends Error {
  readonly codeName: CodeName;
  /** More fields of the answer. */
  readonly details: Document;

  constructor(codeName: CodeName, message: string, details: Document = {}) {
    super(message);
    this.codeName = codeName;
    this.details = details;
  }

  get code(): number {
    return CODES[this.codeName];
  }
}
