/** The invoker: every call of every interface goes find → parse → authorise → approve → run → check output → audit here. */
import { z } from 'zod';
import type { ApprovalDecision } from '../domain/healing/approval.ts';
import { type Actor, INTERFACES, type Interface, personBehind } from './actor.ts';
import { decideApproval, recordExecution, requestApproval, spendApproval } from './approvals.ts';
import { callTextFor, withNextCalls } from './callText.ts';
import { canonicalJson } from './canonicalJson.ts';
import { pathOfNul } from './characters.ts';
import type { ChartSpec } from './chart.ts';
import { badInput } from './commands/inputProblems.ts';
import { gathered } from './concurrency/gathered.ts';
import { AppError, orNoRoom } from './errors.ts';
import { actingWith, judge, type PolicyDecision, scopeOf, seenBy, summaryFor, withHighestRole } from './policy.ts';
import type { StoredApproval } from './ports/alertPorts.ts';
import type { Ports } from './ports/ports.ts';
import type { AuditEntry } from './ports/storePorts.ts';
import { type CardKind, pageAddress, type RelatedCall, type ToolCall } from './presentation.ts';
import { ANONYMOUS, withoutCaller, withoutMachine } from './privacy/auditEntry.ts';
import { requireExistence } from './scans/scanning.ts';
import type { Subject } from './subjects.ts';
import type { AnyTool, CallText } from './tool.ts';

export interface InvokeOptions {
  signal?: AbortSignal;
  progress?(share: number, message: string): void;
  /** Asks the human behind the interface; null when they gave no answer, which decides nothing. */
  confirm?(question: string): Promise<ApprovalDecision | null>;
  /** An approval that people gave to exactly this call; it is valid for one run. */
  approvalId?: string;
  /** An agent's profile, or people for this very call, allowed it already: the planner's tool policy checked that. */
  granted?: boolean;
}

export interface Answer {
  /** What was called, with the input as it was understood. */
  call: ToolCall;
  output: Record<string, unknown>;
  text: string;
  chart: ChartSpec | null;
  /** The kind of thing that is shown, where there are cards for it. */
  card: CardKind | null;
  /** The address of the page that shows it to a person; null without one. */
  page: string | null;
  related: readonly RelatedCall[];
  /** Id of the run in which the work goes on after this answer. */
  progress: string | null;
  followUp: ToolCall | null;
  illustration: ToolCall | null;
}

/** Lines of the audit trail written in one statement, of calls that end at the same time. */
const MOST_LINES_TOGETHER = 100;

/** The whole seam between interfaces and core. Rejects with AppError for what the caller can mend; anything else is a bug. */
export type Invoke = (name: string, raw: unknown, actor: Actor, options?: InvokeOptions) => Promise<Answer>;

