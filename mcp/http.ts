/** MCP over Streamable HTTP: origin and key checks, the way to the revision that a client speaks, and a bounded number of sessions for those up to 2025-11-25. */
import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { type Actor, readOnly } from '../src/core/actor.ts';
import { AppError } from '../src/core/errors.ts';
import type { Clock, Log } from '../src/core/ports/ports.ts';
import { createModernHttp, type ModernHttpOptions } from './modern/http.ts';
import { readBody, UnreadableBody } from './modern/readBody.ts';
import { type McpView, readView } from './view.ts';

export interface McpHttpOptions {
  /** A server for a session, of the revisions up to 2025-11-25. */
  createServer(actor: Actor, view: McpView): Server;
  /** A server for one request of the revision 2026-07-28. */
  createModernServer: ModernHttpOptions['createServer'];
  changes: ModernHttpOptions['changes'];
  /** The toolsets of clients that ask for none. */
  toolsets: McpView['toolsets'];
  /** Rejects with AppError `unauthenticated` when the key is missing or wrong. */
  authenticate(headers: IncomingHttpHeaders): Promise<Actor>;
  /** Where clients find who signs people in; null where only keys are known. */
  metadataUrl?: string | null;
  /** Web origins beyond this machine's own whose pages may call (`https://inspector.example.com`). */
  allowedOrigins: readonly string[];
  clock: Clock;
  log: Log;
  /** Most sessions kept at once; one owner has at most half of them. */
  maxSessions?: number;
}

export interface McpHttp {
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>;
  /** Ends every session. */
  close(): Promise<void>;
}

interface McpSession {
  transport: StreamableHTTPServerTransport;
  server: Server;
  /** Who opened it, and through which interface; nobody else may use it. */
  owner: string;
  /** The same key, whatever it opens: what one may have is counted by it. */
  keyId: string;
  /** Requests and streams under way. */
  open: number;
  /** Calls under way: a session that has any is not ended to make room. A stream that only listens can be opened again. */
  calls: number;
  usedAt: number;
}

const PATH = '/mcp';
/** The same tools for a client that must not change anything, whatever its key allows. */
const READ_ONLY_PATH = '/mcp/read-only';

