/** MongoDB's wire protocol as a server sees it: OP_MSG, and the OP_QUERY with which a driver says its first hello. */
import { type Document, deserialize, serialize } from 'bson';

const OP_REPLY = 1;
const OP_QUERY = 2004;
const OP_MSG = 2013;
const HEADER_BYTES = 16;

/** Flags of an OP_MSG; the upper sixteen bits may be ignored, an unknown one of the lower may not. */
const CHECKSUM_PRESENT = 1;
const MORE_TO_COME = 2;

export interface Message {
  body: Document;
  /** Encodes the answer; null where the client wants none. */
  encode: ((answer: Document) => Buffer) | null;
}

/**
 * Puts chunks of a stream together.
 * @returns the messages that a chunk completed; throws where the stream is not this protocol
 */
export function messageReader(): (chunk: Buffer) => Message[] {
  let pending = Buffer.alloc(0);
  return (chunk) => {
    pending = Buffer.concat([pending, chunk]);
    const messages: Message[] = [];
    while (pending.length >= HEADER_BYTES) {
      const length = pending.readInt32LE(0);
      if (pending.length < length) break;
      messages.push(decode(pending.subarray(0, length)));
      pending = pending.subarray(length);
    }
    return messages;
  };
}

function decode(message: Buffer): Message {
  const requestId = message.readInt32LE(4);
  const opCode = message.readInt32LE(12);
  if (opCode === OP_MSG) return decodeMsg(message, requestId);
  if (opCode === OP_QUERY) return decodeQuery(message, requestId);
  throw new Error(`a message of kind ${opCode} is not read here`);
}

function decodeMsg(message: Buffer, requestId: number): Message {
  const flags = message.readUInt32LE(HEADER_BYTES);
  const unknown = flags & 0xffff & ~(CHECKSUM_PRESENT | MORE_TO_COME);
  if (unknown !== 0) throw new Error(`an OP_MSG with unknown flags ${unknown}`);
  const end = message.length - (flags & CHECKSUM_PRESENT ? 4 : 0);
  let body: Document = {};
  const sequences: Document = {};
  let at = HEADER_BYTES + 4;
  while (at < end) {
    const kind = message.readUInt8(at++);
    const sectionEnd = at + message.readInt32LE(at);
    if (kind === 0) {
      body = deserialize(message.subarray(at, sectionEnd));
    } else if (kind === 1) {
      const nameEnd = message.indexOf(0, at + 4);
      sequences[message.toString('utf8', at + 4, nameEnd)] = documentsIn(message.subarray(nameEnd + 1, sectionEnd));
    } else {
      throw new Error(`an OP_MSG with a section of kind ${kind}`);
    }
    at = sectionEnd;
  }
  return {
    body: { ...body, ...sequences },
    encode: flags & MORE_TO_COME ? null : (answer) => opMsg(requestId, answer),
  };
}

/** The only query that servers still answer is a command: one document after the name of a collection and two numbers. */
function decodeQuery(message: Buffer, requestId: number): Message {
  const nameEnd = message.indexOf(0, HEADER_BYTES + 4);
  const collection = message.toString('utf8', HEADER_BYTES + 4, nameEnd);
  const [body] = documentsIn(message.subarray(nameEnd + 9));
  if (!collection.endsWith('.$cmd') || !body) throw new Error(`an OP_QUERY on ${collection}`);
  return { body: { ...body, $db: collection.slice(0, -5) }, encode: (answer) => opReply(requestId, answer) };
}

function documentsIn(bytes: Buffer): Document[] {
  const documents: Document[] = [];
  for (let at = 0; at < bytes.length; at += bytes.readInt32LE(at)) {
    documents.push(deserialize(bytes.subarray(at, at + bytes.readInt32LE(at))));
  }
  return documents;
}

function opMsg(responseTo: number, answer: Document): Buffer {
  const document = serialize(answer, { ignoreUndefined: true });
  return Buffer.concat([header(OP_MSG, responseTo, 5 + document.length), Buffer.from([0, 0, 0, 0, 0]), document]);
}

function opReply(responseTo: number, answer: Document): Buffer {
  const document = serialize(answer, { ignoreUndefined: true });
  // Flags, a cursor of eight bytes and where it starts are 0; then how many documents follow.
  const fields = Buffer.alloc(20);
  fields.writeInt32LE(1, 16);
  return Buffer.concat([header(OP_REPLY, responseTo, fields.length + document.length), fields, document]);
}

function header(opCode: number, responseTo: number, bodyBytes: number): Buffer {
  const buffer = Buffer.alloc(HEADER_BYTES);
  buffer.writeInt32LE(HEADER_BYTES + bodyBytes, 0);
  buffer.writeInt32LE(responseTo, 8);
  buffer.writeInt32LE(opCode, 12);
  return buffer;
}