export function createInvoke(tools: readonly AnyTool[], ports: Ports): Invoke {
  const byName = new Map(tools.map((tool) => [tool.name, tool]));
  const callTexts = Object.fromEntries(INTERFACES.map((via) => [via, callTextFor(tools, via)])) as Record<
    Interface,
    CallText
  >;
  const append = gathered<AuditEntry, null>(async (entries) => {
    await ports.store.audit.append(entries);
    return entries.map(() => null);
  }, MOST_LINES_TOGETHER);

  return async function invoke(name, raw, actor, options = {}) {
    const tool = byName.get(name);
    if (!tool || tool.hiddenFrom?.includes(actor.via))
      throw new AppError('not_found', `There is no tool named ${name}.`);
    const about = { 'dexops.tool': name, 'dexops.interface': actor.via, 'dexops.actor.kind': actor.kind };
    return ports.tracing.span(`tool ${name}`, about, () => call(tool, raw, withHighestRole(actor), options));
  };

  /** The error with the calls that help written for the caller's interface. */
  function inTermsOf(via: Interface, error: unknown): unknown {
    if (!(error instanceof AppError) || error.next.length === 0) return error;
    const message = withNextCalls(error.message, error.next, callTexts[via]);
    return new AppError(error.kind, message, error.details, { cause: error });
  }

  async function call(tool: AnyTool, raw: unknown, actor: Actor, options: InvokeOptions): Promise<Answer> {
    const started = performance.now();
    let outcome: 'ok' | 'denied' | 'failed' = 'failed';
    let failure: unknown = null;
    let input: Record<string, unknown> = {};
    let allowed: Allowed = { actor, approvalId: null };
    let text = '';
    let audited: Record<string, unknown> | null = null;
    const seen = seenBy(tool, actor, ports);
    try {
      const parsed = tool.input.safeParse(raw ?? {});
      if (parsed.success) input = parsed.data;
      // The role comes before the input's mistakes: whoever may not call a tool is not taught how to.
      outcome = 'denied';
      if (scopeOf(tool, actor) !== 'own') requirePermission(tool, actor, null);
      outcome = 'failed';
      if (!parsed.success) throw badInput(tool, parsed.error.issues);
      // Other systems cannot correct what they deliver: in their deliveries the store drops the character instead.
      const nulAt = actor.via === 'webhook' ? null : pathOfNul(input);
      if (nulAt !== null)
        throw badInput(tool, [
          { code: 'custom', path: [nulAt], message: 'must not hold a NUL character', input: null },
        ]);
      outcome = 'denied';
      const verdict = requirePermission(tool, actor, await subjectOf(seen, tool, input, actor));
      if (verdict.decision !== 'allow' && tool.subject) await requireExistence(seen, input);
      allowed = await authorise(seen, tool, verdict, input, actor, options);
      outcome = 'failed';
      const raised = await tool.run(input, {
        ports: seen,
        actor: actingWith(tool, allowed.actor),
        now: ports.clock.now(),
        signal: options.signal ?? new AbortController().signal,
        progress: options.progress ?? (() => {}),
      });
      const output = tool.output.parse(raised) as Record<string, unknown>;
      outcome = 'ok';
      audited = tool.auditedAs?.(output) ?? null;
      text = summaryFor(tool, actor, output, callTexts[actor.via]);
      return answerOf(tool, { tool: tool.name, input }, output, text, ports.settings.publicUrl);
    } catch (error) {
      failure = orNoRoom(error);
      throw inTermsOf(actor.via, failure);
    } finally {
      const durationMs = performance.now() - started;
      ports.metrics.toolCalled(tool.name, actor.via, outcome, durationMs / 1000);
      if (tool.effect !== 'read' && !(tool.selfRecording && outcome === 'ok'))
        await audit(tool, { ...input, ...audited }, allowed.actor, outcome, failure, durationMs);
      if (allowed.approvalId !== null) {
        const words = outcome === 'ok' ? text : failureText(failure);
        await recordExecution(ports, allowed.approvalId, outcome === 'ok' ? 'done' : 'failed', words);
      }
    }
  }

  async function audit(
    tool: AnyTool,
    input: Record<string, unknown>,
    actor: Actor,
    outcome: 'ok' | 'denied' | 'failed',
    failure: unknown,
    durationMs: number,
  ): Promise<void> {
    const subject = input.hostname ?? input.alert_id ?? input.run_id ?? input.approval_id ?? input.alert_name ?? null;
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
    const isNameless = tool.namesMachines === true && ports.privacy !== undefined;
    await append(tool.anonymous ? withoutCaller(entry) : isNameless ? withoutMachine(entry) : entry)
      // The write itself is done or refused already; losing its audit line must be loud, not a second failure.
      .catch((error: unknown) =>
        ports.log.error(
          { err: error, tool: tool.name, actor: tool.anonymous ? ANONYMOUS : actor.id },
          'audit line lost',
        ),
      );
  }
}

/** An answer with all that its tool says of it. @param at where people reach the service, empty when nobody said */
export function answerOf(tool: AnyTool, call: ToolCall, output: Answer['output'], text: string, at: string): Answer {
  return {
    call,
    output,
    text,
    chart: tool.chart?.(output) ?? null,
    card: tool.shows?.card ?? null,
    page: pageAddress(at, tool.page?.(output) ?? null),
    related: tool.related?.(output) ?? [],
    progress: tool.progress?.(output) ?? null,
    followUp: tool.followUp?.(output) ?? null,
    illustration: tool.illustration?.(output) ?? null,
  };
}

type Permission = Exclude<PolicyDecision, { decision: 'deny' }>;

/** What a call is about; not looked up where the actor may call the tool on everything. */
async function subjectOf(
  ports: Ports,
  tool: AnyTool,
  input: Record<string, unknown>,
  actor: Actor,
): Promise<Subject | null> {
  return scopeOf(tool, actor) === 'own' ? ((await tool.subject?.(input, ports, actor)) ?? null) : null;
}

function requirePermission(tool: AnyTool, actor: Actor, subject: Subject | null): Permission {
  const verdict = judge(tool, actor, subject);
  if (verdict.decision === 'deny') throw new AppError('denied', verdict.reason);
  return verdict;
}

/** Who the call is made as, and the approval that it uses up. */
interface Allowed {
  actor: Actor;
  approvalId: string | null;
}