const MAX_SESSIONS = 200;
const IDLE_MS = 30 * 60_000;
const BODY_LIMIT_BYTES = 1024 * 1024;
const LOOPBACK_ORIGIN = /^https?:\/\/(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i;

/** JSON-RPC codes that the specification leaves to servers; -32001 is what clients know as "session not found". */
const SESSION_NOT_FOUND = -32001;
const REFUSED = -32000;

export function createMcpHttp(options: McpHttpOptions): McpHttp {
  const { createServer, clock, log, maxSessions = MAX_SESSIONS } = options;
  const modern = createModernHttp({ createServer: options.createModernServer, changes: options.changes, log });
  const maxOfOneKey = Math.max(1, Math.floor(maxSessions / 2));
  /** In order of last use, the least recently used first. */
  const sessions = new Map<string, McpSession>();

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      if (!admitOrigin(request, response, options.allowedOrigins)) return;
      const [path, query] = (request.url ?? '').split('?');
      if (path !== PATH && path !== READ_ONLY_PATH) {
        return refuse(response, 404, REFUSED, `There is nothing at ${path}; MCP is at ${PATH} and ${READ_ONLY_PATH}.`);
      }
      const caller = await options.authenticate(request.headers);
      const actor: Actor = path === READ_ONLY_PATH ? readOnly(caller) : caller;
      const view = readView(new URLSearchParams(query), options.toolsets);
      const id = request.headers['mcp-session-id'];
      let body: unknown;
      // Sessions ended with the revision of 2025-11-25; what belongs to none tells its revision in its body.
      if (request.method === 'POST' && (id === undefined || modern.isNamedBy(request))) {
        body = await readBody(request, BODY_LIMIT_BYTES);
        if (modern.isFor(request, body)) return await modern.serve(request, response, body, { actor, view });
      }
      const session =
        typeof id === 'string' ? find(id, ownerOf(actor)) : await open(actor, view, onlyWantsJson(request));
      if (session) await serve(session, request, response, body);
      else if (id) refuse(response, 404, SESSION_NOT_FOUND, 'This session has ended. Initialize a new one.');
      else {
        response.setHeader('Retry-After', '1');
        refuse(response, 503, REFUSED, 'All sessions have calls under way. Try again when one has ended.');
      }
    } catch (error) {
      if (error instanceof AppError && error.kind === 'unauthenticated') {
        response.setHeader(
          'WWW-Authenticate',
          challenge(options.metadataUrl, request.headers.authorization && 'invalid_token'),
        );
        return refuse(response, 401, REFUSED, error.message);
      }
      if (error instanceof AppError && error.kind === 'denied') {
        response.setHeader('WWW-Authenticate', challenge(options.metadataUrl, 'insufficient_scope'));
        return refuse(response, 403, REFUSED, error.message);
      }
      if (error instanceof UnreadableBody) return refuse(response, error.status, error.code, error.message);
      if (error instanceof AppError && error.kind === 'invalid') return refuse(response, 400, REFUSED, error.message);
      if (error instanceof AppError && error.kind === 'unavailable') {
        response.setHeader('Retry-After', '1');
        return refuse(response, 503, REFUSED, error.message);
      }
      log.error({ err: error, path: request.url }, 'unexpected error in the MCP listener');
      refuse(response, 500, REFUSED, 'An internal error; the log has it.');
    }
  }

  /** @param body what was read of the request already */
  async function serve(session: McpSession, request: IncomingMessage, response: ServerResponse, body: unknown) {
    const calls = request.method === 'POST' ? 1 : 0;
    session.open++;
    session.calls += calls;
    response.once('close', () => {
      session.open--;
      session.calls -= calls;
      touch(session);
    });
    if (request.method === 'POST') acceptBoth(request);
    await session.transport.handleRequest(request, response, body);
    // Anything but a successful initialization opens no session, so nothing may keep this one alive.
    if (!session.transport.sessionId) await session.server.close();
  }

  function find(id: string, owner: string): McpSession | null {
    const session = sessions.get(id);
    // Somebody else's session is answered like one that never was: its id must not be worth guessing.
    if (!session || session.owner !== owner) return null;
    touch(session);
    return session;
  }

  /** Null when nothing can make room. */
  async function open(actor: Actor, view: McpView, enableJsonResponse: boolean): Promise<McpSession | null> {
    if (roomFor(actor.id) === 'none') return null;
    const server = createServer(actor, view);
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      maxRequestBodySize: BODY_LIMIT_BYTES,
      enableJsonResponse,
      onsessioninitialized: async (id) => {
        await makeRoom(actor.id);
        sessions.set(id, session);
      },
    });
    const session: McpSession = {
      transport,
      server,
      owner: ownerOf(actor),
      keyId: actor.id,
      open: 0,
      calls: 0,
      usedAt: clock.now().getTime(),
    };
    server.onclose = () => {
      if (transport.sessionId) sessions.delete(transport.sessionId);
    };
    await server.connect(transport);
    return session;
  }

  /** Only called for a client that has introduced itself properly, so that a stray request ends nobody's session. */
  async function makeRoom(keyId: string): Promise<void> {
    const idleSince = clock.now().getTime() - IDLE_MS;
    for (const { server } of [...sessions.values()].filter(({ open, usedAt }) => open === 0 && usedAt < idleSince)) {
      await server.close();
    }
    const room = roomFor(keyId);
    if (typeof room === 'object') await room.server.close();
  }

  /**
   * The session that has to end for one more of this key: the least recently used of the key itself when it has its share, of
   * whichever key has most when all are taken, so that nobody is locked out by what others hold open.
   */
  function roomFor(keyId: string): McpSession | 'free' | 'none' {
    const byKey = Map.groupBy(sessions.values(), (session) => session.keyId);
    if ((byKey.get(keyId)?.length ?? 0) >= maxOfOneKey) return leastRecent(byKey.get(keyId)) ?? 'none';
    if (sessions.size < maxSessions) return 'free';
    const largestFirst = [...byKey.values()].sort((a, b) => b.length - a.length);
    return largestFirst.map(leastRecent).find((found) => found !== undefined) ?? 'none';
  }

  function touch(session: McpSession): void {
    const id = session.transport.sessionId;
    if (!id || !sessions.delete(id)) return;
    session.usedAt = clock.now().getTime();
    sessions.set(id, session);
  }

  return {
    handle,
    async close() {
      await Promise.all([modern.close(), ...[...sessions.values()].map(({ server }) => server.close())]);
    },
  };
}

