/** Puts the tool calls of a stream together, from OpenAI and from the many servers that imitate it in their own ways. */
import { type ReplyParts, UnboundedReply } from './bounds.ts';
import { parseToolInput } from './toolInput.ts';

/** What one chunk says of a call; imitators leave out or repeat any of it. */
export interface ToolCallDelta {
  index?: number | null;
  id?: string | null;
  function?: { name?: string | null; arguments?: unknown } | null;
}

interface OpenCall {
  id: string;
  name: string;
  json: string;
}

interface ReadCall {
  id: string;
  name: string;
  input: unknown;
  unparsedInput: string | null;
}

/** @param parts counts what comes towards the limits of the reply */
export function collectToolCalls(parts: ReplyParts<unknown>): { add(delta: ToolCallDelta): void; calls(): ReadCall[] } {
  const calls: OpenCall[] = [];
  /** Which call an index means by now. */
  const byIndex = new Map<number, OpenCall>();
  return {
    add({ index, id, function: called }) {
      if (typeof index === 'number' && (!Number.isSafeInteger(index) || index < 0))
        throw new UnboundedReply('a part of the reply has no usable index');
      const given = {
        id: parts.take(id),
        name: parts.take(called?.name),
        json: parts.take(jsonOf(called?.arguments)),
      };
      const open = typeof index === 'number' ? byIndex.get(index) : calls.at(-1);
      if (!open || beginsAnother(open, given)) {
        parts.set(calls.length, given);
        calls.push(given);
        if (typeof index === 'number') byIndex.set(index, given);
        return;
      }
      open.id ||= given.id;
      open.name ||= given.name;
      open.json += given.json;
    },

    calls() {
      const used = new Set<string>();
      return calls.map(({ id, name, json }, at) => {
        const own = id !== '' && !used.has(id) ? id : `call_${at}`;
        used.add(own);
        return { id: own, name, ...parseToolInput(json) };
      });
    },
  };
}

/**
 * Some servers number every call 0, or none. A new id is a new call, and so is a name where there is one already, unless the
 * server only repeats the name in each chunk of a call whose arguments are not complete yet.
 */
function beginsAnother(open: OpenCall, given: OpenCall): boolean {
  if (given.id !== '' && open.id !== '') return given.id !== open.id;
  if (given.name === '' || open.name === '') return false;
  return given.name !== open.name || isWhole(open.json);
}

function isWhole(json: string): boolean {
  return json !== '' && parseToolInput(json).unparsedInput === null;
}

/** Arguments that come as an object instead of its text. */
function jsonOf(given: unknown): string {
  if (typeof given === 'string') return given;
  return given === null || given === undefined ? '' : JSON.stringify(given);
}