async function authorise(
  ports: Ports,
  tool: AnyTool,
  decided: Permission,
  input: Record<string, unknown>,
  actor: Actor,
  options: InvokeOptions,
): Promise<Allowed> {
  switch (decided.decision) {
    case 'allow':
      return { actor, approvalId: null };
    case 'person': {
      const answer = await options.confirm?.(await questionOf(ports, tool, input, actor));
      if (answer === 'approve') return { actor: personBehind(actor), approvalId: null };
      const why = answer === 'deny' ? 'they answered no' : options.confirm ? 'nobody answered' : 'nobody can be asked';
      const instead = tool.command ? ' A person can do it in Slack or on the command line.' : '';
      throw new AppError('denied', `"${tool.title}" is for people only, and ${why}; nothing was done.${instead}`);
    }
    case 'approve':
      if (options.granted) return { actor, approvalId: null };
      if (options.approvalId === undefined) return askFor(ports, tool, input, actor, options);
      await spendApproval(ports, options.approvalId, tool.name, input);
      return { actor, approvalId: options.approvalId };
  }
}

/** Asks for an approval: from the person behind the interface at once where there is one, else of whoever may approve, to run later. */
async function askFor(
  ports: Ports,
  tool: AnyTool,
  input: Record<string, unknown>,
  actor: Actor,
  options: InvokeOptions,
): Promise<Allowed> {
  const question = await questionOf(ports, tool, input, actor);
  const asked =
    (await pendingTwin(ports, tool, input, actor)) ?? (await requestCall(ports, tool, input, actor, question));
  if (!options.confirm) throw waiting(asked, tool);
  const decision = await options.confirm(question);
  if (decision === null) throw waiting(asked, tool);
  const decided = await decideApproval(ports, asked.id, decision, null, personBehind(actor), { inline: true });
  if (decided.status === 'approved') return { actor, approvalId: asked.id };
  if (decided.status === 'pending') throw waiting(decided, tool);
  throw new AppError('denied', `"${tool.title}" needs a person's approval, and the answer was no; nothing was done.`, {
    approval_id: asked.id,
  });
}

/** A model that asks again for the same does not make a second request. */
async function pendingTwin(
  ports: Ports,
  tool: AnyTool,
  input: Record<string, unknown>,
  actor: Actor,
): Promise<StoredApproval | undefined> {
  const { items } = await ports.store.approvals.list({ status: 'pending', kind: 'tool' }, { limit: 1000, offset: 0 });
  const wanted = canonicalJson(input);
  return items.find(
    (approval) =>
      approval.tool === tool.name && approval.requester.id === actor.id && canonicalJson(approval.input) === wanted,
  );
}

async function requestCall(
  ports: Ports,
  tool: AnyTool,
  input: Record<string, unknown>,
  actor: Actor,
  question: string,
): Promise<StoredApproval> {
  const alertId = typeof input.alert_id === 'number' ? input.alert_id : null;
  const alert = alertId === null ? null : await ports.store.alerts.get(alertId);
  const hostname = typeof input.hostname === 'string' ? input.hostname : (alert?.hostname ?? null);
  return requestApproval(
    ports,
    {
      kind: 'tool',
      question,
      plan: { tool: tool.name, title: tool.title, input },
      tool: tool.name,
      input,
      hostname,
      alertId,
      subjectId: null,
    },
    actor,
  );
}

function waiting({ id, expiresAt, requiredApprovals, answers }: StoredApproval, tool: AnyTool): AppError {
  const more = requiredApprovals - answers.length;
  return new AppError(
    'denied',
    `"${tool.title}" waits for approval by ${more === 1 ? 'a person' : `${more} people`} and runs once it is given: approval ${id}, until ${expiresAt.toISOString()}. Nothing was done yet.`,
    { approval_id: id, status: 'pending', expires_at: expiresAt.toISOString() },
  );
}

async function questionOf(ports: Ports, tool: AnyTool, input: Record<string, unknown>, actor: Actor): Promise<string> {
  return (await tool.question?.(input, ports)) ?? `${actor.name} asks: ${tool.title} with ${JSON.stringify(input)}?`;
}

const failureText = (failure: unknown): string =>
  failure instanceof AppError ? failure.message : 'An internal error; the log has it.';

/** The JSON Schema of a tool's input or output, as MCP, OpenAPI and model providers want it. */
export function jsonSchema(schema: z.ZodObject, io: 'input' | 'output'): Record<string, unknown> {
  const override = ({ jsonSchema }: { jsonSchema: z.core.JSONSchema.BaseSchema }) => dropNoise(jsonSchema);
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any', override });
  return rest;
}

/** What zod adds and no reader needs; models pay for every character, and the patterns of formats alone doubled the size. */
function dropNoise(schema: z.core.JSONSchema.BaseSchema): void {
  delete schema.forPrograms;
  if (schema.format) delete schema.pattern;
  if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum;
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum;
  if (schema.propertyNames && Object.keys(schema.propertyNames).join() === 'type') delete schema.propertyNames;
}
