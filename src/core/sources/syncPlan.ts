/** Decides what one reading of a source changes: who comes, who is changed, who is gone and who leaves. */
import type { Endpoint, EndpointRegistration } from '../../domain/fleet/endpoint.ts';
import type { SourceMachine } from '../ports/sourcePorts.ts';

const DAY_MS = 86_400_000;

export interface SyncPlan {
  added: { machine: SourceMachine; registration: EndpointRegistration }[];
  /** Machines that are there, as they are to be kept. */
  current: { machine: SourceMachine; endpoint: Endpoint; isChanged: boolean }[];
  /** Not listed any more, as they are to be kept. */
  gone: Endpoint[];
  /** Gone for so long that they leave now. */
  leaving: Endpoint[];
  /** The source lists fewer than half of its machines: nobody leaves until that is explained. */
  isLoss: boolean;
}

interface SyncOptions {
  source: string;
  now: Date;
  leaveAfterDays: number;
  /** A person says that the machines which are missing are gone indeed. */
  acceptLoss: boolean;
}

/** @param managed endpoints of the source; @param machines what it lists, without those that belong to others */
export function planSync(
  managed: readonly Endpoint[],
  machines: readonly SourceMachine[],
  { source, now, leaveAfterDays, acceptLoss }: SyncOptions,
): SyncPlan {
  const byName = new Map(managed.map((endpoint) => [endpoint.hostname, endpoint]));
  const listed = new Set(machines.map(({ hostname }) => hostname));
  const plan: SyncPlan = { added: [], current: [], gone: [], leaving: [], isLoss: false };
  for (const machine of machines) {
    const endpoint = byName.get(machine.hostname);
    const registration = registrationOf(machine, source, endpoint);
    if (!endpoint) plan.added.push({ machine, registration });
    else {
      const isChanged = JSON.stringify(registration) !== JSON.stringify(fieldsOf(endpoint));
      plan.current.push({ machine, endpoint: { ...endpoint, ...registration }, isChanged });
    }
  }
  const missing = managed.filter(({ hostname }) => !listed.has(hostname));
  plan.isLoss = missing.length * 2 >= managed.length && missing.length > 1 && !acceptLoss;
  for (const endpoint of missing) {
    const goneSince = endpoint.options.goneSince ?? now.toISOString();
    const goneMs = now.getTime() - Date.parse(goneSince);
    if (!plan.isLoss && goneMs >= leaveAfterDays * DAY_MS) plan.leaving.push(endpoint);
    else if (endpoint.options.goneSince === undefined)
      plan.gone.push({ ...endpoint, options: { ...endpoint.options, goneSince } });
  }
  return plan;
}

function fieldsOf(endpoint: Endpoint): EndpointRegistration {
  const { hostname, ipAddress, ownerEmail, persona, criticalityTier, osPlatform, tags, collector, options } = endpoint;
  return { hostname, ipAddress, ownerEmail, persona, criticalityTier, osPlatform, tags, collector, options };
}

/** What the source says counts, and what it does not say stays as people set it. */
function registrationOf(machine: SourceMachine, source: string, before: Endpoint | undefined): EndpointRegistration {
  const { goneSince: _back, ...options } = before?.options ?? {};
  return {
    hostname: machine.hostname,
    ipAddress: machine.ipAddress ?? before?.ipAddress ?? null,
    ownerEmail: machine.ownerEmail ?? before?.ownerEmail ?? null,
    persona: before && machine.persona === 'general' ? before.persona : machine.persona,
    criticalityTier: before?.criticalityTier ?? 2,
    osPlatform: machine.osPlatform,
    tags: { ...before?.tags, ...machine.tags },
    collector: machine.snapshot.collector,
    options: { ...options, source, sourceTarget: machine.target },
  };
}
