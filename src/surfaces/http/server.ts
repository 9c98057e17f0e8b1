/** The one HTTP listener: request ids, guards, body limits and the routers of every interface that speaks HTTP. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type Router from '@koa/router';
import Koa, { type Context, type Next } from 'koa';
import type { Log } from '../../core/ports/ports.ts';
import type { Tracing } from '../../core/tracing.ts';
import { openSockets } from './acceptors.ts';
import { answerErrors } from './errors.ts';
import { jsonBody } from './jsonBody.ts';
import { isBelow, type KnownHosts, onlyKnownHosts, onlyOwnPages } from './origin.ts';

// Not imported, for the reason that router.ts gives.
const { createServer } = process.getBuiltinModule('node:http');

/** Handlers that want the untouched request (signatures are made over raw bytes), by path prefix. */
type RawHandlers = Record<string, (request: IncomingMessage, response: ServerResponse) => void | Promise<void>>;

interface ServerOptions {
  log: Log;
  tracing: Tracing;
  /** Which Host headers are served: fewer while nobody has to show a key. */
  hosts: KnownHosts;
  /** PUBLIC_URL, whose pages are our own; empty without one. */
  publicUrl: string;
  raw: RawHandlers;
  /** Paths below which a handler checks itself which pages may call. */
  ownOriginChecks: string[];
  /** Paths below which a router reads the body itself, with limits of its own. */
  ownBodies: string[];
  routers: Router[];
}

export interface HttpServer {
  url: string;
  /** Refuses new connections and waits for requests under way. */
  close(): Promise<void>;
}

const BODY_LIMIT = '1mb';
/** The guide puts whole runbook pages into the address; Node's own limit of 16 KB would cut the connection on them. */
const HEADERS_LIMIT_BYTES = 256 * 1024;

/** By when a request must have arrived, so that a connection that sends nothing, garbage or drops ends within a minute; milliseconds. */
const ARRIVAL_LIMITS = { headersTimeout: 20_000, requestTimeout: 50_000, connectionsCheckingInterval: 5000 };

/** Node's 5 s are so short that clients which poll often meet a connection that is just being closed; milliseconds. */
const KEEP_ALIVE_MS = 30_000;

/** For a refused client to read why before its connection is cut, whether or not it closes its own side. */
const REFUSAL_MS = 1000;

export function createKoa(options: ServerOptions): Koa {
  const koa = new Koa();
  koa.silent = true;
  koa.use(identify(options.log));
  koa.use(trace(options.tracing));
  koa.use(answerErrors(options.log));
  koa.use(onlyKnownHosts(options.hosts, options.publicUrl));
  koa.use(onlyOwnPages({ publicUrl: options.publicUrl, exempt: options.ownOriginChecks }));
  koa.use(async (ctx, next) => {
    const handler = Object.entries(options.raw).find(([prefix]) => isBelow(ctx.path, prefix))?.[1];
    if (!handler) return next();
    ctx.respond = false;
    await handler(ctx.req, ctx.res);
  });
  const readBody = jsonBody({ limit: BODY_LIMIT, methods: ['POST', 'PUT', 'PATCH', 'DELETE'] });
  koa.use((ctx, next) =>
    options.ownBodies.some((prefix) => ctx.path.startsWith(`${prefix}/`)) ? next() : readBody(ctx, next),
  );
  for (const router of options.routers) koa.use(router.routes());
  return koa;
}

export async function listen(koa: Koa, host: string, port: number): Promise<HttpServer> {
  const server = createServer(
    { maxHeaderSize: HEADERS_LIMIT_BYTES, keepAliveTimeout: KEEP_ALIVE_MS, ...ARRIVAL_LIMITS },
    koa.callback(),
  );
  server.on('clientError', refuseUnreadable);
  const sockets = await openSockets(server, host, port);
  const shown = host === '0.0.0.0' || host === '::' ? 'localhost' : host;
  return {
    url: `http://${shown}:${sockets.port}`,
    async close() {
      await Promise.all([close(server), sockets.close()]);
    },
  };
}

/** What Node cannot read as HTTP reaches no router; it gets the same shape of answer. */
function refuseUnreadable(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const tooLarge = error.code === 'HPE_HEADER_OVERFLOW';
  const body = JSON.stringify({
    error: {
      kind: tooLarge ? 'too_large' : 'invalid',
      message: tooLarge
        ? `The address and headers have more than ${HEADERS_LIMIT_BYTES / 1024} KB: send large values in a JSON body.`
        : 'This is not HTTP as it should be.',
      request_id: randomUUID(),
    },
  });
  const status = tooLarge ? '431 Request Header Fields Too Large' : '400 Bad Request';
  setTimeout(() => socket.destroy(), REFUSAL_MS).unref();
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
    // Streams (MCP, server-sent events) never end by themselves.
    setTimeout(() => server.closeAllConnections(), 2000).unref();
  });
}

function identify(log: Log) {
  return async (ctx: Context, next: Next): Promise<void> => {
    const given = ctx.get('X-Request-Id');
    ctx.state.requestId = /^[\w.-]{1,64}$/.test(given) ? given : randomUUID();
    ctx.set('X-Request-Id', ctx.state.requestId);
    ctx.set('X-Content-Type-Options', 'nosniff');
    ctx.set('Referrer-Policy', 'no-referrer');
    ctx.set('X-Frame-Options', 'DENY');
    const started = performance.now();
    await next();
    const fields = {
      request_id: ctx.state.requestId,
      method: ctx.method,
      path: ctx.path,
      status: ctx.status,
      ms: Math.round(performance.now() - started),
    };
    if (isWatching(ctx)) log.debug(fields, 'request');
    else log.info(fields, 'request');
  };
}

/** A span for each request, below the caller's own if it names one; what watches the service itself stays out of it. */
function trace(tracing: Tracing) {
  return async (ctx: Context, next: Next): Promise<void> => {
    if (isWatching(ctx)) return next();
    const about = {
      'http.request.method': ctx.method,
      'url.path': ctx.path,
      'dexops.request_id': ctx.state.requestId as string,
    };
    await tracing.under(ctx.get('traceparent'), () =>
      tracing.span(
        ctx.method,
        about,
        async ({ add, rename }) => {
          await next();
          const route = (ctx as { _matchedRoute?: string })._matchedRoute ?? null;
          if (route !== null) rename(`${ctx.method} ${route}`);
          add({
            'http.route': route,
            'http.response.status_code': ctx.status,
            'error.type': ctx.status >= 500 ? String(ctx.status) : null,
          });
        },
        'server',
      ),
    );
  };
}

const isWatching = (ctx: Context) => ctx.path === '/health' || ctx.path === '/metrics';
