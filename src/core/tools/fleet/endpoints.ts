/** Tools for the registry: which machines there are, whose they are, and how each is scanned. */
import { z } from 'zod';
import { ENDPOINT_STATES, PERSONAS, SCORE_STATUSES } from '../../../domain/fleet/endpoint.ts';
import { canonicalHost } from '../../../domain/fleet/hostIdentity.ts';
import { aligned } from '../../characters.ts';
import { AppError } from '../../errors.ts';
import { filterText, machineCount, searchedShape } from '../../fleet/emptyAnswer.ts';
import { identityLines, presentIdentified } from '../../fleet/identified.ts';
import { countLine, pageOf, pageOutput } from '../../page.ts';
import { ENDPOINT_SORTS } from '../../ports/endpointPorts.ts';
import { endpointCells, presentEndpoint, snakeCase } from '../../present.ts';
import { machinePage } from '../../presentation.ts';
import { deregister } from '../../registration/deregister.ts';
import { checkRegistration, keepSource } from '../../registration/newRegistration.ts';
import { changeInput, changeOf, isFreeName, tierInput } from '../../registration/registrationInput.ts';
import { requireEndpoint } from '../../scans/scanning.ts';
import { staleBefore } from '../../scores/staleness.ts';
import { endpointShape, hostnameInput, identifiedEndpointShape, pageInput } from '../../shapes.ts';
import { machineSubject, personSubject } from '../../subjects.ts';
import { defineTool } from '../../tool.ts';

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
  reach: 'selection',
  subject: personSubject,
  description:
    'Finds machines: search takes any part of name, owner, address, tag or alias; sort -score is the highest first. With scores, owners and tags.',
  http: { method: 'GET', path: '/api/v1/dex/endpoints' },
  command: {
    name: 'endpoints',
    args: ['search'],
    also: [{ name: 'machines' }],
    everydayFor: ['staff'],
    example: 'endpoints alice --state stale',
  },
  input: z.strictObject({
    search: z
      .string()
      .trim()
      .toLowerCase()
      .min(1)
      .max(200)
      .optional()
      .describe('Any part, several words are looked for together'),
    prefix: z
      .string()
      .trim()
      .toLowerCase()
      .max(253)
      .regex(/^[\w.-]*$/, 'must be the beginning of a hostname: letters, digits, dots, hyphens and underscores')
      .optional()
      .meta({ forPrograms: true }),
    persona: z.enum(PERSONAS).optional(),
    criticality_tier: tierInput.optional(),
    tag: z
      .string()
      .max(265)
      .regex(/^[\w.-]+(=.*)?$/, 'must be key or key=value')
      .refine((tag) => isFreeName(tag.split('=')[0] ?? ''), 'no endpoint has a tag of this name')
      .optional(),
    state: z.enum(ENDPOINT_STATES).optional(),
    owner_email: z.string().trim().max(254).toLowerCase().optional().meta({ forPrograms: true }),
    ip_address: z.string().max(200).overwrite(canonicalHost).optional().meta({ forPrograms: true }),
    score_status: z.enum(SCORE_STATUSES).optional().meta({ forPrograms: true }),
    min_score: z.coerce.number().optional().meta({ forPrograms: true }),
    below_score: z.coerce.number().optional(),
    sort: z
      .string()
      .regex(SORT, `must be ${SORTS.join(', ')}, with a - before it for the other way`)
      .default('hostname'),
    ...pageInput,
  }),
  output: z.object({ endpoints: z.array(endpointShape), ...pageOutput, searched: searchedShape.optional() }),
  async run({ limit, offset, sort, ...input }, { ports, now }) {
    const filter = {
      search: input.search,
      prefix: input.prefix,
      persona: input.persona,
      criticalityTier: input.criticality_tier,
      tag: input.tag,
      state: input.state,
      ...(input.owner_email?.includes('@') ? { ownerEmail: input.owner_email } : { ownerName: input.owner_email }),
      ipAddress: input.ip_address,
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
    const page = pageOf({ total, offset }, items.length);
    if (total === 0) {
      const machines = await machineCount(ports, now);
      return { endpoints: [], ...page, searched: { filter: filterText(input), without_filter: machines, machines } };
    }
    return {
      endpoints: items.map((endpoint) => presentEndpoint(endpoint, now, ports.settings.scanIntervalMs)),
      ...page,
    };
  },
  page: () => '/',
  summary: ({ endpoints, searched, ...page }, callText) =>
    searched
      ? searched.machines === 0
        ? `No machine is registered yet. Register one: ${callText('register_endpoint') ?? 'ask an operator'}`
        : `No machine matches: ${searched.filter}. Registered without this filter: ${searched.machines}.`
      : [countLine(page, endpoints.length, 'endpoint'), ...aligned(endpoints.map(endpointCells))].join('\n'),
  shows: { card: 'endpoints' },
});

export const updateEndpoint = defineTool({
  name: 'update_endpoint',
  title: 'Change an endpoint',
  effect: 'write',
  reach: 'selection',
  toolset: 'machines',
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
      keepSource(endpoint, patch);
      checkRegistration({ ...endpoint, ...patch });
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
  reach: 'selection',
  subject: machineSubject,
  description: 'Stop watching a machine. Its open alerts end, its history is kept; the name can be registered again.',
  http: { method: 'DELETE', path: '/api/v1/dex/endpoints/:hostname' },
  command: { name: 'deregister', args: ['hostname'], example: 'deregister dev-machine-01' },
  input: z.strictObject({ hostname: hostnameInput }),
  output: z.object({ endpoint: endpointShape }),
  async run({ hostname }, { ports, actor, now }) {
    const endpoint = await requireEndpoint(ports, hostname);
    await deregister(ports, endpoint.id, actor, now);
    return { endpoint: presentEndpoint(endpoint, now, ports.settings.scanIntervalMs) };
  },
  summary: ({ endpoint }) => `${endpoint.hostname} is no longer watched; its history is kept.`,
});
