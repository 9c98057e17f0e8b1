/** The boundary between names and pseudonyms: every call passes it on its way in and out, and so does what leaves by itself. */
import { isSelected } from '../../domain/fleet/selection.ts';
import { LEAST_IN_CELL } from '../../domain/privacy/cells.ts';
import type { Actor } from '../actor.ts';
import { canonicalJson } from '../canonicalJson.ts';
import { AppError } from '../errors.ts';
import { isStaff } from '../policy.ts';
import type { CrossingTool, PrivacyBoundary } from '../ports/privacyBoundary.ts';
import type { Identity } from '../ports/privacyPorts.ts';
import type { Store } from '../ports/storePorts.ts';
import { attributesOf, cellsOf, type Entry, type NameBook, nameBook } from './nameBook.ts';
import { type Mac, PSEUDONYM, pseudonymsBy } from './pseudonyms.ts';
import { readingStore } from './readingStore.ts';
import { HOST_FIELDS, NOBODY, type Reader, type Translator, tokensIn, translator } from './translation.ts';

interface BoundaryParts {
  /** Null before the store is open. */
  store: Store | null;
  mac: Mac;
  now(): Date;
  publicUrl: string;
  /** Ids of the Slack users whom the configuration names as staff. */
  staff: readonly string[];
}

/** The service's own systems work with real names: machines report as themselves, and alerts come with the names that their source has. */
const BY_NAME: readonly Actor['via'][] = ['agent', 'webhook'];

/** Their input was checked where it came in. */
const TRUSTED: readonly Actor['via'][] = ['job', 'planner'];

/** Longer than a call takes. */
const RETIRED_MS = 10 * 60_000;

/** Fields that hold a mail address. */
const PERSON_FIELDS = new Set(['owner_email', 'email']);

/** Fields that choose machines by a part of a name: only whole pseudonyms do. */
const SEARCH_FIELDS = new Set(['search', 'prefix', 'ip_address']);

/** Messages that go to the very person whom they are about. */
const TO_THE_PERSON = new Set(['fix_check', 'privacy_notice']);

export function pseudonymousBoundary({ store, mac, now, publicUrl, staff }: BoundaryParts): PrivacyBoundary {
  const context = { publicUrl, staff: new Set(staff) };
  const pseudonym = pseudonymsBy(mac);
  let book = nameBook([], pseudonym);
  let translate = translator(book, mac, context);
  let known: string | null = null;
  /** Of teams, made once while nothing changes, because dividing a large fleet takes longer than a call should. */
  let teamBooks = new Map<string, NameBook>();

  /** Names that were erased: what the call that did it still writes to the log has none of them. */
  const retired = new Map<string, { entry: Entry; untilMs: number }>();

  function withRetired(before: NameBook['words'], fresh: NameBook['words']): NameBook['words'] {
    const nowMs = now().getTime();
    for (const [word, entry] of before)
      if (!fresh.has(word) && !retired.has(word)) retired.set(word, { entry, untilMs: nowMs + RETIRED_MS });
    for (const [word, { untilMs }] of retired) if (fresh.has(word) || untilMs < nowMs) retired.delete(word);
    if (retired.size === 0) return fresh;
    return new Map([...fresh, ...[...retired].map(([word, { entry }]): [string, Entry] => [word, entry])]);
  }

  async function current(): Promise<void> {
    if (store === null) return;
    const marker = await store.identities.marker();
    if (marker !== known) {
      const fresh = nameBook(await store.identities.all(), pseudonym);
      book = { ...fresh, words: withRetired(book.words, fresh.words) };
      teamBooks = new Map();
      translate = translator(book, mac, context);
      known = marker;
    }
  }

  /** The book with what may be said to somebody who knows that all machines that they see are of their part of the fleet. */
  function bookFor(actor: Actor): NameBook {
    if (!actor.grants) return book;
    const key = canonicalJson(actor.grants);
    const made = teamBooks.get(key);
    if (made) return made;
    const scopes = scopesOf(actor, book);
    const own = scopes === null ? book : { ...book, ...cellsOf([...new Set(scopes.flat())]) };
    teamBooks.set(key, own);
    return own;
  }

  async function readerOf(actor: Actor): Promise<Reader> {
    const reveals = ((await store?.reveals.active(now())) ?? []).filter(({ requestedBy }) => requestedBy === actor.id);
    return {
      email: actor.email?.toLowerCase() ?? null,
      actorId: actor.id,
      revealed: new Set(reveals.map(({ endpointId }) => endpointId)),
      typed: typedBy.get(actor) ?? new Set(),
      withheld: typedBy.has(actor),
      visible: bookFor(actor).visible,
    };
  }

  /** Names that a call makes known stay as they were written, by who makes it. */
  const typedBy = new WeakMap<Actor, ReadonlySet<string>>();

  return {
    readingStore: (narrowed, actor) =>
      readingStore(narrowed, async () => {
        await current();
        return bookFor(actor);
      }),
    refresh: current,
    leaving: (value) => translate.shown(value, NOBODY),
    withheld: (value) => translate.shown(value, { ...NOBODY, withheld: true }),
    returning: (value) => translate.resolved(value),
    async outbound(messages) {
      await current();
      return messages.map((message) =>
        TO_THE_PERSON.has(String(message.payload.what))
          ? message
          : { ...message, payload: translate.shown(message.payload, NOBODY) },
      );
    },
    async enter(tool, raw, actor, isApproved) {
      if (BY_NAME.includes(actor.via)) return { raw, actor, shown: (value) => value };
      await current();
      requireLargeScope(actor, book);
      const resolved = translate.resolved(raw);
      const caller: Actor = isStaff(actor)
        ? { ...actor }
        : { ...actor, name: pseudonym('person', actor.email ?? actor.id) };
      if (tool.namesMachines) typedBy.set(caller, new Set(tokensIn(raw)));
      const reader = await readerOf(caller);
      if (!TRUSTED.includes(actor.via) && !tool.namesMachines && !isApproved) {
        requirePseudonyms(raw, reader, translate);
        requireWholeCells(tool, raw, bookFor(actor), (name) => translate.mayName(name, reader));
      }
      return {
        raw: resolved,
        actor: caller,
        shown: (value) => translate.shown(value, reader),
      };
    },
    async readerOf(actor) {
      if (BY_NAME.includes(actor.via)) return { shown: (value) => value };
      const reader = await readerOf(actor);
      return { shown: (value) => translate.shown(value, reader) };
    },
  };
}

