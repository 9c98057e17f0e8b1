/** The revision 2026-07-28 over HTTP: each request stands for itself, and those who subscribe hold a stream open. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { type AuthInfo, classifyInboundRequest, createMcpHandler, type Server } from '@modelcontextprotocol/server';
import type { Actor } from '../../src/core/actor.ts';
import type { Log } from '../../src/core/ports/ports.ts';
import type { Changes } from '../../src/core/processes/changes.ts';
import { withLooseArguments } from '../lenientArguments.ts';
import type { McpView } from '../view.ts';
import { changeEvents } from './changeEvents.ts';
import { createQuestions, type Questions } from './questions.ts';

export interface ModernHttpOptions {
  createServer(actor: Actor, view: McpView, questions: Questions): Server;
  changes: Changes;
  log: Log;
}

interface Caller {
  actor: Actor;
  view: McpView;
}

interface ModernHttp {
  /** Whether the header names a revision without sessions. */
  isNamedBy(request: IncomingMessage): boolean;
  /** Whether a request is one of this revision, a faulty one included: it is answered here. */
  isFor(request: IncomingMessage, body: unknown): boolean;
  serve(request: IncomingMessage, response: ServerResponse, body: unknown, caller: Caller): Promise<void>;
  close(): Promise<void>;
}

/** The revision that ended sessions; revisions are dates and compare as text. */
const FIRST_WITHOUT_SESSIONS = '2026-07-28';
const MOST_STREAMS = 200;
/** One key never holds more than half. */
const MOST_STREAMS_OF_ONE_KEY = MOST_STREAMS / 2;

export function createModernHttp({ createServer, changes, log }: ModernHttpOptions): ModernHttp {
  const questions = createQuestions();
  /** Who makes a request, by what stands for the caller while it is served. */
  const callers = new WeakMap<AuthInfo, Caller>();
  const streams = new Map<string, number>();
  const onerror = (error: Error) => log.debug({ err: error }, 'MCP protocol error');
  const handler = createMcpHandler(
    ({ authInfo }) => {
      const caller = authInfo && callers.get(authInfo);
      if (!caller) throw new Error('a request without a caller reached the MCP handler');
      return createServer(caller.actor, caller.view, questions);
    },
    { legacy: 'reject', bus: changeEvents(changes), maxSubscriptions: MOST_STREAMS, onerror },
  );

  return {
    isNamedBy: ({ headers }) => String(headers['mcp-protocol-version'] ?? '') >= FIRST_WITHOUT_SESSIONS,

    isFor({ headers, method = '' }, body) {
      const { kind } = classifyInboundRequest({
        httpMethod: method,
        protocolVersionHeader: textOf(headers['mcp-protocol-version']),
        mcpMethodHeader: textOf(headers['mcp-method']),
        mcpNameHeader: textOf(headers['mcp-name']),
        body,
      });
      return kind !== 'legacy';
    },

    async serve(request, response, body, caller) {
      const key = caller.actor.id;
      if (isSubscription(body)) {
        const held = streams.get(key) ?? 0;
        if (held >= MOST_STREAMS_OF_ONE_KEY) return refuseStream(response, body);
        streams.set(key, held + 1);
        response.once('close', () => {
          const left = (streams.get(key) ?? 1) - 1;
          if (left > 0) streams.set(key, left);
          else streams.delete(key);
        });
      }
      const authInfo: AuthInfo = { token: '', clientId: key, scopes: [] };
      callers.set(authInfo, caller);
      const serve = toNodeHandler(
        { fetch: (web, how) => handler.fetch(web, { ...how, authInfo }) },
        { onerror: (error) => log.error({ err: error }, 'unexpected error in the MCP handler') },
      );
      await serve(request, response, isObject(body) ? withLooseArguments(body) : body);
    },

    close: () => handler.close(),
  };
}

function refuseStream(response: ServerResponse, body: object): void {
  const error = { code: -32603, message: `This key holds ${MOST_STREAMS_OF_ONE_KEY} subscriptions. End one first.` };
  response.writeHead(503, { 'Content-Type': 'application/json', 'Retry-After': '60' });
  response.end(JSON.stringify({ jsonrpc: '2.0', id: 'id' in body ? body.id : null, error }));
}

function isSubscription(body: unknown): body is object {
  return isObject(body) && 'method' in body && body.method === 'subscriptions/listen';
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function textOf(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header.join(', ') : header;
}
