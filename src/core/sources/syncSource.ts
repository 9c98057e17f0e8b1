/** One cycle of one source: read everything, bring the registry in line, and record what was measured. */
import type { Endpoint } from '../../domain/fleet/endpoint.ts';
import type { Actor } from '../actor.ts';
import type { Ports } from '../ports/ports.ts';
import type { SourceConfig, SourceMachine } from '../ports/sourcePorts.ts';
import { deregister } from '../registration/deregister.ts';
import { type Collected, record } from '../scans/scanning.ts';
import { endDelivered } from './deliveredAlerts.ts';
import { managedBy } from './managedEndpoints.ts';
import { observePolicies } from './policyAlerts.ts';
import { planSync, type SyncPlan } from './syncPlan.ts';

/** Results committed at a time. */
const BATCH = 250;
const MOST_NOTES = 20;

export interface SyncReport {
  source: string;
  machines: number;
  reachable: number;
  registered: number;
  changed: number;
  gone: number;
  deregistered: number;
  /** Machines that could not be registered. */
  passedOver: number;
  notes: string[];
  durationMs: number;
}

type Added = SyncPlan['added'][number];

interface SyncHow {
  actor: Actor;
  acceptLoss: boolean;
  signal: AbortSignal;
}

/** @throws AppError `unavailable` when the source does not answer as it should; then nothing is changed */
export async function syncSource(ports: Ports, source: SourceConfig, how: SyncHow): Promise<SyncReport> {
  const startedMs = performance.now();
  const now = ports.clock.now();
  const managed = await managedBy(ports, source.name);
  const known = new Map(managed.map(({ options, hostname }) => [options.sourceTarget ?? hostname, hostname]));
  const reading = await ports.sourceReader.read(source, known, now, how.signal);
  const passedOver = [...reading.passedOver];
  const machines = await ownMachines(ports, reading.machines, managed, passedOver);

  const { acceptLoss } = how;
  const plan = planSync(managed, machines, {
    source: source.name,
    now,
    leaveAfterDays: source.leave_after_days,
    acceptLoss,
  });
  const changed = plan.current.filter(({ isChanged }) => isChanged).map(({ endpoint }) => endpoint);
  const added = await ports.store.transaction(async (store) => {
    await store.endpoints.updateAll([...changed, ...plan.gone], now);
    await store.unknownHosts.forget(plan.added.map(({ registration }) => registration.hostname));
    return store.endpoints.registerAll(
      plan.added.map(({ registration }) => ({ ...registration, agentTokenDigest: null })),
      now,
    );
  });
  for (const { id } of plan.leaving) await deregister(ports, id, how.actor, now);
  const read = [
    ...added.map((endpoint, at) => ({ endpoint, machine: (plan.added[at] as Added).machine })),
    ...plan.current,
  ].map(({ endpoint, machine: { snapshot, policies } }) => ({ endpoint, snapshot, policies }));
  await recordAll(ports, source, read, how.signal);

  const missing = managed.length - plan.current.length;
  const loss = `${source.name} lists ${plan.current.length} of ${managed.length} machines; nobody leaves until it lists them again, or a person accepts the loss`;
  if (plan.isLoss) ports.log.warn({ source: source.name, listed: plan.current.length, missing }, loss);
  return {
    source: source.name,
    machines: machines.length,
    reachable: machines.filter(({ snapshot }) => snapshot.reachable).length,
    registered: added.length,
    changed: changed.length,
    gone: missing - plan.leaving.length,
    deregistered: plan.leaving.length,
    passedOver: passedOver.length,
    notes: [
      ...(plan.isLoss ? [loss] : []),
      ...passedOver.slice(0, MOST_NOTES).map(({ target, reason }) => `${target}: ${reason}`),
    ],
    durationMs: Math.round(performance.now() - startedMs),
  };
}

/** Each name once, and none that is registered in another way: a person's word, or another source's, comes first. */
async function ownMachines(
  { store }: Ports,
  machines: readonly SourceMachine[],
  managed: readonly Endpoint[],
  passedOver: { target: string; reason: string }[],
): Promise<SourceMachine[]> {
  const own = new Set(managed.map(({ hostname }) => hostname));
  const others = await store.endpoints.byHostnames(
    machines.map(({ hostname }) => hostname).filter((name) => !own.has(name)),
  );
  const taken = new Map(others.map(({ hostname, options }) => [hostname, options.source]));
  const seen = new Map<string, string>();
  return machines.filter(({ hostname, target }) => {
    const twin = seen.get(hostname);
    if (taken.has(hostname)) {
      const by = taken.get(hostname);
      const how = by === undefined ? 'by hand' : `by the source ${by}`;
      passedOver.push({ target, reason: `${hostname} is registered ${how} already` });
      return false;
    }
    if (twin !== undefined) {
      passedOver.push({ target, reason: `${twin} is called ${hostname} too` });
      return false;
    }
    seen.set(hostname, target);
    return true;
  });
}

async function recordAll(
  ports: Ports,
  source: SourceConfig,
  seen: readonly (Collected & Pick<SourceMachine, 'policies'>)[],
  signal: AbortSignal,
): Promise<void> {
  const affected = new Map<string, Promise<ReadonlySet<string>>>();
  const hasStill = (cve: string) => {
    const asked = affected.get(cve) ?? ports.sourceReader.affected(source, cve, signal);
    affected.set(cve, asked);
    return asked;
  };
  for (let at = 0; at < seen.length; at += BATCH) {
    const batch = seen.slice(at, at + BATCH);
    await record(ports, batch);
    await observePolicies(ports, source.name, batch);
    await endDelivered(ports, source.name, batch, hasStill);
    for (const { snapshot } of batch)
      ports.metrics.endpointScanned(
        snapshot.collector,
        snapshot.reachable ? 'ok' : 'unreachable',
        snapshot.durationMs / 1000,
      );
  }
}
