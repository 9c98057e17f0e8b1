/** Who may do what: role × kind of actor × effect, as one table. */
import type { Actor, Role } from './actor.ts';
import type { AnyTool, Effect } from './tool.ts';

/** `person`: the person behind the caller has to do it, `approve`: somebody has to agree. */
export type Verdict =
  | { decision: 'allow' }
  | { decision: 'person' }
  | { decision: 'approve' }
  | { decision: 'deny'; reason: string };

const RANK: Record<Role, number> = { viewer: 0, operator: 1, admin: 2 };
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

/** Over MCP nothing but reading is for viewers, so that a viewer's connection is a read-only one to its client. */
function roleNeeded(tool: Pick<AnyTool, 'role' | 'effect'>, { via }: Pick<Actor, 'via'>): Role {
  const role = leastRole(tool);
  return via === 'mcp' && tool.effect !== 'read' && role === 'viewer' ? 'operator' : role;
}

export function hasRole(actor: Actor, role: Role): boolean {
  return RANK[actor.role] >= RANK[role];
}

/** Whether a face offers a tool to an actor at all; what is not offered does not exist for the caller. */
export function offers(tool: AnyTool, actor: Pick<Actor, 'kind' | 'via' | 'role'>): boolean {
  // A client of MCP may put a question to its person; nobody stands behind the others.
  if (tool.humansOnly && actor.kind !== 'human' && actor.via !== 'mcp') return false;
  return !tool.hiddenFrom?.includes(actor.via) && RANK[actor.role] >= RANK[roleNeeded(tool, actor)];
}

export function judge(tool: AnyTool, actor: Actor): Verdict {
  const role = roleNeeded(tool, actor);
  if (!hasRole(actor, role)) {
    return {
      decision: 'deny',
      reason: `"${tool.title}" needs the role ${role}; ${actor.name} has ${actor.role}. Ask somebody who has it, or an administrator for the role.`,
    };
  }
  if (tool.humansOnly && actor.kind !== 'human') return { decision: 'person' };
  // A model that plans by itself is not watched step by step, so even its writes wait for a human.
  const unasked = actor.via === 'planner' ? ['read'] : UNASKED[actor.kind];
  return { decision: unasked.includes(tool.effect) ? 'allow' : 'approve' };
}
