/** What a person may know and decide about their own machine: what is kept, who looked, a pause, a copy, and its erasure. */
import type { Endpoint } from '../../domain/fleet/endpoint.ts';
import { declarationOf, SIGNAL_NAMES, wireName } from '../../domain/signals/catalogue.ts';
import { amount, numbersOf, worstOf } from '../../domain/signals/measures.ts';
import type { Ports } from '../ports/ports.ts';
import { registerLines } from './register.ts';

export const LONGEST_PAUSE_MINUTES = 120;

/** The beginning and the end of a pause; null where none is in force. */
export async function pauseOf(
  { store }: Pick<Ports, 'store'>,
  endpointId: number,
  now: Date,
): Promise<{ from: Date; until: Date } | null> {
  const pause = (await store.pauses.since(now)).get(endpointId);
  return pause && pause.until > now ? pause : null;
}

interface KnownSignal {
  signal: string;
  label: string;
  purpose: string;
  personal: boolean;
  /** The value as text, or why there is none. */
  value: string;
  measuredAt: Date | null;
}

/** Every signal of the catalogue, with what was last measured of it. */
export async function knownSignals({ store }: Pick<Ports, 'store'>, { id }: Endpoint): Promise<KnownSignal[]> {
  const snapshot = (await store.snapshots.latest([id])).get(id);
  return SIGNAL_NAMES.map((name) => {
    const { label, purpose, personal = false, measure } = declarationOf(name);
    const named = { signal: wireName(name), label, purpose, personal };
    if (!snapshot) return { ...named, value: 'nothing measured yet', measuredAt: null };
    const reading = snapshot.readings[name];
    if ('missing' in reading) return { ...named, value: `not measured: ${reading.missing}`, measuredAt: null };
    const key = measure?.name ?? wireName(name);
    const worst = worstOf(snapshot, key);
    const count = numbersOf(snapshot, key)?.length ?? 0;
    const value = worst === null ? 'none' : `${amount(key, worst.value)}${count > 1 ? ` (worst of ${count})` : ''}`;
    return { ...named, value, measuredAt: snapshot.collectedAt };
  });
}

/** How long what is known of a machine is kept. */
export function keptTexts({ settings }: Pick<Ports, 'settings'>): { what: string; kept: string }[] {
  return registerLines(settings)
    .filter(({ recipients }) => recipients.includes('the person themself'))
    .map(({ what, kept }) => ({ what, kept }));
}

/** The names by which a machine and its person are found in text, in lower case. */
async function wordsOf({ store }: Pick<Ports, 'store'>, endpoint: Endpoint): Promise<string[]> {
  const names = (await store.aliases.ofEndpoints([endpoint.id])).get(endpoint.id) ?? [];
  const others = await othersOf({ store }, endpoint);
  const owner = others ? [] : [endpoint.ownerEmail];
  const words = [endpoint.hostname, endpoint.ipAddress, ...owner, ...names.map(({ value }) => value)];
  return (
    [...new Set(words.filter((word) => word !== null).map((word) => word.toLowerCase()))]
      // The longest first: a short name is a part of the long one.
      .sort((a, b) => b.length - a.length)
  );
}

/** Whether the owner has another machine, whose data stays. */
async function othersOf({ store }: Pick<Ports, 'store'>, { id, ownerEmail }: Endpoint): Promise<boolean> {
  if (ownerEmail === null) return false;
  const { items } = await store.endpoints.list({ ownerEmail }, { limit: 2, offset: 0 }, new Date(0));
  return items.some((other) => other.id !== id);
}

/** All rows that are about a machine or name it, by table. */
export async function exportData(
  ports: Pick<Ports, 'store'>,
  endpoint: Endpoint,
): Promise<Record<string, Record<string, unknown>[]>> {
  return ports.store.personalData.export({ endpointId: endpoint.id, words: await wordsOf(ports, endpoint) });
}

/** What stands where a name was erased: the same for one machine, and nothing that leads back to it. */
const erasedName = (id: number) => `erased-${id}`;

/**
 * Erases a machine's data: what was measured and raised is deleted, and its names disappear from all that remains, in the
 * database and in the backups beside the service. The machine is registered no more.
 */
export async function eraseData(
  ports: Pick<Ports, 'store' | 'clock' | 'backups'>,
  endpoint: Endpoint,
): Promise<{ name: string; deleted: number; changed: number; backups: number }> {
  const words = await wordsOf(ports, endpoint);
  const names = { words, replacement: erasedName(endpoint.id) };
  const counts = await ports.store.transaction(async (store) => {
    await store.endpoints.hold([endpoint.id]);
    await store.endpoints.update(
      endpoint.id,
      { ipAddress: null, ownerEmail: null, tags: {}, options: {} },
      ports.clock.now(),
    );
    await store.endpoints.deregister(endpoint.id, ports.clock.now());
    return store.personalData.erase({ endpointId: endpoint.id, ...names });
  });
  await ports.store.personalData.compact();
  return { name: names.replacement, ...counts, backups: await ports.backups.erase(names) };
}
