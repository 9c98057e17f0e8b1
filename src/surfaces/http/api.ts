/** The REST interface: one route for every tool that declares one. */
import type Router from '@koa/router';
import type { Context } from 'koa';
import type { Actor } from '../../core/actor.ts';
import type { ChartLook, ChartRenderer } from '../../core/chart.ts';
import { AppError } from '../../core/errors.ts';
import type { Invoke } from '../../core/invoke.ts';
import { hasRole, leastRole } from '../../core/policy.ts';
import type { AnyTool, HttpRoute } from '../../core/tool.ts';
import { isTimeZone } from '../../domain/time/localTime.ts';
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
        ctx.body = Buffer.from(await charts.png(chart, lookOf(ctx)));
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

/**
 * How a picture is wanted, said by fields of the address that are no input of the tool: `theme=dark`, `time_zone=Europe/Berlin`.
 *
 * @throws AppError `invalid` for a theme or a time zone that there is not
 */
function lookOf({ query: { theme, time_zone } }: Context): ChartLook {
  if (theme !== undefined && theme !== 'dark' && theme !== 'light')
    throw new AppError('invalid', 'theme must be dark or light.');
  if (time_zone !== undefined && (typeof time_zone !== 'string' || !isTimeZone(time_zone)))
    throw new AppError('invalid', 'time_zone must be the name of a time zone, as Europe/Berlin.');
  return { dark: theme === 'dark', timeZone: time_zone };
}

const LOOK_FIELDS = ['theme', 'time_zone'];

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
  const given = Object.entries(ctx.query).filter(([name]) => !(tool.chart && LOOK_FIELDS.includes(name)));
  return { ...Object.fromEntries(given), ...body, ...(ctx as { params?: Record<string, string> }).params };
}
