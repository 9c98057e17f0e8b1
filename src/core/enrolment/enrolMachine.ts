/** A machine joins the fleet with an enrolment's secret: it becomes an endpoint, or the one that it was before. */
import type { Endpoint, EndpointRegistration } from '../../domain/fleet/endpoint.ts';
import {
  canonicalMachineId,
  canonicalSerial,
  identifyMachine,
  type KnownMachine,
  type MachineFacts,
  type MachineIdentity,
  machineName,
  ownerAddress,
  suffixedName,
} from '../../domain/fleet/enrolment.ts';
import type { Alias } from '../../domain/fleet/hostIdentity.ts';
import { AppError } from '../errors.ts';
import { identityWarnings } from '../fleet/aliases.ts';
import type { Enrolment } from '../ports/enrolmentPorts.ts';
import type { Ports } from '../ports/ports.ts';
import type { Store } from '../ports/storePorts.ts';
import { requireUsable } from './enrolments.ts';

interface Enrolled {
  endpoint: Endpoint;
  token: string;
  /** Whether the machine was known before. */
  isKnown: boolean;
  /** What an administrator should see, such as that the machine was made from another's image. */
  warnings: string[];
}

/**
 * Registers the machine, or finds it again, and gives it a token of its own; its earlier token ends.
 *
 * @param proved the endpoint whose token the machine presented besides the secret
 * @throws AppError `denied` for an enrolment that is revoked, expired or full, `invalid` for what cannot be registered,
 *   `conflict` when it claims the serial number of another machine
 */
export async function enrolMachine(
  ports: Ports,
  enrolmentId: number,
  given: MachineFacts & { agentVersion: string },
  proved: number | null,
): Promise<Enrolled> {
  const facts = {
    ...given,
    serialNumber: canonicalSerial(given.serialNumber),
    machineId: canonicalMachineId(given.machineId),
    hostname: machineName(given.hostname) ?? '',
  };
  if (facts.hostname === '')
    throw new AppError('invalid', `"${given.hostname}" is no hostname: give the machine a name of its own first.`);
  if (facts.serialNumber === null && facts.machineId === null)
    throw new AppError(
      'invalid',
      'The machine has neither a machine id nor a serial number, so it could not be recognised again.',
    );
  const now = ports.clock.now();
  return ports.store.transaction(async (store) => {
    const enrolment = requireUsable(await store.enrolments.get(enrolmentId), now);
    const identity = identifyMachine(facts, await machinesLike(store, facts, proved), proved);
    if (identity.kind === 'claimed')
      throw new AppError(
        'conflict',
        `The serial number ${facts.serialNumber} belongs to ${identity.hostname}. If this is that machine with a new system, deregister ${identity.hostname} first.`,
        { hostname: identity.hostname },
      );
    const adopted = identity.kind === 'new' ? await awaited(store, facts.hostname) : null;
    const isNew = identity.kind === 'new' && adopted === null;
    if (!(await store.enrolments.use(enrolment.id, isNew, now))) throw full(enrolment);
    const endpoint =
      identity.kind === 'same'
        ? await refreshed(store, identity.machine, facts, enrolment, now)
        : (adopted ?? (await registered(ports, store, facts, enrolment, now)));
    await store.aliases.keep(endpoint.id, numbersOf(facts), now);
    const { token, digest } = ports.tokens.issue('dexa');
    const agent = {
      endpointId: endpoint.id,
      enrolmentId: enrolment.id,
      previousTokenDigest: null,
      tokenIssuedAt: now,
      version: given.agentVersion,
      enrolledAt: now,
    };
    await store.agents.keep(agent, digest);
    const aliases = (await store.aliases.ofEndpoints([endpoint.id])).get(endpoint.id) ?? [];
    return {
      endpoint,
      token,
      isKnown: identity.kind === 'same',
      warnings: [
        ...remarks(identity, facts.hostname, endpoint),
        ...(await identityWarnings(store, { ...endpoint, aliases })),
      ],
    };
  });
}

function full({ maxMachines }: Enrolment): AppError {
  return new AppError(
    'denied',
    `This enrolment is for ${maxMachines} machines, and all places are taken. Ask for a new one.`,
  );
}