/** One that nothing uses, else one that only listens. */
function leastRecent(sessions: readonly McpSession[] = []): McpSession | undefined {
  return sessions.find(({ open }) => open === 0) ?? sessions.find(({ calls }) => calls === 0);
}

/** A client that does not name event streams (`application/json`, any type, nothing at all) is answered in plain JSON. */
function onlyWantsJson({ headers }: IncomingMessage): boolean {
  return !(headers.accept ?? '').toLowerCase().includes('text/event-stream');
}

/** The protocol asks clients to accept both kinds of answer and its library refuses the rest; how to answer was decided before. */
function acceptBoth(request: IncomingMessage): void {
  const both = 'application/json, text/event-stream';
  request.headers.accept = both;
  const others = request.rawHeaders.flatMap((name, at, all) =>
    at % 2 === 0 && name.toLowerCase() !== 'accept' ? [name, all[at + 1] as string] : [],
  );
  request.rawHeaders.splice(0, request.rawHeaders.length, ...others, 'Accept', both);
}

function ownerOf(actor: Actor): string {
  return [actor.id, actor.role, JSON.stringify(actor.grants ?? null), ...(actor.readOnly ? ['read-only'] : [])].join(
    ' ',
  );
}

/**
 * A browser says on whose page a request was made; pages that are not this machine's own must be on the list, or any site
 * could reach a server that listens beside the browser. Programs send no origin and pass.
 * @returns false when the request has been answered here
 */
function admitOrigin(request: IncomingMessage, response: ServerResponse, allowed: readonly string[]): boolean {
  const { origin } = request.headers;
  if (origin === undefined) return true;
  if (!LOOPBACK_ORIGIN.test(origin) && !allowed.includes(origin)) {
    refuse(response, 403, REFUSED, 'This origin may not call MCP. An administrator can add it to MCP_ALLOWED_ORIGINS.');
    return false;
  }
  response.setHeader('Access-Control-Allow-Origin', origin);
  response.setHeader('Vary', 'Origin');
  response.setHeader('Access-Control-Expose-Headers', 'Mcp-Session-Id, WWW-Authenticate');
  if (request.method !== 'OPTIONS') return true;
  response.setHeader('Access-Control-Allow-Methods', 'GET, POST, DELETE');
  response.setHeader(
    'Access-Control-Allow-Headers',
    'Authorization, X-API-Key, Content-Type, Mcp-Session-Id, MCP-Protocol-Version, Mcp-Method, Mcp-Name, Last-Event-ID',
  );
  response.writeHead(204).end();
  return false;
}

/** What a client needs to get a token: where the metadata is, and what was wrong with the one it sent (RFC 6750, RFC 9728). */
function challenge(metadataUrl: string | null | undefined, error: string | undefined): string {
  const parts = [
    'realm="dexops"',
    ...(metadataUrl ? [`resource_metadata="${metadataUrl}"`, 'scope="read write approve"'] : []),
    ...(metadataUrl && error ? [`error="${error}"`] : []),
  ];
  return `Bearer ${parts.join(', ')}`;
}

function refuse(response: ServerResponse, status: number, code: number, message: string): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.writeHead(status, { 'Content-Type': 'application/json' });
  response.end(JSON.stringify({ jsonrpc: '2.0', error: { code, message }, id: null }));
}
