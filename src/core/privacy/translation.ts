/** Names into pseudonyms and back, in whatever value carries them: in fields that hold a name, and in any text. */
import { canonicalIp } from '../../domain/fleet/ipAddress.ts';
import { WITHHELD } from '../../domain/privacy/cells.ts';
import { partOfDay } from '../../domain/privacy/minimise.ts';
import type { Identity } from '../ports/privacyPorts.ts';
import { attributesOf, type NameBook } from './nameBook.ts';
import { type Mac, PSEUDONYM, pseudonymsBy, scrambledId } from './pseudonyms.ts';

/** Who reads, and whom they may see by name. */
export interface Reader {
  /** Mail address in lower case. */
  email: string | null;
  actorId: string | null;
  /** Ids of machines whose names they are shown for a time. */
  revealed: ReadonlySet<number>;
  /** Names in lower case that they wrote themselves in this call. */
  typed: ReadonlySet<string>;
  /** Beside names of their own writing a pseudonym would say whose it is: what they may not see is then withheld. */
  withheld?: boolean;
  /** What may be said of which machine to those whose roles hold for a part of the fleet; by default as to all. */
  visible?: NameBook['visible'];
}

/** Somebody of whom nothing is known. */
export const NOBODY: Reader = { email: null, actorId: null, revealed: new Set(), typed: new Set() };

/** Whether a value is about a machine: one that the reader may see by name, or one that they may not. */
type About = 'none' | 'hidden' | 'clear';

export interface Translator {
  /** A value with pseudonyms in the place of all names that the reader may not see. */
  shown<T>(value: T, reader: Reader): T;
  /** A value with the names that stand behind pseudonyms. */
  resolved<T>(value: T): T;
  /** The names in a value that the reader may not see, in lower case. */
  namesIn(value: unknown, reader: Reader): string[];
  mayName(name: string, reader: Reader): boolean;
}

/** Fields that hold the name of a machine, or names of several. */
export const HOST_FIELDS = new Set([
  'hostname',
  'host',
  'hosts',
  'hostnames',
  'instance',
  'nodename',
  'proved_hostname',
]);

/** Fields that hold the number of a machine, beside its own `id`. */
const NUMBER_FIELDS = new Set(['endpoint_id']);

/** Times at which a machine was in use, wherever they stand: by the part of the day. */
const USE_FIELDS = new Set([
  'last_seen_at',
  'last_scan_at',
  'scored_at',
  'collected_at',
  'measured_at',
  'signals_at',
  'registered_at',
  'booted_at',
]);

/** Of what is about a machine, the times that say nothing of its use: those that lie ahead, and those that people made. */
const TIMES_OF_OTHERS = new Set([
  'as_of',
  'until',
  'expires_at',
  'paused_until',
  'acknowledged_until',
  'acknowledged_at',
  'requested_at',
  'decided_at',
]);

/** A point in time to the minute or finer, as texts have it. */
const TIMESTAMP = /\b\d{4}-\d\d-\d\d([T ])\d\d:\d\d(:\d\d(?:\.\d+)?)?(Z)?/g;

const EMAIL = /[\w.+%-]+@[\w-]+(?:\.[\w-]+)+/g;
const HOME = /(\/home\/|\/Users\/|[A-Z]:\\Users\\)[^/\\\s"']+/g;
const WORD = /[\p{L}\p{N}_](?:[\p{L}\p{N}_.-]*[\p{L}\p{N}_])?/gu;
const IPV4 = /(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.])/g;
const IPV6 = /(?<![\w:])(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}(?![\w:])/gi;
const MAC_ADDRESS = /(?<![\w:-])[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}(?![\w:-])/gi;
const SLACK_USER = /\bslack:([UW][A-Z0-9]{2,})\b/g;
const OF_NOBODY = /^(127\.|0\.0\.0\.0$|255\.|::1?$)/;

/**
 * @param publicUrl the service's own address, which is nobody's
 * @param staff ids of the Slack users that the configuration names
 */