/** The watched machines that each of an actor's roles shows; null for one whose role holds for the whole fleet, or who has none. */
function scopesOf({ grants }: Actor, { byId }: NameBook): Identity[][] | null {
  if (!grants || grants.some(({ role, within }) => within === null && isStaff({ role }))) return null;
  const machines = [...byId.values()].filter(({ isGone }) => !isGone);
  return grants
    .filter(({ role }) => isStaff({ role }))
    .map(({ within }) => machines.filter((machine) => isSelected(within ?? [], machine)));
}

/** A part of the fleet as small as a few machines is nobody's pseudonym; nor is what two parts do not share. */
function requireLargeScope(actor: Actor, book: NameBook): void {
  const scopes = scopesOf(actor, book) ?? [];
  const places = Map.groupBy(new Set(scopes.flat()), (machine) =>
    scopes.map((scope) => (scope.includes(machine) ? '1' : '0')).join(''),
  );
  if ([...places.values()].every(({ length }) => length >= LEAST_IN_CELL)) return;
  throw new AppError(
    'refused',
    `Your role holds for so few machines that a person could be singled out (fewer than ${LEAST_IN_CELL}, or two parts of the fleet that differ by so few). Ask an administrator for a larger part.`,
  );
}

/** The same refusal whether or not there is such a machine or person. */
function requirePseudonyms(raw: unknown, reader: Reader, translate: Translator): void {
  const named = realNames(raw, reader, translate);
  if (named.length === 0) return;
  throw new AppError(
    'refused',
    'Machines and people are called by their pseudonyms here, as pc-4f7k2m9x1q: take the name out, or write the pseudonym. Whose it is may be revealed for a reason, with reveal.',
  );
}

function realNames(raw: unknown, reader: Reader, translate: Translator, key: string | null = null): string[] {
  if (typeof raw === 'string') {
    const isPseudonym = raw.replace(PSEUDONYM, '').trim() === '';
    const isNameField = key !== null && (HOST_FIELDS.has(key) || PERSON_FIELDS.has(key));
    if (isNameField) return isPseudonym || translate.mayName(raw.trim(), reader) ? [] : [raw];
    // A search is judged by what it finds.
    return key !== null && SEARCH_FIELDS.has(key) ? [] : translate.namesIn(raw, reader);
  }
  if (raw === null || typeof raw !== 'object') return [];
  return Object.entries(raw).flatMap(([name, each]) =>
    realNames(each, reader, translate, Array.isArray(raw) ? key : name),
  );
}

/** What is chosen by attributes has to be a sum of whole cells, or the difference of two lists would be one machine. */
function requireWholeCells(tool: CrossingTool, raw: unknown, book: NameBook, mayName: (name: string) => boolean): void {
  if (raw === null || typeof raw !== 'object' || 'hostname' in raw || tool.effect !== 'read') return;
  const conditions = Object.entries(raw).flatMap(([key, value]) => {
    const holds = value === undefined || value === null ? null : conditionOf(key, String(value), mayName);
    return holds ? [holds] : [];
  });
  if (conditions.length === 0 || book.isWholeCells((machine) => conditions.every((holds) => holds(machine)))) return;
  throw new AppError(
    'refused',
    'This choice fits no machine, or so few that a person could be singled out (fewer than 5, or a group without the few that make the difference). Choose a larger group.',
  );
}

/** Which machines a field of an input chooses by what they are; null where it chooses none, or by a pseudonym. */
function conditionOf(
  key: string,
  value: string,
  mayName: (name: string) => boolean,
): ((machine: Identity) => boolean) | null {
  const has = (attribute: string) => (machine: Identity) => attributesOf(machine).includes(attribute);
  switch (key) {
    case 'persona':
      return has(`persona:${value}`);
    case 'os_platform':
      return has(`os:${value}`);
    case 'criticality_tier':
      return has(`tier:${value}`);
    case 'tag':
      return value.includes('=') ? has(`tag:${value}`) : (machine) => value in machine.tags;
    case 'search':
    case 'prefix':
    case 'ip_address': {
      const words = value
        .toLowerCase()
        .split(/\s+/)
        .filter((word) => word.replace(PSEUDONYM, '') !== '' && !mayName(word));
      if (words.length === 0) return null;
      // Only what a machine is: names and addresses would say whose it is.
      return key === 'search'
        ? (machine) => words.every((word) => attributesOf(machine).join(' ').toLowerCase().includes(word))
        : () => false;
    }
    default:
      return null;
  }
}
