/** Taking a machine out of the fleet. */
import type { Actor } from '../actor.ts';
import { announce, resolveAllOf } from '../alerts/alerting.ts';
import type { Ports } from '../ports/ports.ts';

/** Ends its open alerts and frees its name, in one step; its history stays. */
export async function deregister(ports: Ports, endpointId: number, actor: Actor, now: Date): Promise<void> {
  const changes = await ports.store.transaction(async (store) => {
    const ended = await resolveAllOf(ports, store, endpointId, actor);
    await store.endpoints.deregister(endpointId, now);
    return ended;
  });
  await announce(ports, changes);
}