export function translator(
  book: NameBook,
  mac: Mac,
  { publicUrl, staff }: { publicUrl: string; staff: ReadonlySet<string> },
): Translator {
  const pseudonym = pseudonymsBy(mac);

  const alias = (shown: string, reader: Reader) => (reader.withheld ? WITHHELD : shown);
  const isClear = (machines: Iterable<number>, owner: string | null, reader: Reader): boolean => {
    if (owner !== null && owner === reader.email) return true;
    for (const id of machines) {
      if (reader.revealed.has(id) || isOwn(book.byId.get(id), reader)) return true;
    }
    return false;
  };
  /** The entry of a name that the reader may not see. */
  const hidden = (word: string, reader: Reader) => {
    const entry = book.words.get(word);
    if (!entry || reader.typed.has(word) || isClear(entry.machines, null, reader)) return null;
    return entry;
  };

  function word(token: string, reader: Reader): string {
    const lower = token.toLowerCase();
    const whole = hidden(lower, reader);
    if (whole) return alias(whole.pseudonym, reader);
    if (book.words.has(lower) || reader.typed.has(lower) || !lower.includes('.')) return token;
    // A longer form of a short name.
    const short = hidden(lower.slice(0, lower.indexOf('.')), reader);
    return short ? alias(short.pseudonym, reader) : token;
  }

  function address(text: string, reader: Reader): string {
    const canonical = canonicalIp(text);
    if (canonical === null || OF_NOBODY.test(canonical) || reader.typed.has(canonical)) return text;
    const entry = hidden(canonical, reader);
    if (book.words.has(canonical) && !entry) return text;
    return alias(entry?.pseudonym ?? pseudonym('ip', canonical), reader);
  }

  function person(email: string, reader: Reader): string {
    const lower = email.toLowerCase();
    if (lower === reader.email || reader.typed.has(lower)) return email;
    const entry = book.words.get(lower);
    return entry && isClear(entry.machines, null, reader) ? email : alias(pseudonym('person', lower), reader);
  }

  function plainText(text: string, reader: Reader): string {
    return text
      .replace(EMAIL, (email) => person(email, reader))
      .replace(HOME, '$1user')
      .replace(SLACK_USER, (whole, id: string) =>
        whole === reader.actorId || staff.has(id) ? whole : `slack:${pseudonym('person', whole)}`,
      )
      .replace(MAC_ADDRESS, (mac) => (reader.typed.has(mac.toLowerCase()) ? mac : alias(pseudonym('id', mac), reader)))
      .replace(IPV4, (ip) => address(ip, reader))
      .replace(IPV6, (ip) => address(ip, reader))
      .replace(WORD, (token) => word(token, reader));
  }

  function text(given: string, reader: Reader): string {
    if (given === '') return given;
    if (publicUrl === '' || !given.includes(publicUrl)) return plainText(given, reader);
    return given
      .split(publicUrl)
      .map((part) => plainText(part, reader))
      .join(publicUrl);
  }

  function field(key: string | null, value: string, reader: Reader, about: About): string {
    const tellsUse =
      about === 'hidden' ? !TIMES_OF_OTHERS.has(key ?? '') : about === 'none' && USE_FIELDS.has(key ?? '');
    if (about !== 'clear' && book.hiddenTags.has(value)) return WITHHELD;
    const shown = text(tellsUse ? value.replace(TIMESTAMP, byPartOfDay) : value, reader);
    // A name that is not in the book is one all the same.
    const isName = key !== null && HOST_FIELDS.has(key) && shown === value && value !== '';
    if (!isName || new RegExp(PSEUDONYM.source).test(value) || mayName(value, reader)) return shown;
    return alias(pseudonym('pc', value), reader);
  }

  function mayName(name: string, reader: Reader): boolean {
    const lower = name.toLowerCase();
    if (lower === reader.email || reader.typed.has(lower)) return true;
    const entry = book.words.get(lower);
    return entry !== undefined && isClear(entry.machines, null, reader);
  }

  function walk(value: unknown, reader: Reader, key: string | null, about: About): unknown {
    if (typeof value === 'string') return field(key, value, reader, about);
    if (Array.isArray(value)) return value.map((each) => walk(each, reader, key, about));
    if (value instanceof Error) return shownError(value, reader);
    if (value === null || typeof value !== 'object' || value instanceof Date || ArrayBuffer.isView(value)) return value;
    const fields = value as Record<string, unknown>;
    const machine = book.machineOf(nameIn(fields) ?? nameIn(fields.endpoint) ?? '');
    // What belongs to a machine is seen as the machine is.
    const isHiddenPerson = typeof fields.email === 'string' && person(fields.email, reader) !== fields.email;
    const here = machine
      ? reader.revealed.has(machine.id) || isOwn(machine, reader)
        ? 'clear'
        : 'hidden'
      : isHiddenPerson
        ? 'hidden'
        : about;
    const entries = Object.entries(fields).map(([name, each]): [string, unknown] => [
      text(name, reader),
      reader.withheld && NUMBER_FIELDS.has(name) && typeof each === 'number' ? null : walk(each, reader, name, here),
    ]);
    const shown = Object.fromEntries(entries);
    // A name beside an address would say whose pseudonym that is.
    if (isHiddenPerson && typeof fields.name === 'string') shown.name = shown.email;
    return machine && here === 'hidden' && nameIn(fields) !== null
      ? generalised(shown, fields, machine, reader)
      : shown;
  }

  /** Without the attributes, and the number, by which a machine could be told from others. */
  function generalised(
    shown: Record<string, unknown>,
    given: Record<string, unknown>,
    machine: Identity,
    { visible = book.visible, withheld }: Reader,
  ) {
    const said = visible.get(machine.id) ?? new Set<string>();
    const hides = (attribute: string) => !said.has(attribute);
    const [persona, os, tier] = attributesOf(machine);
    const isTag = (name: string) => !hides(`tag:${name}=${machine.tags[name]}`);
    return {
      ...shown,
      ...(typeof given.persona === 'string' && hides(persona as string) && { persona: WITHHELD }),
      ...(typeof given.os_platform === 'string' && hides(os as string) && { os_platform: 'other' }),
      ...(typeof given.criticality_tier === 'number' && hides(tier as string) && { criticality_tier: null }),
      ...(isRecord(given.tags) && {
        tags: Object.fromEntries(Object.entries(shown.tags as object).filter(([name]) => isTag(name))),
      }),
      ...(typeof given.id === 'number' &&
        'registered_at' in given && { id: withheld ? 0 : scrambledId(mac, 'endpoint', given.id) }),
      ...('registered_at' in given && {
        registered_at: book.joinedAt.get(machine.id)?.toISOString() ?? shown.registered_at,
        updated_at: book.joinedAt.get(machine.id)?.toISOString() ?? shown.registered_at,
      }),
    };
  }

  function shownError(error: Error, reader: Reader): Error {
    const copy = Object.create(Object.getPrototypeOf(error)) as Error & Record<string, unknown>;
    for (const name of Object.getOwnPropertyNames(error))
      copy[name] = walk((error as unknown as Record<string, unknown>)[name], reader, name, 'none');
    return copy;
  }

  const resolvedText = (given: string) => given.replace(PSEUDONYM, (shown) => book.real.get(shown) ?? shown);

  function resolve(value: unknown): unknown {
    if (typeof value === 'string') return resolvedText(value);
    if (Array.isArray(value)) return value.map(resolve);
    if (!isRecord(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, resolve(each)]));
  }

  const namesIn = (value: unknown, reader: Reader): string[] =>
    tokensIn(value).filter((token) => hidden(token, reader) || hidden(token.split('.')[0] as string, reader));

  return {
    shown: <T>(value: T, reader: Reader) => walk(value, reader, null, 'none') as T,
    resolved: <T>(value: T) => resolve(value) as T,
    namesIn,
    mayName,
  };
}

