/** The book of names: what stands for what, whose it is, and what may be said of whom. */
import { cellsBy, LEAST_IN_CELL } from '../../domain/privacy/cells.ts';
import { partOfDay } from '../../domain/privacy/minimise.ts';
import type { Identity } from '../ports/privacyPorts.ts';
import type { Pseudonym } from './pseudonyms.ts';

export interface Entry {
  pseudonym: string;
  /** Ids of the machines that it names, or whose owner it names. */
  machines: Set<number>;
  owner: string | null;
}

export interface NameBook {
  /** Real names in lower case. */
  words: ReadonlyMap<string, Entry>;
  /** The real name of a pseudonym. */
  real: ReadonlyMap<string, string>;
  machineOf(hostname: string): Identity | null;
  byId: ReadonlyMap<number, Identity>;
  /** Of machines that are watched: the attributes that may be said of each, because every cell of them is large enough. */
  visible: ReadonlyMap<number, ReadonlySet<string>>;
  /** When a machine joined, no finer than a span in which enough others did. */
  joinedAt: ReadonlyMap<number, Date>;
  /** Whether the watched machines of which something holds are whole cells, and enough. */
  isWholeCells(holds: (machine: Identity) => boolean): boolean;
  /** Pairs `key=value` of tags that are never said. */
  hiddenTags: ReadonlySet<string>;
}

/** Parts of addresses that are words of their own. */
const PLAIN_WORDS = new Set([
  'admin',
  'root',
  'user',
  'info',
  'support',
  'office',
  'service',
  'unknown',
  'nobody',
  'test',
]);
const LEAST_LETTERS = 4;

/** The attributes of a machine by which it could be told from others. */
export function attributesOf({ persona, osPlatform, criticalityTier, tags }: Identity): string[] {
  return [
    `persona:${persona}`,
    `os:${osPlatform}`,
    `tier:${criticalityTier}`,
    ...Object.entries(tags).map(([key, value]) => `tag:${key}=${value}`),
  ];
}

export function nameBook(identities: readonly Identity[], pseudonym: Pseudonym): NameBook {
  const words = new Map<string, Entry>();
  const real = new Map<string, string>();
  const hosts = new Map<string, Identity>();
  const add = (kind: Parameters<Pseudonym>[0], name: string, machine: Identity, shown = pseudonym(kind, name)) => {
    const word = name.toLowerCase();
    const known = words.get(word);
    if (known) known.machines.add(machine.id);
    else
      words.set(word, {
        pseudonym: shown,
        machines: new Set([machine.id]),
        owner: machine.ownerEmail?.toLowerCase() ?? null,
      });
    if (!real.has(shown)) real.set(shown, name);
  };
  // The registered names first: an alias of one machine never takes the name of another.
  for (const machine of identities) {
    add('pc', machine.hostname, machine);
    if (!machine.isGone || !hosts.has(machine.hostname)) hosts.set(machine.hostname, machine);
  }
  for (const machine of identities) {
    const { hostname, ipAddress, ownerEmail, names } = machine;
    if (ipAddress !== null) add('ip', ipAddress, machine);
    for (const { kind, value } of names) {
      // Another form of the name stands for the same machine.
      if (kind === 'name') add('pc', value, machine, pseudonym('pc', hostname));
      else add(kind === 'address' ? 'ip' : 'id', value, machine);
    }
    if (ownerEmail === null) continue;
    add('person', ownerEmail, machine);
    const local = ownerEmail.split('@')[0] ?? '';
    if (local.length >= LEAST_LETTERS && !PLAIN_WORDS.has(local.toLowerCase()))
      add('person', local, machine, pseudonym('person', ownerEmail));
  }
  const watched = identities.filter(({ isGone }) => !isGone);
  const { visible, isWholeCells } = cellsOf(watched);
  const said = new Set([...visible.values()].flatMap((shown) => [...shown]));
  const hiddenTags = new Set(
    identities
      .flatMap(attributesOf)
      .filter((attribute) => attribute.startsWith('tag:') && !said.has(attribute))
      .map((attribute) => attribute.slice('tag:'.length)),
  );
  return {
    words,
    real,
    machineOf: (hostname) => hosts.get(hostname.toLowerCase()) ?? null,
    byId: new Map(identities.map((machine) => [machine.id, machine])),
    visible,
    joinedAt: spansOf(identities),
    hiddenTags,
    isWholeCells,
  };
}

/** What may be said of machines to somebody who sees all of these and no others. */
export function cellsOf(machines: readonly Identity[]): Pick<NameBook, 'visible' | 'isWholeCells'> {
  const cells = cellsBy(machines, attributesOf, (group) => group.startsWith('persona:'));
  const visible = new Map<number, ReadonlySet<string>>();
  for (const { groups, members } of cells) {
    const shown = new Set(members.length >= LEAST_IN_CELL ? groups : []);
    for (const { id } of members) visible.set(id, shown);
  }
  return {
    visible,
    isWholeCells: (holds) =>
      cells.every(({ members }) => {
        const found = members.filter(holds).length;
        return found === 0 || found === members.length;
      }) && machines.filter(holds).length >= LEAST_IN_CELL,
  };
}

/** The beginning of the span in which each joined; the newest few belong to the span before them. */
function spansOf(identities: readonly Identity[]): Map<number, Date> {
  const sorted = identities.toSorted((a, b) => a.registeredAt.getTime() - b.registeredAt.getTime());
  const spans = new Map<number, Date>();
  let begins = new Date(0);
  for (const [place, { id, registeredAt }] of sorted.entries()) {
    if (place % LEAST_IN_CELL === 0 && (place === 0 || sorted.length - place >= LEAST_IN_CELL))
      begins = partOfDay(registeredAt);
    spans.set(id, begins);
  }
  return spans;
}
