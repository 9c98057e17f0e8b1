/** Questions to the person in front of a client that asks and answers in two requests: which are open, and what was answered. */
import { createHash, randomBytes } from 'node:crypto';
import {
  CLIENT_CAPABILITIES_META_KEY,
  type ClientCapabilities,
  type InputRequiredResult,
  inputRequired,
  inputResponse,
  type ServerContext,
} from '@modelcontextprotocol/server';
import { LRUCache } from 'lru-cache';
import { canonicalJson } from '../../src/core/canonicalJson.ts';
import type { InvokeOptions } from '../../src/core/invoke.ts';
import { decisionOf, questionForm } from '../confirmation.ts';

/** How long a person may think about a question; silence then decides nothing. */
const ANSWERED_WITHIN_MS = 5 * 60_000;

/** Questions that wait at once, of all clients together; the oldest is asked once more when there are more. */
const MOST_OPEN = 10_000;

/** Under which name a question goes out and its answer comes back. */
const QUESTION = 'confirm';

/** One call, as far as questions about it go. */
interface Exchange {
  /** Undefined when the client has no way to show a question. */
  confirm: InvokeOptions['confirm'];
  /** What the client is answered instead of a result when a question was put and has no answer yet; null when none was. */
  pending(): InputRequiredResult | null;
}

export interface Questions {
  /** Throws on a state that no open question has: the protocol wants what was not issued, or is over, refused. */
  verify(state: string): void;
  about(context: ServerContext, actorId: string, tool: string, given: unknown): Exchange;
}

/**
 * An answer counts once, for exactly the question that was put, about exactly this call, from whoever was asked; an answer to a
 * question that nobody put decides nothing.
 */
export function createQuestions(): Questions {
  const open = new LRUCache<string, string>({ max: MOST_OPEN, ttl: ANSWERED_WITHIN_MS });

  return {
    verify(state) {
      if (!open.has(state)) throw new Error('an answer came to no open question');
    },
    about(context, actorId, tool, given) {
      let unanswered: { question: string; about: string } | null = null;
      const canAsk = showsForms(context);
      return {
        confirm: canAsk
          ? async (question) => {
              const about = digest([actorId, tool, given ?? {}, question]);
              const reply = inputResponse(context.mcpReq.inputResponses, QUESTION);
              if (reply.kind === 'elicit' && isAnswerTo(about, context.mcpReq.requestState<string>())) {
                return decisionOf(reply);
              }
              unanswered = { question, about };
              return null;
            }
          : undefined,
        pending() {
          if (unanswered === null) return null;
          const requestState = randomBytes(24).toString('base64url');
          open.set(requestState, unanswered.about);
          const { mode: _form, ...form } = questionForm(unanswered.question);
          return inputRequired({ inputRequests: { [QUESTION]: inputRequired.elicit(form) }, requestState });
        },
      };
    },
  };

  function isAnswerTo(about: string, state: unknown): boolean {
    if (typeof state !== 'string' || open.get(state) !== about) return false;
    open.delete(state);
    return true;
  }
}

/** A client that says no more than that it can ask shows forms. */
function showsForms({ mcpReq: { envelope } }: ServerContext): boolean {
  const declared = (envelope as Record<string, unknown> | undefined)?.[CLIENT_CAPABILITIES_META_KEY];
  const elicitation = (declared as ClientCapabilities | undefined)?.elicitation;
  return elicitation !== undefined && (elicitation.form !== undefined || elicitation.url === undefined);
}

function digest(parts: readonly unknown[]): string {
  return createHash('sha256').update(canonicalJson(parts)).digest('base64');
}
