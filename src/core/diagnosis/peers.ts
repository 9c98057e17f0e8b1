/** Finds the machines that one is compared with: those of its model, persona and system, the most alike first. */
import { type Endpoint, staleAfterMs } from '../../domain/fleet/endpoint.ts';
import type { StoredSnapshot } from '../ports/endpointPorts.ts';
import type { Ports } from '../ports/ports.ts';
import { staleBefore } from '../scores/staleness.ts';

/** More would not make the comparison surer. */
const MOST_PEERS = 60;
/** Machines read to choose them from. */
const MOST_CANDIDATES = 400;
/** Tags by which organisations name the model of a machine. */
const MODEL_TAGS = ['model', 'hardware_model', 'hardware'];

interface Peers {
  /** The last scan of each, of those scanned lately. */
  snapshots: StoredSnapshot[];
  /** What they have in common with the machine, as people read it: `model=T14, developer, linux`. */
  alike: string;
}

export async function peersOf(ports: Pick<Ports, 'store' | 'settings'>, endpoint: Endpoint, now: Date): Promise<Peers> {
  const { store, settings } = ports;
  const model = MODEL_TAGS.find((key) => endpoint.tags[key] !== undefined);
  const page = { limit: MOST_CANDIDATES, offset: 0 };
  const stale = staleBefore(ports, now);
  const lists = await Promise.all([
    ...(model ? [store.endpoints.list({ tag: `${model}=${endpoint.tags[model]}` }, page, stale)] : []),
    store.endpoints.list({ persona: endpoint.persona }, page, stale),
  ]);
  const candidates = new Map(lists.flatMap(({ items }) => items).map((each) => [each.id, each]));
  candidates.delete(endpoint.id);
  const likeness = ({ persona, tags }: Endpoint) =>
    (model && tags[model] === endpoint.tags[model] ? 4 : 0) +
    (persona === endpoint.persona ? 2 : 0) +
    Object.entries(tags).filter(([key, value]) => key !== model && endpoint.tags[key] === value).length / 4;
  const chosen = [...candidates.values()]
    .filter(({ osPlatform }) => osPlatform === endpoint.osPlatform)
    .sort((a, b) => likeness(b) - likeness(a) || a.id - b.id)
    .slice(0, MOST_PEERS);
  const latest = await store.snapshots.latest(chosen.map(({ id }) => id));
  const since = now.getTime() - staleAfterMs(settings.scanIntervalMs);
  const ofModel = model && chosen.every(({ tags }) => tags[model] === endpoint.tags[model]);
  const ofPersona = chosen.every(({ persona }) => persona === endpoint.persona);
  return {
    snapshots: [...latest.values()].filter(({ collectedAt }) => collectedAt.getTime() >= since),
    alike: [
      ...(ofModel ? [`${model}=${endpoint.tags[model]}`] : []),
      ...(ofPersona ? [endpoint.persona] : []),
      endpoint.osPlatform,
    ].join(', '),
  };
}
