/** Tools for API keys: handing one out, seeing which there are, taking one back. */

import { z } from 'zod';
import { selectionText } from '../../domain/fleet/selection.ts';
import { INTERFACES, KEY_HOLDERS, ROLES, STAFF_ROLES } from '../actor.ts';
import { KEY_FOR_A_PERSON } from '../callText.ts';
import { AppError } from '../errors.ts';
import { selectionInput } from '../people/selectionInput.ts';
import type { ApiKey } from '../ports/storePorts.ts';
import { iso } from '../present.ts';
import { timestamp } from '../shapes.ts';
import { defineTool } from '../tool.ts';

/** A key is a secret: it belongs neither into a chat's history nor into a model's context. */
const NOT_FOR_KEYS = INTERFACES.filter((via) => via !== 'rest' && via !== 'cli');

const keyName = z
  .string()
  .trim()
  .toLowerCase()
  .regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, 'must be letters, digits, dots, hyphens and underscores, at most 64')
  .describe('Who or what the key is for; the audit names its calls by it');

const keyShape = z.object({
  name: z.string(),
  role: z.enum(ROLES),
  holder: z.enum(KEY_HOLDERS),
  selection: z.string().nullable(),
  created_by: z.string(),
  created_at: timestamp,
  last_used_at: timestamp.nullable(),
  revoked_at: timestamp.nullable(),
});

export const createApiKey = defineTool({
  name: 'create_api_key',
  title: 'Create an API key',
  effect: 'write',
  reach: 'fleet',
  role: 'admin',
  hiddenFrom: NOT_FOR_KEYS,
  description:
    'Hand out a key with a role: viewer reads, operator also acts, admin also manages keys. It is shown only in this answer. holder: agent (default) for programs, which never approve anything; human for one person, made in a terminal or with a key marked human.',
  http: { method: 'POST', path: '/api/v1/keys', status: 201 },
  command: { name: 'keys create', args: ['name'], example: 'keys create grafana --role viewer' },
  input: z.strictObject({
    name: keyName,
    role: z.enum(STAFF_ROLES).default('viewer'),
    holder: z.enum(KEY_HOLDERS).default('agent').describe('Whether a person or a program holds it'),
    selection: selectionInput
      .optional()
      .describe('The machines for which the role holds, as dept=engineering; all of them unless given'),
  }),
  output: z.object({ api_key: keyShape, token: z.string() }),
  async run({ name, role, holder, selection = null }, { ports, actor, now }) {
    if (name === CONFIGURED_KEY_NAME) throw new AppError('refused', `${name} is how the audit calls API_KEY itself.`);
    // Else a program with an administrator's key could make itself the person who approves what it asks for.
    if (holder === 'human' && actor.via !== 'cli' && actor.holder !== 'human')
      throw new AppError(
        'denied',
        `A key marked human is made in a terminal of the service (${KEY_FOR_A_PERSON}), or with another key marked human.`,
      );
    const { token, digest } = ports.tokens.issue();
    const key = await ports.store.apiKeys.add(
      { name, role, holder, selection, createdBy: actor.id, createdAt: now },
      digest,
    );
    return { api_key: presentKey(key), token };
  },
  summary: ({ api_key, token }) =>
    `The key ${api_key.name} (${api_key.role}, ${api_key.holder}${forWhat(api_key)}), shown only now: ${token}`,
});

/** `configuredKey` signs its calls with it. */
const CONFIGURED_KEY_NAME = 'api_key';

export const listApiKeys = defineTool({
  name: 'list_api_keys',
  title: 'List API keys',
  effect: 'read',
  reach: 'fleet',
  role: 'admin',
  hiddenFrom: NOT_FOR_KEYS,
  description:
    'Keys that were handed out, with role, last use and whether they were revoked. Never the keys themselves.',
  http: { method: 'GET', path: '/api/v1/keys' },
  command: { name: 'keys', args: [], example: 'keys' },
  input: z.strictObject({}),
  output: z.object({ api_keys: z.array(keyShape) }),
  async run(_input, { ports }) {
    return { api_keys: (await ports.store.apiKeys.list()).map(presentKey) };
  },
  summary: ({ api_keys }) =>
    api_keys.length === 0
      ? 'No API key was handed out; API_KEY of the configuration is an administrator’s.'
      : api_keys
          .map((key) => {
            const { name, role, holder, last_used_at, revoked_at } = key;
            const use = last_used_at ? `last used ${last_used_at}` : 'never used';
            return `${name}: ${role}, ${holder}${forWhat(key)}, ${revoked_at ? `revoked ${revoked_at}` : use}`;
          })
          .join('\n'),
});

export const revokeApiKey = defineTool({
  name: 'revoke_api_key',
  title: 'Revoke an API key',
  effect: 'destructive',
  reach: 'fleet',
  role: 'admin',
  hiddenFrom: NOT_FOR_KEYS,
  description: 'Take a key back: the next call with it is refused. The name can then be given again.',
  http: { method: 'DELETE', path: '/api/v1/keys/:name' },
  command: { name: 'keys revoke', args: ['name'], example: 'keys revoke grafana' },
  input: z.strictObject({ name: keyName }),
  output: z.object({ api_key: keyShape }),
  async run({ name }, { ports, now }) {
    const key = await ports.store.apiKeys.revoke(name, now);
    if (!key) {
      const next = [{ to: 'List the keys', tool: 'list_api_keys' }];
      throw new AppError('not_found', `There is no valid key named ${name}.`, { name }, { next });
    }
    return { api_key: presentKey(key) };
  },
  summary: ({ api_key }) => `The key ${api_key.name} is revoked.`,
});

function forWhat({ selection }: { selection: string | null }): string {
  return selection === null ? '' : `, for ${selection}`;
}

function presentKey(key: ApiKey): z.input<typeof keyShape> {
  return {
    name: key.name,
    role: key.role,
    holder: key.holder,
    selection: key.selection && selectionText(key.selection),
    created_by: key.createdBy,
    created_at: iso(key.createdAt),
    last_used_at: iso(key.lastUsedAt),
    revoked_at: iso(key.revokedAt),
  };
}
