/** The gate: every call of every face goes find → parse → authorise → approve → run → check output → audit here. */
import { z } from 'zod';
import type { Actor } from './actor.ts';
import { canonicalJson } from './canonicalJson.ts';
import type { ChartSpec } from './chart.ts';
import { AppError } from './errors.ts';
import { judge } from './policy.ts';
import type { AuditEntry, Ports } from './ports.ts';
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
      input = parseInput(tool, raw);
      await authorise(tool, input, actor, options).catch((error: unknown) => {
        outcome = 'denied';
        throw error;
      });
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
      if (tool.effect !== 'read') await audit(tool, input, actor, outcome, failure, durationMs);
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
    const entry: AuditEntry = {
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
    };
    await ports.store.audit
      .append(tool.anonymous ? withoutCaller(entry) : entry)
      // The write itself is done or refused already; losing its audit line must be loud, not a second failure.
      .catch((error: unknown) =>
        ports.log.error(
          { err: error, tool: tool.name, actor: tool.anonymous ? ANONYMOUS : actor.id },
          'audit line lost',
        ),
      );
  }
}

const ANONYMOUS = 'anonymous';

/** Leaves nothing that leads to the caller or the input: a digest of few possible inputs can be guessed, a time be matched. */
function withoutCaller({ at, tool, outcome }: AuditEntry): AuditEntry {
  return {
    at: new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate())),
    actor: ANONYMOUS,
    actorKind: ANONYMOUS,
    via: ANONYMOUS,
    role: ANONYMOUS,
    tool,
    inputDigest: '',
    subject: null,
    outcome,
    error: null,
    durationMs: 0,
  };
}

function parseInput(tool: AnyTool, raw: unknown): Record<string, unknown> {
  const parsed = tool.input.safeParse(raw ?? {});
  if (parsed.success) return parsed.data;
  const fields = parsed.error.issues.map((issue) => ({
    field: issue.path.join('.') || '(body)',
    problem: issue.message,
  }));
  const words = fields.map(({ field, problem }) => `${field}: ${problem}`).join('; ');
  throw new AppError('invalid', `${tool.name} cannot be done with this input. ${words}`, { fields });
}

async function authorise(
  tool: AnyTool,
  input: Record<string, unknown>,
  actor: Actor,
  options: InvokeOptions,
): Promise<void> {
  const verdict = judge(tool, actor);
  if (verdict.decision === 'allow') return;
  if (verdict.decision === 'deny') throw new AppError('denied', verdict.reason);
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
