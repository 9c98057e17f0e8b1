/** Which endpoints a filter lets through, as conditions of a query. */
import { type FilterQuery, type InferEntity, raw } from '@mikro-orm/core';
import type { EndpointFilter } from '../../../core/ports/endpointPorts.ts';
import type { EndpointRow } from '../entities/telemetry.ts';
import { beginsWith } from '../rows.ts';

type Row = InferEntity<typeof EndpointRow>;

/** Those that are watched. */
export const LIVE = { deregisteredAt: null };

export function endpointCondition(filter: EndpointFilter, staleBefore: Date): FilterQuery<Row> {
  return {
    ...LIVE,
    ...(filter.prefix && beginsWith('hostname', filter.prefix)),
    ...(filter.search && { $and: filter.search.split(/\s+/).slice(0, MOST_WORDS).map(mentions) }),
    ...(filter.persona && { persona: filter.persona }),
    ...(filter.criticalityTier && { criticalityTier: filter.criticalityTier as Row['criticalityTier'] }),
    ...(filter.ownerName && beginsWith('owner_email', `${filter.ownerName}@`)),
    ...(filter.ownerEmail && { ownerEmail: filter.ownerEmail }),
    ...(filter.ipAddress && { ipAddress: filter.ipAddress }),
    ...(filter.state === 'never_seen' && { lastSeenAt: null }),
    ...(filter.state === 'fresh' && { lastSeenAt: { $gte: staleBefore } }),
    ...(filter.state === 'stale' && { lastSeenAt: { $lt: staleBefore } }),
    ...(filter.scoreStatus && { scoreStatus: filter.scoreStatus }),
    ...((filter.minScore !== undefined || filter.belowScore !== undefined) && {
      score: {
        ...(filter.minScore !== undefined && { $gte: filter.minScore }),
        ...(filter.belowScore !== undefined && { $lt: filter.belowScore }),
      },
    }),
    ...(filter.tag !== undefined && { tags: tagCondition(filter.tag) }),
  };
}

/** More words than these find nothing that fewer do not. */
const MOST_WORDS = 6;

/** Where a word is a part of what a machine is known by. Tags are stored as JSON, `"dept": "finance"`, and asked for as `dept=finance`. */
function mentions(word: string): FilterQuery<Row> {
  const like = (text: string) => `%${text.replace(/[\\%_]/g, '\\$&')}%`;
  const [key, value] = word.split('=', 2);
  const tags =
    value === undefined ? like(word) : `%"${like(key as string).slice(1, -1)}":%"${like(value).slice(1, -1)}%`;
  return {
    [raw(
      (table) =>
        `(lower(hostname) like ? escape '\\' or lower(coalesce(owner_email, '')) like ? escape '\\' or coalesce(ip_address, '') like ? escape '\\' or lower(cast(tags as text)) like ? escape '\\' or exists (select 1 from endpoint_alias a where a.endpoint_id = ${table}.id and lower(a.value) like ? escape '\\'))`,
      [like(word), like(word), like(word), tags, like(word)],
    )]: [],
  } as FilterQuery<Row>;
}

function tagCondition(tag: string): Record<string, string | { $ne: null }> {
  const [key = '', ...rest] = tag.split('=');
  return { [key]: rest.length > 0 ? rest.join('=') : { $ne: null } };
}
