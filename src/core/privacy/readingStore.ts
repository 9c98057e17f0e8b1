/** The store as read where people are pseudonyms: attributes only as far as their cells say them, and no order that tells names. */
import type { Endpoint } from '../../domain/fleet/endpoint.ts';
import { WITHHELD } from '../../domain/privacy/cells.ts';
import { partOfDay } from '../../domain/privacy/minimise.ts';
import type { EndpointRepository, FleetRow } from '../ports/endpointPorts.ts';
import type { Store } from '../ports/storePorts.ts';
import { attributesOf, type NameBook } from './nameBook.ts';

/** Machines in memory at a time. */
const BATCH = 500;
/** What one sorted list takes in at most; the limit of a page is far below. */
const MOST_SORTED = 100_000;

/** @param current the names as they are now, with what may be said to whoever reads */
export function readingStore(store: Store, current: () => Promise<NameBook>): Store {
  const { endpoints } = store;

  async function every(): Promise<Endpoint[]> {
    const book = await current();
    const all: Endpoint[] = [];
    for (let afterId = 0; ; ) {
      const batch = await endpoints.batch(afterId, BATCH);
      const last = batch.at(-1);
      if (!last) return all;
      afterId = last.id;
      all.push(...batch.map((machine) => generalised(machine, book)));
    }
  }

  const reading: EndpointRepository = {
    ...endpoints,
    async batch(afterId, limit) {
      const book = await current();
      return (await endpoints.batch(afterId, limit)).map((machine) => generalised(machine, book));
    },
    members: every,
    async scored() {
      return (await every()).flatMap(({ persona, tags, score }) => (score === null ? [] : [{ persona, tags, score }]));
    },
    async fleet() {
      const groups = Map.groupBy(await every(), ({ persona, scoreStatus }) => `${persona} ${scoreStatus}`);
      return [...groups.values()].map(
        (of): FleetRow => ({
          persona: (of[0] as Endpoint).persona,
          status: (of[0] as Endpoint).scoreStatus,
          endpoints: of.length,
          scoreSum: of.reduce((sum, { score }) => sum + (score ?? 0), 0),
        }),
      );
    },
    async list(filter, page, staleBefore, order) {
      const by = order?.by ?? 'hostname';
      if (by !== 'hostname' && by !== 'ownerEmail' && by !== 'lastSeenAt')
        return endpoints.list(filter, page, staleBefore, order);
      const { words } = await current();
      const { items, total } = await endpoints.list(filter, { limit: MOST_SORTED, offset: 0 }, staleBefore);
      const place = (name: string | null) => (name === null ? '~' : (words.get(name.toLowerCase())?.pseudonym ?? '~'));
      const keyOf = (item: Endpoint): string => {
        if (by === 'ownerEmail') return place(item.ownerEmail);
        const seen = by === 'lastSeenAt' && item.lastSeenAt ? partOfDay(item.lastSeenAt).toISOString() : '';
        return `${seen} ${place(item.hostname)}`;
      };
      const placed = items.map((item): [string, Endpoint] => [keyOf(item), item]);
      placed.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
      if (order?.descending) placed.reverse();
      return { items: placed.slice(page.offset, page.offset + page.limit).map(([, item]) => item), total };
    },
  };
  return { ...store, endpoints: reading };
}

/** As it may be counted: an attribute that its cell does not say is no attribute. */
function generalised(machine: Endpoint, { byId, visible }: NameBook): Endpoint {
  const known = byId.get(machine.id);
  const said = visible.get(machine.id) ?? new Set<string>();
  if (!known) return machine;
  const [persona, os, tier] = attributesOf(known);
  return {
    ...machine,
    ...(!said.has(persona as string) && { persona: WITHHELD as Endpoint['persona'] }),
    ...(!said.has(os as string) && { osPlatform: 'other' as const }),
    ...(!said.has(tier as string) && { criticalityTier: 0 as Endpoint['criticalityTier'] }),
    tags: Object.fromEntries(Object.entries(machine.tags).filter(([key, value]) => said.has(`tag:${key}=${value}`))),
  };
}
