/** What subscribers are notified of: changes that any process made, as events of the protocol. */
import type { ServerEventBus } from '@modelcontextprotocol/server';
import type { Changes } from '../../src/core/processes/changes.ts';

type Topic = Parameters<Parameters<Changes['subscribe']>[0]>[0][number];

type ChangeEvent = { kind: 'resources_list_changed'; uri?: undefined } | { kind: 'resource_updated'; uri: string };

const FLEET: ChangeEvent = { kind: 'resource_updated', uri: 'dexops://fleet' };

/** The list of resources is one of machines and runbooks, and the fleet's summary counts machines and open alerts. */
const EVENTS: Record<Topic, readonly ChangeEvent[]> = {
  machines: [{ kind: 'resources_list_changed' }, FLEET],
  alerts: [FLEET],
  approvals: [],
  runs: [],
};

/** Each event once, however many topics mean it. */
export function eventsOf(topics: readonly Topic[]): ChangeEvent[] {
  return [...new Set(topics.flatMap((topic) => EVENTS[topic]))];
}

/** Nobody publishes here: the store is watched while anybody listens. */
export function changeEvents(changes: Changes): ServerEventBus {
  return {
    publish() {},
    subscribe: (listener) =>
      changes.subscribe((topics) => {
        for (const event of eventsOf(topics)) listener(event);
      }),
  };
}
