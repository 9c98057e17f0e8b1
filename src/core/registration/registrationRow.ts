/** Reads one row of somebody's list of machines (a line of CSV, an entry of JSON, a typed name) as the input of a registration. */
import type { OsPlatform } from '../../domain/signals/declaration.ts';

/** What a list calls the fields, besides their own names; spaces, dots and hyphens count as underscores. */
const COLUMN_NAMES: Record<string, readonly string[]> = {
  hostname: ['host', 'name', 'fqdn', 'computer', 'computer_name', 'device', 'device_name', 'machine', 'machine_name'],
  ip_address: ['ip', 'address', 'ipv4', 'ipv4_address'],
  owner_email: ['owner', 'email', 'mail', 'user_email', 'assigned_to', 'primary_user', 'upn', 'user_principal_name'],
  persona: ['role'],
  criticality_tier: ['tier', 'criticality'],
  os_platform: ['os', 'platform', 'operating_system', 'system'],
  collector: ['collect_with'],
  tags: ['labels'],
};

/** Fields of `options`, which a flat row has beside the others. */
const OPTION_NAMES = [
  'port',
  'path',
  'scheme',
  'services',
  'username',
  'private_key_file',
  'host_key_sha256',
  'timeout_ms',
  'internet_target',
  'personal',
] as const;

/** How inventories begin the names of systems. */
const SYSTEMS: readonly (readonly [RegExp, OsPlatform])[] = [
  [/^(windows|win\d|microsoft)/i, 'windows'],
  [/^(mac|os ?x|darwin)/i, 'macos'],
  [/^(linux|ubuntu|debian|fedora|red ?hat|rhel|centos|alma|rocky|suse|opensuse|arch|mint|gnu)/i, 'linux'],
];

const FIELD_OF = new Map(
  Object.entries(COLUMN_NAMES).flatMap(([field, names]) =>
    [field, ...names].map((name): [string, string] => [name, field]),
  ),
);

interface RegistrationRow {
  /** For the registration's schema to check. */
  input: Record<string, unknown>;
  /** Columns that mean nothing here. */
  ignored: string[];
}

/** A cell without text counts as not given, so that an update leaves the field as it is. */
export function registrationRow(row: Readonly<Record<string, unknown>>): RegistrationRow {
  const input: Record<string, unknown> = {};
  const options: Record<string, unknown> = {};
  const tags: Record<string, unknown> = {};
  const ignored: string[] = [];
  for (const [column, raw] of Object.entries(row)) {
    const value = typeof raw === 'string' ? raw.trim() : raw;
    const name = column
      .trim()
      .toLowerCase()
      .replace(/[\s.-]+/g, '_');
    const [, tag] = /^(?:tag|tags|label)[.:_ -]+(.+)$/i.exec(column.trim()) ?? [];
    const option = OPTION_NAMES.find((known) => name === known || name === `options_${known}`);
    const field = FIELD_OF.get(name);
    if (tag === undefined && option === undefined && field === undefined && name !== 'options') ignored.push(column);
    else if (value === '' || value === undefined) continue;
    else if (tag !== undefined) tags[tag] = value;
    else if (option !== undefined) options[option] = optionValue(option, value);
    else if (name === 'options') Object.assign(options, value);
    else if (field === 'tags') Object.assign(tags, tagsOf(value));
    else if (field !== undefined) input[field] ??= fieldValue(field, value);
  }
  if (Object.keys(options).length > 0) input.options = options;
  if (Object.keys(tags).length > 0) input.tags = tags;
  return { input, ignored };
}

function optionValue(option: (typeof OPTION_NAMES)[number], value: unknown): unknown {
  if (option === 'services') return listOf(value);
  if (option !== 'personal' || typeof value !== 'string') return value;
  if (/^(true|yes|on|1)$/i.test(value)) return true;
  return /^(false|no|off|0)$/i.test(value) ? false : value;
}

function fieldValue(field: string, value: unknown): unknown {
  if (typeof value !== 'string') return value;
  if (field === 'os_platform') return SYSTEMS.find(([pattern]) => pattern.test(value))?.[1] ?? value.toLowerCase();
  if (field === 'persona') return value.toLowerCase();
  if (field === 'collector') return value.toLowerCase().replace(/[\s-]+/g, '_');
  return value;
}

function listOf(value: unknown): unknown {
  return typeof value === 'string' ? value.split(/[\s,;|]+/).filter(Boolean) : value;
}

/** `dept=sales, site=berlin`; what has no `=` is a tag without a value. */
function tagsOf(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  const pairs = value.split(/[,;|]/).filter((part) => part.trim() !== '');
  return Object.fromEntries(
    pairs.map((pair) => {
      const [key = '', ...rest] = pair.split(/[=:]/);
      return [key.trim(), rest.join('=').trim()];
    }),
  );
}
