/** A run as it goes, by server-sent events: what is stored already, then every change, until it ends. */
import { PassThrough } from 'node:stream';
import type Router from '@koa/router';
import type { Context } from 'koa';
import type { Actor } from '../../core/actor.ts';
import { AppError } from '../../core/errors.ts';
import type { Invoke } from '../../core/invoke.ts';
import { isSettled, type PlannerCall } from '../../core/planner/plannerState.ts';
import type { Log } from '../../core/ports/ports.ts';
import type { RunEvents } from '../../core/ports/runPorts.ts';
import type { AnyTool } from '../../core/tool.ts';
import { isFinished, type RunStatus } from '../../domain/run.ts';
import { createRouter } from './router.ts';

interface RunEventsOptions {
  tools: readonly AnyTool[];
  invoke: Invoke;
  events: RunEvents;
  authenticate(ctx: Context): Promise<Actor>;
  log: Log;
}

/** Changes of runs in other processes are seen this late; milliseconds. */
const POLL_EVERY_MS = 1000;
/** Proxies cut connections that are silent for about a minute. */
const HEARTBEAT_MS = 15_000;

type Json = Record<string, unknown>;

/**
 * `step` is sent whenever a step changed, and once with its number as id when nothing in it can change any more; `status`
 * when the run moved; `text` as the model writes, `withdrawn` when its text since the last step is void; `end` with the whole run. Whoever comes back with Last-Event-ID gets the
 * steps after it, and after `end` a 204, which tells browsers to stay away.
 */
export function runEventRoutes({ tools, ...options }: RunEventsOptions): Router {
  const router = createRouter();
  for (const { name, http, shows } of tools) {
    if (http?.events) router.get(`${http.path}/events`, streamOf(name, shows?.by ?? '', options));
  }
  return router;
}

/** @param idField the field of the tool's input that names the run */
function streamOf(
  tool: string,
  idField: string,
  { invoke, events, authenticate, log }: Omit<RunEventsOptions, 'tools'>,
) {
  return async (ctx: Context): Promise<void> => {
    const actor = await authenticate(ctx);
    const runId = (ctx as { params?: Record<string, string> }).params?.[idField] ?? '';
    const read = async (): Promise<Json> => (await invoke(tool, { [idField]: runId }, actor)).output;
    await read(); // a run that does not exist is a 404, not a stream
    const lastId = ctx.get('Last-Event-ID');
    if (lastId === 'end') {
      ctx.status = 204;
      return;
    }
    const stream = new PassThrough();
    ctx.set({ 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no' });
    ctx.body = stream;
    const gone = new AbortController();
    ctx.res.once('close', () => gone.abort());
    void streamEvents(stream, { read, events, runId, after: Number(lastId) || 0, signal: gone.signal })
      .catch((error: unknown) => {
        if (!(error instanceof AppError)) log.error({ err: error, run_id: runId }, 'a stream of run events broke');
      })
      .finally(() => stream.end());
  };
}

interface StreamOptions {
  read(): Promise<Json>;
  events: RunEvents;
  runId: string;
  /** The last step that the client has whole. */
  after: number;
  signal: AbortSignal;
}

async function streamEvents(stream: PassThrough, { read, events, runId, after, signal }: StreamOptions): Promise<void> {
  const send = (event: string, data: unknown, id?: string) => {
    stream.write(`event: ${event}\n${id === undefined ? '' : `id: ${id}\n`}data: ${JSON.stringify(data)}\n\n`);
  };
  let wake = Promise.withResolvers<void>();
  const unsubscribe = events.subscribe(runId, (event) => {
    if (event.type === 'text') send('text', { delta: event.delta });
    else if (event.type === 'withdrawn') send('withdrawn', {});
    else wake.resolve();
  });
  const looking = setInterval(() => wake.resolve(), POLL_EVERY_MS);
  const beating = setInterval(() => stream.write(': still here\n\n'), HEARTBEAT_MS);
  signal.addEventListener('abort', () => wake.resolve());
  try {
    let status: unknown = null;
    const sent = new Map<number, string>();
    for (;;) {
      wake = Promise.withResolvers<void>();
      const run = await read();
      if (signal.aborted) return;
      const ended = isFinished(run.status as RunStatus);
      for (const [index, step] of (run.steps as Json[]).entries()) {
        const number = index + 1;
        const text = JSON.stringify(step);
        if (number <= after || sent.get(number) === text) continue;
        sent.set(number, text);
        send('step', step, ended || isWhole(step) ? String(number) : undefined);
      }
      if (run.status !== status) send('status', { run_id: runId, status: run.status });
      status = run.status;
      if (ended) return send('end', run, 'end');
      await wake.promise;
    }
  } finally {
    unsubscribe();
    clearInterval(looking);
    clearInterval(beating);
  }
}

/** A step with calls is over when they are; one without is an answer, which may yet be repaired. */
function isWhole({ calls }: Json): boolean {
  return (
    Array.isArray(calls) && calls.length > 0 && calls.every((call: Pick<PlannerCall, 'status'>) => isSettled(call))
  );
}
