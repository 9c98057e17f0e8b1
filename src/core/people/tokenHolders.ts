/** From a provider's token to an actor: roles by its groups, and of those only what the token's scopes let through. */
import type { Actor, Interface } from '../actor.ts';
import { AppError } from '../errors.ts';
import { hasRole, withHighestRole } from '../policy.ts';
import type { TokenClaims } from '../ports/identityPorts.ts';
import { type Access, grantsOfGroups } from './accessFile.ts';

/** `read` is needed for anything at all; `write` to change something, `approve` besides it to answer approvals. */
export const TOKEN_SCOPES = ['read', 'write', 'approve'] as const;

/**
 * A client of a model holds such a token and can send it anywhere, so whoever shows one is never a human.
 *
 * @throws AppError `denied` for a token without the scope `read`
 */
export function tokenActor({ subject, email, groups, scopes }: TokenClaims, access: Access, via: Interface): Actor {
  if (!scopes.includes('read'))
    throw new AppError('denied', 'This token lacks the scope read. Let the client ask the identity provider for it.');
  const actor = withHighestRole({
    id: `oidc:${subject}`,
    name: email ?? subject,
    kind: 'model',
    via,
    role: 'employee',
    grants: grantsOfGroups(access, groups),
    holder: 'agent',
    ...(email !== null && { email }),
    ...(!scopes.includes('write') && { readOnly: true as const }),
  });
  return { ...actor, approver: scopes.includes('approve') && hasRole(actor, 'operator') };
}
