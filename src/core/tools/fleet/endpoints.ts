/** Tools for the registry: which machines there are, whose they are, and how each is scanned. */
import { z } from 'zod';
import { forbiddenAddressReason, isValidHostname } from '../../../domain/fleet/address.ts';
import {
  ENDPOINT_STATES,
  type EndpointRegistration,
  PERSONAS,
  SCORE_STATUSES,
} from '../../../domain/fleet/endpoint.ts';
import { canonicalHost } from '../../../domain/fleet/hostIdentity.ts';
import { canonicalIp } from '../../../domain/fleet/ipAddress.ts';
import { OS_PLATFORMS } from '../../../domain/signals/declaration.ts';
import { COLLECTORS, type CollectorOptions } from '../../../domain/signals/telemetry.ts';
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

const newHostname = hostnameInput
  .refine(isValidHostname, 'must be a hostname: letters, digits, hyphens and underscores, in parts joined by dots')
  .describe('The hostname by which everything refers to the endpoint');

const ipAddress = z
  .string()
  .max(200)
  .overwrite(canonicalHost)
  .superRefine((address, context) => {
    if (canonicalIp(address) === null)
      return context.addIssue({ code: 'custom', message: 'must be an IPv4 or IPv6 address' });
    const reason = forbiddenAddressReason(address);
    if (reason) context.addIssue({ code: 'custom', message: `${address} is ${reason}; no endpoint can have it` });
  });

const optionsInput = z.strictObject({
  port: z.coerce.number().int().min(1).max(65_535).optional().describe('Port of the exporter or of sshd'),
  path: z
    .string()
    .max(200)
    .regex(/^\/[\w./-]*$/)
    .optional()
    .describe('Path of the exporter page, /metrics by default'),
  scheme: z.enum(['http', 'https']).optional(),
  services: z
    .array(z.string().regex(/^[A-Za-z0-9@_.:\\-]{1,128}$/, 'must be a service name'))
    .max(50)
    .optional()
    .describe('Services that should run; only these count as down when given'),
  username: z
    .string()
    .regex(/^[a-z_][a-z0-9_.-]{0,31}$/i, 'must be a login name')
    .optional(),
  private_key_file: z
    .string()
    .regex(/^[\w.-]{1,100}$/, 'must be a file name inside SSH_KEYS_DIR')
    .optional(),
  host_key_sha256: z
    .string()
    .regex(/^SHA256:[A-Za-z0-9+/]{43}=?$/, 'must look like SHA256:… as ssh-keygen -l prints it')
    .optional(),
  timeout_ms: z.coerce.number().int().min(500).max(60_000).optional(),
});

/** Names that every object has already would be read as those on the way into the database and out of it. */
const isFreeName = (name: string) => !(name in {});

export const tagsInput = z
  .record(
    z
      .string()
      .regex(/^[\w.-]{1,64}$/, 'a tag name has letters, digits, _ . -')
      .refine(isFreeName, 'this tag name is taken'),
    z.string().max(200),
  )
  .refine((tags) => Object.keys(tags).length <= 50, 'at most 50 tags');

export const tierInput = z.coerce
  .number()
  .int()
  .min(1)
  .max(3)
  .transform((value) => value as 1 | 2 | 3)
  .describe('1 = critical (SLA-bound), 2 = standard, 3 = low priority');

const details = {
  ip_address: ipAddress.nullish().describe('Where it is reached when its name does not resolve'),
  owner_email: z.email().max(254).nullish().describe('Whose it is; surveys and fixes go there'),
  persona: z.enum(PERSONAS).optional(),
  criticality_tier: tierInput.optional(),
  os_platform: z.enum(OS_PLATFORMS).optional(),
  tags: tagsInput.optional(),
  collector: z
    .enum(COLLECTORS)
    .optional()
    .describe('How it is scanned: exporters and ssh from here, push by its own agent'),
  options: optionsInput.optional(),
};

type Details = z.output<z.ZodObject<typeof details>>;

/** All that a machine is registered with. */
export const registrationInput = z.strictObject({ hostname: newHostname, ...details });

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
  input: registrationInput,
  output: z.object({ ok: z.literal(true), endpoint: identifiedEndpointShape, token: z.string().optional() }),
  async run(input, { ports, now }) {
    const registration = registrationOf(input);
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
    'Change what is registered about a machine; fields left out stay as they are, null clears an address or owner.',
  http: { method: 'PATCH', path: '/api/v1/dex/endpoints/:hostname' },
  command: { name: 'update', args: ['hostname'], example: 'update dev-machine-01 --persona executive' },
  input: z.strictObject({ hostname: hostnameInput, ...details }),
  output: z.object({ endpoint: identifiedEndpointShape }),
  async run(input, { ports, now }) {
    const endpoint = await requireEndpoint(ports, input.hostname);
    const patch = detailsOf(input);
    if ((patch.collector === 'push') !== (endpoint.collector === 'push') && patch.collector !== undefined) {
      throw new AppError(
        'refused',
        `${input.hostname} cannot change between push and the other collectors, because its agent's token would change. Deregister it and register it again.`,
      );
    }
    const updated = await ports.store.endpoints.update(endpoint.id, patch, now);
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

/** What is registered where nothing else is said. */
export function registrationOf(input: z.output<typeof registrationInput>): EndpointRegistration {
  const given = detailsOf(input);
  return {
    hostname: input.hostname,
    ipAddress: null,
    ownerEmail: null,
    persona: 'general',
    criticalityTier: 2,
    osPlatform: 'linux',
    tags: {},
    collector: given.osPlatform === 'windows' ? 'windows_exporter' : 'node_exporter',
    options: {},
    ...given,
  };
}

function detailsOf(input: Details): Partial<EndpointRegistration> {
  const given = {
    ipAddress: input.ip_address,
    ownerEmail: input.owner_email?.toLowerCase() ?? input.owner_email,
    persona: input.persona,
    criticalityTier: input.criticality_tier,
    osPlatform: input.os_platform,
    tags: input.tags,
    collector: input.collector,
    options: input.options && collectorOptions(input.options),
  };
  return defined(given);
}

function collectorOptions(options: z.output<typeof optionsInput>): CollectorOptions {
  return defined({
    port: options.port,
    path: options.path,
    scheme: options.scheme,
    services: options.services,
    username: options.username,
    privateKeyFile: options.private_key_file,
    hostKeySha256: options.host_key_sha256,
    timeoutMs: options.timeout_ms,
  });
}

/** Without the fields that were not given: in stored JSON they would come back as null, which is a value. */
function defined<T extends object>(fields: T): Partial<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Partial<T>;
}
