/** What `config/access.yaml` may say: which groups of the identity provider have which role, and for which machines. */
import { z } from 'zod';
import { type Grant, ROLES } from '../actor.ts';
import { selectionInput } from './selectionInput.ts';

export const AccessFile = z.strictObject({
  groups: z
    .array(
      z.strictObject({
        group: z.string().min(1).max(500),
        role: z.enum(ROLES),
        selection: selectionInput.optional(),
      }),
    )
    .max(1000)
    .default([]),
});

export type Access = z.output<typeof AccessFile>;

/** The roles that come with groups; of none, an employee's for what is their own. */
export function grantsOfGroups(access: Access, groups: readonly string[]): Grant[] {
  const held = new Set(groups);
  return access.groups
    .filter(({ group }) => held.has(group))
    .map(({ role, selection = null }) => ({ role, within: selection }));
}
