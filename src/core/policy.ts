/** Who may do what: role × kind of actor × effect × whose it is, as one table. */
import { type Selection, selectionText } from '../domain/fleet/selection.ts';
import type { Actor, Grant, Role } from './actor.ts';
import type { Ports } from './ports/ports.ts';
import type { DataScope } from './ports/storePorts.ts';
import { isOwn, type Subject } from './subjects.ts';
import type { AnyTool, CallText, Effect } from './tool.ts';

/** `person`: the person behind the caller has to do it, `approve`: somebody has to agree. */
export type PolicyDecision =
  | { decision: 'allow' }
  | { decision: 'person' }
  | { decision: 'approve' }
  | { decision: 'deny'; reason: string };

/** On what an actor may call a tool: on everything, on the machines of their selection, on what is their own, or on nothing. */
type Scope = 'everything' | 'selection' | 'own' | 'nothing';

type Rights = Pick<AnyTool, 'role' | 'effect' | 'reach' | 'ownerRole' | 'ownersOnly' | 'approversOnly' | 'subject'>;
type Caller = Pick<Actor, 'kind' | 'via' | 'role' | 'grants' | 'email' | 'approver' | 'readOnly'>;

const RANK: Record<Role, number> = { employee: 0, viewer: 1, operator: 2, admin: 3 };
const LEAST_ROLE: Record<Effect, Role> = { read: 'viewer', write: 'operator', destructive: 'operator' };

/** What an actor that is allowed the tool by role may do unasked, by its kind. */
const UNASKED: Record<Actor['kind'], readonly Effect[]> = {
  human: ['read', 'write', 'destructive'],
  model: ['read', 'write'],
  job: ['read', 'write'],
  system: ['read', 'write'],
};

export function leastRole(tool: Pick<AnyTool, 'role' | 'effect'>): Role {
  return tool.role ?? LEAST_ROLE[tool.effect];
}

/** Over MCP nothing but reading is for those below operators, so that a viewer's connection is a read-only one to its client. */
function requiredRole(role: Role, { effect }: Rights, { via }: Pick<Actor, 'via'>): Role {
  return via === 'mcp' && effect !== 'read' && RANK[role] < RANK.operator ? 'operator' : role;
}

/** Grants decide; the role beside them only says what is the most that they give. */
export function withHighestRole(actor: Actor): Actor {
  return actor.grants ? { ...actor, role: highestRole(actor.grants) } : actor;
}

/** The highest role that somebody has anywhere. */
export function highestRole(grants: readonly Grant[]): Role {
  return grants.reduce<Role>((highest, { role }) => (RANK[role] > RANK[highest] ? role : highest), 'employee');
}

export function hasRole(actor: Pick<Actor, 'role'>, role: Role): boolean {
  return RANK[actor.role] >= RANK[role];
}

/** Whether an actor may see the whole fleet. */
export function isStaff(actor: Pick<Actor, 'role'>): boolean {
  return hasRole(actor, 'viewer');
}

/** An answer as this actor reads it. */
export function summaryFor(
  tool: Pick<AnyTool, 'summary' | 'employeeSummary'>,
  actor: Pick<Actor, 'role'>,
  output: Record<string, unknown>,
  callText: CallText,
): string {
  return (isStaff(actor) ? null : tool.employeeSummary?.(output)) ?? tool.summary(output, callText);
}

/** Whether approvals are this actor's to answer: of approvers where the interface knows them, else of operators. */
export function mayApprove(actor: Pick<Actor, 'role' | 'approver'>): boolean {
  return actor.approver ?? hasRole(actor, 'operator');
}

/** The role that is enough for what is one's own: what a viewer reads of everything, everybody reads of their own. */
function ownRole({ ownerRole, effect, role, subject }: Rights): Role | undefined {
  return ownerRole ?? (effect === 'read' && role === undefined && subject ? 'employee' : undefined);
}

/** What an actor may call a tool on. */
export function scopeOf(tool: Rights, actor: Caller): Scope {
  if (actor.readOnly && tool.effect !== 'read') return 'nothing';
  if (tool.approversOnly && !mayApprove(actor)) return 'nothing';
  const enough = sufficientGrants(tool, actor);
  if (enough.some(({ within }) => within === null || tool.reach === 'shared')) return 'everything';
  if (enough.length > 0 && tool.reach === 'selection') return 'selection';
  return mayOnOwn(tool, actor) ? 'own' : 'nothing';
}

/** Those of an actor's roles that are enough for a tool, on something at least. */
function sufficientGrants(tool: Rights, actor: Caller): Grant[] {
  if (tool.ownersOnly) return [];
  const required = requiredRole(leastRole(tool), tool, actor);
  const grants = actor.grants ?? [{ role: actor.role, within: null }];
  return grants.filter((grant) => hasRole(grant, required));
}

