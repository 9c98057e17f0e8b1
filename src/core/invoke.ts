/** The gate: every call of every face goes find → parse → authorise → approve → run → check output → audit here. */
import { z } from 'zod';
import type { Actor } from './actor.ts';
import { canonicalJson } from './canonicalJson.ts';
import type { ChartSpec } from './chart.ts';
import { AppError } from './errors.ts';
import { judge } from './policy.ts';
import type { Ports } from './ports.ts';
import type { AnyTool } from './tool.ts';

export interface InvokeOptions {
  signal?: AbortSignal;
  progress?(share: number, message: string): void;
  /** Asks the human behind the face; false or absent means no. */
  confirm?(question: string): Promise<boolean>;
}

export interface Answer {
  output: Record<string, unknown>;
  text: string;
  chart: ChartSpec | null;
}

/** The whole seam between faces and core. Rejects with AppError for what the caller can mend; anything else is a bug. */
export type Invoke = (name: string, raw: unknown, actor: Actor, options?: InvokeOptions) => Promise<Answer>;

export function createInvoke(tools: readonly AnyTool[], ports: Ports): Invoke {
  const byName = new Map(tools.map((tool) => [tool.name, tool]));

  return async function invoke(name, raw, actor, options = {}) {
    const tool = byName.get(name);
    if (!tool || tool.hiddenFrom?.includes(actor.via))
      throw new AppError('not_found', `There is no tool named ${name}.`);
    const started = performance.now();
    let outcome: 'ok' | 'denied' | 'failed' = 'failed';
    let failure: unknown = null;
    let input: Record<string, unknown> = {};
    try {
      const parsed = tool.input.safeParse(raw ?? {});
      if (parsed.success) input = parsed.data;
      // The role comes before the input's mistakes: whoever may not call a tool is not taught how to.
      outcome = 'denied';
      requireRole(tool, actor);
      outcome = 'failed';
      if (!parsed.success) throw badInput(tool, parsed.error);
      outcome = 'denied';
      await requireApproval(tool, input, actor, options);
      outcome = 'failed';
      const raised = await tool.run(input, {
        ports,
        actor,
        now: ports.clock.now(),
        signal: options.signal ?? new AbortController().signal,
        progress: options.progress ?? (() => {}),
      });
      const output = tool.output.parse(raised) as Record<string, unknown>;
      outcome = 'ok';
      return { output, text: tool.summary(output), chart: tool.chart?.(output) ?? null };
    } catch (error) {
      failure = error;
      throw error;
    } finally {
      const durationMs = performance.now() - started;
      ports.metrics.toolCalled(tool.name, actor.via, outcome, durationMs / 1000);
      if (tool.effect !== 'read' && !(tool.selfRecording && outcome === 'ok'))
        await audit(tool, input, actor, outcome, failure, durationMs);
    }
  };

  async function audit(
    tool: AnyTool,
    input: Record<string, unknown>,
    actor: Actor,
    outcome: 'ok' | 'denied' | 'failed',
    failure: unknown,
    durationMs: number,
  ): Promise<void> {
    const subject = input.hostname ?? input.alert_id ?? input.run_id ?? input.approval_id ?? null;
    await ports.store.audit
      .append({
        at: ports.clock.now(),
        actor: actor.id,
        actorKind: actor.kind,
        via: actor.via,
        role: actor.role,
        tool: tool.name,
        inputDigest: ports.tokens.digest(canonicalJson(input)),
        subject: subject === null ? null : String(subject),
        outcome,
        error: failure instanceof AppError ? `${failure.kind}: ${failure.message}` : failure ? 'internal error' : null,
        durationMs: Math.round(durationMs),
      })
      // The write itself is done or refused already; losing its audit line must be loud, not a second failure.
      .catch((error: unknown) => ports.log.error({ err: error, tool: tool.name, actor: actor.id }, 'audit line lost'));
  }
}

function badInput(tool: AnyTool, error: z.ZodError): AppError {
  const fields = error.issues.map((issue) => ({
    field: issue.path.join('.') || '(body)',
    problem: issue.message,
  }));
  const words = fields.map(({ field, problem }) => `${field}: ${problem}`).join('; ');
  return new AppError('invalid', `${tool.name} cannot be done with this input. ${words}`, { fields });
}

function requireRole(tool: AnyTool, actor: Actor): void {
  const verdict = judge(tool, actor);
  if (verdict.decision === 'deny') throw new AppError('denied', verdict.reason);
}

async function requireApproval(
  tool: AnyTool,
  input: Record<string, unknown>,
  actor: Actor,
  options: InvokeOptions,
): Promise<void> {
  if (judge(tool, actor).decision === 'allow') return;
  const question = `${actor.name} asks for ${tool.title} with ${JSON.stringify(input)}. Allow it?`;
  if (await options.confirm?.(question)) return;
  throw new AppError(
    'denied',
    `${tool.name} needs a human's yes, and none was given; nothing was done. A person can do it with: ${tool.command?.example ?? tool.name}`,
  );
}

/** The JSON Schema of a tool's input or output, as MCP, OpenAPI and model providers want it. */
export function jsonSchema(schema: z.ZodObject, io: 'input' | 'output'): Record<string, unknown> {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, {
    io,
    unrepresentable: 'any',
    override: ({ jsonSchema }) => dropNoise(jsonSchema),
  });
  return rest;
}

/** What zod adds and no reader needs; models pay for every character, and the patterns of formats alone doubled the size. */
function dropNoise(schema: z.core.JSONSchema.BaseSchema): void {
  if (schema.format) delete schema.pattern;
  if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum;
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum;
  if (schema.propertyNames && Object.keys(schema.propertyNames).join() === 'type') delete schema.propertyNames;
}
