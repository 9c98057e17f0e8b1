/** Tools for the registry: which machines there are, whose they are, and how each is scanned. */
import { z } from 'zod';
import { ENDPOINT_STATES, PERSONAS, SCORE_STATUSES } from '../../../domain/fleet/endpoint.ts';
import { canonicalHost } from '../../../domain/fleet/hostIdentity.ts';
import { announce, resolveAllOf } from '../../alerts/alerting.ts';
import { AppError } from '../../errors.ts';
import { identityLines, presentIdentified } from '../../fleet/identified.ts';
import { ENDPOINT_SORTS } from '../../ports/endpointPorts.ts';
import { endpointLine, presentEndpoint, snakeCase } from '../../present.ts';
import { machinePage } from '../../presentation.ts';
import { requireEndpoint } from '../../scans/scanning.ts';
import { staleBefore } from '../../scores/staleness.ts';
import { endpointShape, hostnameInput, identifiedEndpointShape, pageInput } from '../../shapes.ts';
import { machineSubject, personSubject } from '../../subjects.ts';
import { defineTool } from '../../tool.ts';
import {
  changeInput,
  changeOf,
  isFreeName,
  newHostname,
  newRegistration,
  registrationInput,
  tierInput,
} from './endpointInput.ts';

export const registerEndpoint = defineTool({
  name: 'register_endpoint',
  title: 'Register an endpoint',
  effect: 'write',
  description:
    'Add a machine to watch. A push endpoint gets a token, shown only in this answer, for its agent. Scan it next with {scan_endpoint}.',
  http: { method: 'POST', path: '/api/v1/dex/endpoints', status: 201 },
  command: {
    name: 'register',
    args: ['hostname', 'ip_address'],
    example: 'register dev-machine-01 10.0.1.42 --collector ssh',
  },
  input: z.strictObject({ hostname: newHostname, ...registrationInput }),
  output: z.object({ ok: z.literal(true), endpoint: identifiedEndpointShape, token: z.string().optional() }),
  async run(input, { ports, now }) {
    const registration = newRegistration(input);
    const secret = registration.collector === 'push' ? ports.tokens.issue() : null;
    const endpoint = await ports.store.endpoints.register(registration, secret?.digest ?? null, now);
    await ports.store.unknownHosts.forget(endpoint.hostname);
    return {
      ok: true as const,
      endpoint: await presentIdentified(ports, endpoint, now),
      ...(secret && { token: secret.token }),
    };
  },
  page: ({ endpoint }) => machinePage(endpoint.hostname),
  summary: ({ endpoint, token }) =>
    `${endpoint.hostname} is registered (${endpoint.persona}, tier ${endpoint.criticality_tier}, collector ${endpoint.collector}).` +
    endpoint.warnings.map((warning) => `\nNote: ${warning}`).join('') +
    (token ? `\nIts agent's token, shown only now: ${token}` : `\nNext: scan ${endpoint.hostname}`),
});

const SORTS = ENDPOINT_SORTS.map(snakeCase);
const SORT = new RegExp(`^-?(${SORTS.join('|')})$`);

/** @param sort one of `SORTS`, with a minus before it where the highest comes first */
function orderOf(sort: string): { by: (typeof ENDPOINT_SORTS)[number]; descending: boolean } {
  const name = sort.replace(/^-/, '');
  return { by: ENDPOINT_SORTS.find((by) => snakeCase(by) === name) ?? 'hostname', descending: name !== sort };
}

export const listEndpoints = defineTool({
  name: 'list_endpoints',
  title: 'List endpoints',
  effect: 'read',
  subject: personSubject,
  description:
    'Registered machines with their scores. search finds part of a name, owner or address; tag is key or key=value; sort -score: the highest first.',
  http: { method: 'GET', path: '/api/v1/dex/endpoints' },
  command: { name: 'endpoints', args: [], example: 'endpoints --persona developer --state stale' },
  input: z.strictObject({
    prefix: z
      .string()
      .trim()
      .toLowerCase()
      .max(253)
      .regex(/^[\w.-]*$/, 'must be the beginning of a hostname: letters, digits, dots, hyphens and underscores')
      .optional(),
    persona: z.enum(PERSONAS).optional(),
    criticality_tier: tierInput.optional(),
    tag: z
      .string()
      .max(265)
      .regex(/^[\w.-]+(=.*)?$/, 'must be key or key=value')
      .refine((tag) => isFreeName(tag.split('=')[0] ?? ''), 'no endpoint has a tag of this name')
      .optional(),
    state: z.enum(ENDPOINT_STATES).optional(),
    owner_email: z.string().trim().max(254).toLowerCase().optional(),
    ip_address: z.string().max(200).overwrite(canonicalHost).optional(),
    search: z.string().trim().toLowerCase().max(253).optional(),
    score_status: z.enum(SCORE_STATUSES).optional(),
    min_score: z.coerce.number().optional(),
    below_score: z.coerce.number().optional(),
    sort: z
      .string()
      .regex(SORT, `must be ${SORTS.join(', ')}, with a - before it for the other way`)
      .default('hostname'),
    ...pageInput,
  }),
  output: z.object({ endpoints: z.array(endpointShape), total: z.number().int() }),
  async run({ limit, offset, sort, ...input }, { ports, now }) {
    const filter = {
      prefix: input.prefix,
      persona: input.persona,
      criticalityTier: input.criticality_tier,
      tag: input.tag,
      state: input.state,
      ...(input.owner_email?.includes('@') ? { ownerEmail: input.owner_email } : { ownerName: input.owner_email }),
      ipAddress: input.ip_address,
      search: input.search,
      scoreStatus: input.score_status,
      minScore: input.min_score,
      belowScore: input.below_score,
    };
    const { items, total } = await ports.store.endpoints.list(
      filter,
      { limit, offset },
      staleBefore(ports, now),
      orderOf(sort),
    );
    return { endpoints: items.map((endpoint) => presentEndpoint(endpoint, now, ports.settings.scanIntervalMs)), total };
  },
  page: () => '/',
  summary: ({ endpoints, total }) =>
    total === 0
      ? 'No endpoint matches. Register one: register HOSTNAME [IP]'
      : [`${total} endpoint${total === 1 ? '' : 's'}`, ...endpoints.map(endpointLine)].join('\n'),
  shows: { card: 'endpoints' },
});