function remarks(identity: MachineIdentity, presented: string, endpoint: Endpoint): string[] {
  return [
    ...(identity.kind === 'new' && identity.copyOf !== null
      ? [`It has the machine id of ${identity.copyOf}: made from one image. Give each copy a machine id of its own.`]
      : []),
    ...(identity.kind === 'new' && endpoint.hostname !== presented
      ? [`Another machine is registered as ${presented}, so this one is ${endpoint.hostname}.`]
      : []),
  ];
}

async function machinesLike(
  store: Store,
  { serialNumber, machineId }: Pick<MachineFacts, 'serialNumber' | 'machineId'>,
  proved: number | null,
): Promise<KnownMachine[]> {
  const numbers = [serialNumber, machineId].filter((number) => number !== null);
  const found = await store.aliases.byValues(numbers);
  const ids = [...new Set([...found.map(({ id }) => id), ...(proved === null ? [] : [proved])])];
  const aliases = await store.aliases.ofEndpoints(ids);
  const withToken = new Set(await store.endpoints.withAgent(ids));
  return (await store.endpoints.byIds(ids))
    .filter(({ deregisteredAt }) => deregisteredAt === null)
    .map(({ id, hostname }) => {
      const of = (kind: Alias['kind']) =>
        (aliases.get(id) ?? []).filter((alias) => alias.kind === kind).map(({ value }) => value);
      return {
        endpointId: id,
        hostname,
        machineIds: of('machine_id'),
        serialNumbers: of('serial_number'),
        hasToken: withToken.has(id),
      };
    });
}

/** An endpoint that was registered for an agent which has not reported yet: the machine of that name is the one expected. */
async function awaited(store: Store, hostname: string): Promise<Endpoint | null> {
  const endpoint = await store.endpoints.get(hostname);
  if (endpoint?.collector !== 'push' || endpoint.lastScanAt !== null) return null;
  return (await store.agents.get(endpoint.id)) === null ? endpoint : null;
}

async function registered(
  ports: Ports,
  store: Store,
  facts: MachineFacts,
  enrolment: Enrolment,
  now: Date,
): Promise<Endpoint> {
  const suffix = ports.tokens.digest(`${facts.machineId}|${facts.serialNumber}`).slice(0, 6);
  const isTaken = (await store.endpoints.get(facts.hostname)) !== null;
  const registration: EndpointRegistration = {
    hostname: isTaken ? suffixedName(facts.hostname, suffix) : facts.hostname,
    ipAddress: null,
    ownerEmail: ownerAddress(facts.user, enrolment.ownerRule),
    persona: enrolment.persona,
    criticalityTier: enrolment.criticalityTier,
    osPlatform: facts.osPlatform,
    tags: { ...enrolment.tags, ...factTags(facts) },
    collector: 'push',
    options: {},
  };
  const endpoint = await store.endpoints.register(registration, null, now);
  await store.unknownHosts.forget(endpoint.hostname);
  return endpoint;
}

/** A machine that is back keeps what people said of it; what it says of itself is brought up to date. */
async function refreshed(
  store: Store,
  { endpointId }: KnownMachine,
  facts: MachineFacts,
  enrolment: Enrolment,
  now: Date,
): Promise<Endpoint> {
  const [known] = await store.endpoints.byIds([endpointId]);
  const owner = known?.ownerEmail ?? ownerAddress(facts.user, enrolment.ownerRule);
  return store.endpoints.update(
    endpointId,
    {
      collector: 'push',
      osPlatform: facts.osPlatform,
      ownerEmail: owner,
      tags: { ...enrolment.tags, ...known?.tags, ...factTags(facts) },
    },
    now,
  );
}

function factTags({ model, osVersion }: MachineFacts): Record<string, string> {
  return { ...(model && { model }), ...(osVersion && { os_version: osVersion }) };
}

function numbersOf({ machineId, serialNumber }: MachineFacts): Alias[] {
  return [
    ...(machineId === null ? [] : [{ kind: 'machine_id', value: machineId, source: 'seen' } as const]),
    ...(serialNumber === null ? [] : [{ kind: 'serial_number', value: serialNumber, source: 'seen' } as const]),
  ];
}