/** Whatever in the texts of a value could be a name, in lower case; addresses in their canonical form as well. */
export function tokensIn(value: unknown): string[] {
  if (typeof value !== 'string')
    return value !== null && typeof value === 'object' ? Object.values(value).flatMap(tokensIn) : [];
  return [EMAIL, WORD, IPV4, IPV6, MAC_ADDRESS]
    .flatMap((kind) => [...value.matchAll(kind)].map(([token]) => token.toLowerCase()))
    .flatMap((token) => [token, canonicalIp(token) ?? token]);
}

/** A timestamp within a text, as that of the part of the day. Texts have their times in UTC. */
function byPartOfDay(written: string, between: string, seconds: string | undefined, zone: string | undefined): string {
  const at = Date.parse(`${written.slice(0, 16).replace(' ', 'T')}:00Z`);
  if (Number.isNaN(at)) return written;
  const iso = partOfDay(new Date(at)).toISOString();
  return zone ? iso : iso.slice(0, seconds ? 19 : 16).replace('T', between);
}

function nameIn(value: unknown): string | null {
  return isRecord(value) && typeof value.hostname === 'string' ? value.hostname : null;
}

function isOwn(machine: Identity | undefined, { email }: Reader): boolean {
  return email !== null && machine?.ownerEmail?.toLowerCase() === email;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype;
}