function mayOnOwn(tool: Rights, actor: Caller): boolean {
  // Programs own nothing; an agent stands for the person whose address it carries.
  const canOwn = actor.kind === 'human' || actor.email !== undefined;
  const owner = ownRole(tool);
  return canOwn && owner !== undefined && hasRole(actor, requiredRole(owner, tool, actor));
}

/** What a call may read where the role of its actor does not hold for the whole fleet; null where it does. */
export function dataScopeOf(tool: Rights, actor: Actor): DataScope | null {
  const scope = scopeOf(tool, actor);
  if (scope !== 'selection' && !(scope === 'own' && actor.grants)) return null;
  const selection = scope === 'own' ? [] : sufficientGrants(tool, actor).flatMap(({ within }) => within ?? []);
  const ownerEmail = mayOnOwn(tool, actor) ? (actor.email?.toLowerCase() ?? null) : null;
  return { selection, ownerEmail, actorId: actor.id };
}

/** The ports by which a call reads whatever it reads: what lies outside its scope is as if it were not there. */
export function seenBy(tool: Rights, actor: Actor, ports: Ports): Ports {
  const scope = dataScopeOf(tool, actor);
  return scope === null ? ports : { ...ports, store: ports.store.within(scope) };
}

/** The actor as a tool may see them: with the least of the roles that let them call it, on whatever it meets. */
export function actingWith(tool: Rights, actor: Actor): Actor {
  if (!actor.grants) return actor;
  const enough = sufficientGrants(tool, actor);
  const counting = enough.some(({ within }) => within === null)
    ? enough.filter(({ within }) => within === null)
    : enough;
  const least = counting.reduce<Role | null>(
    (role, grant) => (role && RANK[role] < RANK[grant.role] ? role : grant.role),
    null,
  );
  return { ...actor, role: least ?? 'employee' };
}

/** Whether an interface offers a tool to an actor at all; what is not offered does not exist for the caller. */
export function offers(tool: AnyTool, actor: Caller): boolean {
  // A client of MCP may put a question to its person; nobody stands behind the others.
  if (tool.humansOnly && actor.kind !== 'human' && actor.via !== 'mcp') return false;
  return !tool.hiddenFrom?.includes(actor.via) && scopeOf(tool, actor) !== 'nothing';
}

/** Whether somebody who types a call is asked once more before it is made: it cannot be taken back, or reaches many. */
export function asksFirst(tool: Pick<AnyTool, 'effect' | 'reachesMany'>, input: Record<string, unknown>): boolean {
  return tool.effect === 'destructive' || (tool.reachesMany?.(input) ?? false);
}

/** @param subject what the call is about; needed only where the scope of this actor is not everything */
export function judge(tool: AnyTool, actor: Actor, subject: Subject | null): PolicyDecision {
  const scope = scopeOf(tool, actor);
  const isCovered =
    scope === 'everything' || scope === 'selection' || (scope === 'own' && subject !== null && isOwn(subject, actor));
  if (!isCovered) return { decision: 'deny', reason: refusal(tool, actor, scope) };
  if (tool.humansOnly && actor.kind !== 'human') return { decision: 'person' };
  // A model that plans by itself is not watched step by step, so even its writes wait for a human.
  const unasked = actor.via === 'planner' ? ['read'] : UNASKED[actor.kind];
  return { decision: unasked.includes(tool.effect) ? 'allow' : 'approve' };
}

function refusal(tool: AnyTool, actor: Actor, scope: Scope): string {
  if (actor.readOnly && tool.effect !== 'read')
    return `"${tool.title}" changes something, and this connection only reads: its address ends in /read-only, or its token lacks the scope write.`;
  if (tool.approversOnly && hasRole(actor, leastRole(tool))) return 'Approving is for approvers; nothing was decided.';
  if (tool.ownersOnly) return `"${tool.title}" is for the owner of the machine alone; nothing was done.`;
  const role = requiredRole(leastRole(tool), tool, actor);
  const held = sufficientGrants(tool, actor).flatMap(({ within }): Selection => within ?? []);
  if (held.length > 0)
    return `"${tool.title}" is about the whole fleet; the role ${role} of ${actor.name} holds for ${selectionText(held)}. Ask somebody whose role holds for all of it.`;
  const limit = scope === 'own' ? ' for what is not your own' : '';
  return `"${tool.title}" needs the role ${role}${limit}; ${actor.name} has ${actor.role}${byKey(actor)}. Ask somebody who has it, or an administrator for the role.`;
}

/** What gave the actor its role, where that is a key. */
function byKey({ id }: Pick<Actor, 'id'>): string {
  return id.startsWith('key:') ? ' by its key' : '';
}
