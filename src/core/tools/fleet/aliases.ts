/** Tools for aliases: the other names, addresses and numbers by which an endpoint is known. */
import { z } from 'zod';
import { ALIAS_KINDS, canonicalHost } from '../../../domain/fleet/hostIdentity.ts';
import { AppError } from '../../errors.ts';
import { keepAlias } from '../../fleet/aliases.ts';
import { identityLines, presentIdentified } from '../../fleet/identified.ts';
import { requireEndpoint } from '../../scans/scanning.ts';
import { hostnameInput, identifiedEndpointShape } from '../../shapes.ts';
import { machineSubject } from '../../subjects.ts';
import { defineTool } from '../../tool.ts';

const alias = z
  .string()
  .max(1000)
  .overwrite(canonicalHost)
  .min(1, 'an alias is needed')
  .max(253, 'an alias has at most 253 characters')
  .describe('Another name, address, machine id or serial number of the machine');

export const addAlias = defineTool({
  name: 'add_alias',
  title: 'Add an alias',
  effect: 'write',
  reach: 'fleet',
  toolset: 'machines',
  subject: machineSubject,
  description:
    'Say that a registered machine is also known by another name, address, machine id or serial number, so that alerts which use it are its own.',
  http: { method: 'POST', path: '/api/v1/dex/endpoints/:hostname/aliases', status: 201 },
  command: { name: 'alias', args: ['alias', 'hostname'], example: 'alias vpn-pool-17.example.net dev-machine-01' },
  input: z.strictObject({
    alias,
    hostname: hostnameInput,
    kind: z.enum(ALIAS_KINDS).optional().describe('Left out: a name or an address, by how it is written'),
  }),
  output: z.object({ endpoint: identifiedEndpointShape }),
  async run({ alias: value, hostname, kind }, { ports, now }) {
    const endpoint = await requireEndpoint(ports, hostname);
    await ports.store.transaction(async (store) => {
      await keepAlias(store, endpoint, { value, kind }, now);
      await store.unknownHosts.forget([value]);
    });
    return { endpoint: await presentIdentified(ports, endpoint, now) };
  },
  summary: ({ endpoint }) => `Kept. ${identityLines(endpoint).join('\n')}`,
});

export const removeAlias = defineTool({
  name: 'remove_alias',
  title: 'Remove an alias',
  effect: 'write',
  reach: 'selection',
  toolset: 'machines',
  subject: machineSubject,
  description: 'Take back that a machine is also known by this name, address or number.',
  http: { method: 'DELETE', path: '/api/v1/dex/endpoints/:hostname/aliases/:alias' },
  command: {
    name: 'unalias',
    args: ['alias', 'hostname'],
    example: 'unalias vpn-pool-17.example.net dev-machine-01',
  },
  input: z.strictObject({ alias, hostname: hostnameInput }),
  output: z.object({ endpoint: identifiedEndpointShape }),
  async run({ alias: value, hostname }, { ports, now }) {
    const endpoint = await requireEndpoint(ports, hostname);
    if (!(await ports.store.aliases.remove(endpoint.id, value)))
      throw new AppError('not_found', `${endpoint.hostname} has no alias ${value}.`, { hostname: endpoint.hostname });
    return { endpoint: await presentIdentified(ports, endpoint, now) };
  },
  summary: ({ endpoint }) => `Removed. ${identityLines(endpoint).join('\n')}`,
});
