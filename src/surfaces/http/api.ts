/** The REST interface: one route for every tool that declares one. */
import type Router from '@koa/router';
import type { Context } from 'koa';
import type { Actor } from '../../core/actor.ts';
import type { ChartRenderer } from '../../core/chart.ts';
import { AppError } from '../../core/errors.ts';
import type { Invoke } from '../../core/invoke.ts';
import { hasRole, leastRole } from '../../core/policy.ts';
import type { AnyTool, HttpRoute } from '../../core/tool.ts';
import type { RateLimit } from './rateLimit.ts';
import { createRouter } from './router.ts';
import { TABLE_TYPES, type TableType, writeTable } from './table.ts';

interface ApiOptions {
  tools: readonly AnyTool[];
  invoke: Invoke;
  charts: ChartRenderer;
  authenticate(ctx: Context): Promise<Actor>;
  rateLimit: RateLimit;
}

export function apiRoutes({ tools, invoke, charts, authenticate, rateLimit }: ApiOptions): Router {
  const router = createRouter();
  for (const tool of tools) {
    const { http } = tool;
    if (!http || tool.hiddenFrom?.includes('rest')) continue;
    router.register(http.path, [http.method], async (ctx: Context) => {
      const actor = await authenticate(ctx);
      rateLimit.take(actor.id);
      const gone = new AbortController();
      ctx.res.once('close', () => gone.abort());
      const { output, chart } = await invoke(tool.name, rawInput(ctx, tool, http, actor), actor, {
        signal: gone.signal,
      });
      ctx.status = http.status ?? 200;
      if (tool.chart && ctx.accepts('application/json', 'image/png') === 'image/png') {
        if (!chart) throw new AppError('not_found', 'There is nothing to draw yet.');
        ctx.type = 'image/png';
        ctx.set('Content-Disposition', 'inline');
        ctx.body = Buffer.from(await charts.png(chart));
      } else if (tool.rows && wantedTable(ctx)) {
        const type = wantedTable(ctx) as TableType;
        ctx.type = type;
        ctx.body = writeTable(tool.rows(output), type);
      } else {
        ctx.body = output;
      }
    });
  }
  return router;
}

/** JSON unless one of the table types is preferred. */
function wantedTable(ctx: Context): TableType | undefined {
  const preferred = ctx.accepts('application/json', ...TABLE_TYPES);
  return TABLE_TYPES.find((type) => type === preferred);
}

/**
 * Query, body and path as one input; the path takes precedence, since it is what was asked for. What changes something
 * is not taken from the address, which any link can hold and every proxy logs, but for the fields its route names.
 *
 * @throws AppError `invalid` for a body that is no JSON object and for query fields that belong into it
 */
function rawInput(ctx: Context, tool: AnyTool, { method, query }: HttpRoute, actor: Actor): Record<string, unknown> {
  const body = (ctx.request as { body?: unknown }).body ?? {};
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new AppError('invalid', 'The body must be a JSON object.');
  }
  const misplaced = method === 'GET' ? [] : Object.keys(ctx.query).filter((name) => !query?.includes(name));
  // Whoever may not call a tool is refused for that, and not taught how to call it.
  if (misplaced.length > 0 && hasRole(actor, leastRole(tool))) {
    const fields = misplaced.map((name) => ({ field: name, problem: 'belongs in the JSON body, not in the address' }));
    throw new AppError('invalid', `Send ${misplaced.join(', ')} in a JSON body, not in the address.`, { fields });
  }
  return { ...ctx.query, ...body, ...(ctx as { params?: Record<string, string> }).params };
}
