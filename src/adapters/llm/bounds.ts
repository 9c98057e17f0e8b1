/** What a model server may send in one reply: bytes, events, calls, characters and silence, each with a limit. */
import { performance } from 'node:perf_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';

/** A reply that breaks a limit: asking the same server again would bring the same. */
export class UnboundedReply extends Error {}

export interface ReplyBounds {
  /** Of the HTTP body, decompressed; a token costs about 300 bytes of JSON as providers stream it. */
  bytes: number;
  /** Of text, reasoning and arguments together. */
  characters: number;
  /** Parts of one reply: calls, and blocks of text or reasoning. */
  parts: number;
  /** Time without a byte while a body is read, in milliseconds. */
  idleMs: number;
}

export const REPLY_BOUNDS: ReplyBounds = { bytes: 16 * 1024 * 1024, characters: 1_000_000, parts: 128, idleMs: 60_000 };

/** A `fetch` whose answers end with an error where they break the limits; for clients that take one. */
export function boundedFetch(bounds: ReplyBounds): typeof fetch {
  return async (input, init) => {
    const response = await fetch(input, init);
    if (!response.body) return response;
    const { status, statusText, headers } = response;
    return new Response(ReadableStream.from(boundedBytes(response.body, bounds)), { status, statusText, headers });
  };
}

/** The same bytes, as far as the limits go; then the source is cancelled. */
export async function* boundedBytes(
  source: AsyncIterable<Uint8Array>,
  { bytes, idleMs }: ReplyBounds,
): AsyncGenerator<Uint8Array> {
  const chunks = source[Symbol.asyncIterator]();
  let left = bytes;
  try {
    for (;;) {
      const silence = Promise.withResolvers<never>();
      const timer = setTimeout(() => silence.reject(new Error(`nothing came for ${idleMs} ms`)), idleMs);
      const next = await Promise.race([chunks.next(), silence.promise]).finally(() => clearTimeout(timer));
      if (next.done) return;
      left -= next.value.byteLength;
      if (left < 0) throw new UnboundedReply(`the reply is larger than ${bytes} bytes`);
      yield next.value;
    }
  } finally {
    // Not awaited: a source that is silent would not end before its next byte.
    chunks.return?.().catch(() => {});
  }
}

/** Events between two turns of the event loop: what a server sends at once does not keep the service from other work. */
const EVENTS_A_TURN = 100;

/** The same events, with room for other work between them, until `timeoutMs` have passed or the signal aborts. */
export async function* pacedEvents<T>(
  events: AsyncIterable<T>,
  signal: AbortSignal,
  timeoutMs: number,
): AsyncGenerator<T> {
  const startedMs = performance.now();
  let count = 0;
  for await (const event of events) {
    yield event;
    if (++count % EVENTS_A_TURN !== 0) continue;
    await nextTurn();
    signal.throwIfAborted();
    if (performance.now() - startedMs > timeoutMs) throw new UnboundedReply(`no full answer within ${timeoutMs} ms`);
  }
}

/** The parts of one reply by their index, in its order, within the limits. */
export class ReplyParts<T> {
  private readonly byIndex = new Map<number, T>();
  private charactersLeft: number;
  private readonly bounds: ReplyBounds;

  constructor(bounds: ReplyBounds) {
    this.bounds = bounds;
    this.charactersLeft = bounds.characters;
  }

  get(index: number): T | undefined {
    return this.byIndex.get(index);
  }

  /** @throws UnboundedReply when there are too many, or the index is none */
  set(index: number, part: T): T {
    if (!Number.isSafeInteger(index) || index < 0) throw new UnboundedReply('a part of the reply has no usable index');
    this.byIndex.set(index, part);
    if (this.byIndex.size > this.bounds.parts) {
      throw new UnboundedReply(`the reply has more than ${this.bounds.parts} parts`);
    }
    return part;
  }

  /** Counts text towards the limit and returns it; what is no text is nothing. @throws UnboundedReply */
  take(text: unknown): string {
    if (typeof text !== 'string') return '';
    this.charactersLeft -= text.length;
    if (this.charactersLeft < 0) {
      throw new UnboundedReply(`the reply is longer than ${this.bounds.characters} characters`);
    }
    return text;
  }

  inOrder(): T[] {
    return [...this.byIndex].sort(([a], [b]) => a - b).map(([, part]) => part);
  }
}

/** Tokens as a provider counts them; what is no count is none, so that no budget is broken by it. */
export function tokenCount(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? Math.min(Math.round(value), 1e9) : 0;
}

/** Whether an error, or what a client library wrapped into its own, is a broken limit. */
export function unboundedReplyIn(error: unknown): UnboundedReply | null {
  for (let cause = error, depth = 0; cause instanceof Error && depth < 5; cause = cause.cause, depth++) {
    if (cause instanceof UnboundedReply) return cause;
  }
  return null;
}