export const getEndpoint = defineTool({
  name: 'get_endpoint',
  title: 'Show an endpoint',
  effect: 'read',
  subject: machineSubject,
  description: 'One registered machine: whose it is, how it is scanned, its latest score and when it last answered.',
  http: { method: 'GET', path: '/api/v1/dex/endpoints/:hostname' },
  command: { name: 'endpoint', args: ['hostname'], example: 'endpoint dev-machine-01' },
  input: z.strictObject({ hostname: hostnameInput }),
  output: z.object({ endpoint: identifiedEndpointShape }),
  async run({ hostname }, { ports, now }) {
    return { endpoint: await presentIdentified(ports, await requireEndpoint(ports, hostname), now) };
  },
  page: ({ endpoint }) => machinePage(endpoint.hostname),
  summary: ({ endpoint }) => identityLines(endpoint).join('\n'),
  shows: { card: 'endpoint', by: 'hostname' },
  resource: {
    uri: 'dexops://endpoints/{hostname}',
    name: 'endpoint',
    title: 'Endpoint',
    description: 'Whose a machine is, how it is scanned, its score.',
    mimeType: 'application/json',
  },
});

export const updateEndpoint = defineTool({
  name: 'update_endpoint',
  title: 'Change an endpoint',
  effect: 'write',
  subject: machineSubject,
  description:
    'Change what is registered about a machine. What is left out stays, each tag and option too; null removes one.',
  http: { method: 'PATCH', path: '/api/v1/dex/endpoints/:hostname' },
  command: { name: 'update', args: ['hostname'], example: 'update dev-machine-01 --persona executive' },
  input: z.strictObject({ hostname: hostnameInput, ...changeInput }),
  output: z.object({ endpoint: identifiedEndpointShape }),
  async run(input, { ports, now }) {
    const { id } = await requireEndpoint(ports, input.hostname);
    const updated = await ports.store.transaction(async ({ endpoints }) => {
      await endpoints.hold([id]); // so that of two changes at once neither undoes the other
      const [endpoint] = await endpoints.byIds([id]);
      if (!endpoint) throw new AppError('not_found', `${input.hostname} was deregistered just now.`);
      const patch = changeOf(endpoint, input);
      if ((patch.collector === 'push') !== (endpoint.collector === 'push') && patch.collector !== undefined) {
        throw new AppError(
          'refused',
          `${input.hostname} cannot change between push and the other collectors, because its agent's token would change. Deregister it and register it again.`,
        );
      }
      return endpoints.update(id, patch, now);
    });
    return { endpoint: await presentIdentified(ports, updated, now) };
  },
  page: ({ endpoint }) => machinePage(endpoint.hostname),
  summary: ({ endpoint }) => `Changed. ${identityLines(endpoint).join('\n')}`,
});

export const deregisterEndpoint = defineTool({
  name: 'deregister_endpoint',
  title: 'Deregister an endpoint',
  effect: 'destructive',
  subject: machineSubject,
  description: 'Stop watching a machine. Its open alerts end, its history is kept; the name can be registered again.',
  http: { method: 'DELETE', path: '/api/v1/dex/endpoints/:hostname' },
  command: { name: 'deregister', args: ['hostname'], example: 'deregister dev-machine-01' },
  input: z.strictObject({ hostname: hostnameInput }),
  output: z.object({ endpoint: endpointShape }),
  async run({ hostname }, { ports, actor, now }) {
    const endpoint = await requireEndpoint(ports, hostname);
    const changes = await ports.store.transaction(async (store) => {
      const ended = await resolveAllOf(ports, store, endpoint.id, actor);
      await store.endpoints.deregister(endpoint.id, now);
      return ended;
    });
    await announce(ports, changes);
    return { endpoint: presentEndpoint(endpoint, now, ports.settings.scanIntervalMs) };
  },
  summary: ({ endpoint }) => `${endpoint.hostname} is no longer watched; its history is kept.`,
});
