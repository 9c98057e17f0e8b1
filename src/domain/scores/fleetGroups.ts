/** The fleet cut into groups of machines that have something in common, each with its figures. */
import { type Endpoint, hasVerdict, type ScoreStatus } from '../fleet/endpoint.ts';
import { round1 } from './score.ts';

export type FleetMember = Pick<
  Endpoint,
  'persona' | 'osPlatform' | 'criticalityTier' | 'tags' | 'score' | 'scoreStatus'
>;

export interface FleetGroup {
  name: string;
  total: number;
  /** Machines whose score is known and current. */
  scored: number;
  /** Of those; null without any. */
  averageScore: number | null;
  counts: Record<ScoreStatus, number>;
}

/** What machines without the tag are called together. */
const WITHOUT = 'none';

const FIELDS: Readonly<Record<string, (member: FleetMember) => string>> = {
  persona: ({ persona }) => persona,
  os_platform: ({ osPlatform }) => osPlatform,
  criticality_tier: ({ criticalityTier }) => `tier ${criticalityTier}`,
};

/** A key that sets nearly every machine apart, as a serial number does, makes no groups. */
const MOST_GROUPS = 60;

/** The groups by a field (persona, os_platform, criticality_tier) or a tag, the lowest average first; those without a score last. */
export function fleetGroups(members: readonly FleetMember[], key: string): FleetGroup[] {
  const nameOf =
    (Object.hasOwn(FIELDS, key) ? FIELDS[key] : undefined) ??
    (({ tags }: FleetMember) => (Object.hasOwn(tags, key) ? (tags[key] ?? WITHOUT) : WITHOUT));
  return [...Map.groupBy(members, nameOf)]
    .map(([name, own]) => figuresOf(name, own))
    .toSorted((a, b) => (a.averageScore ?? 101) - (b.averageScore ?? 101) || b.total - a.total)
    .slice(0, MOST_GROUPS);
}

function figuresOf(name: string, members: readonly FleetMember[]): FleetGroup {
  const counts: FleetGroup['counts'] = { healthy: 0, at_risk: 0, critical: 0, unknown: 0, unreachable: 0 };
  let sum = 0;
  let scored = 0;
  for (const { score, scoreStatus } of members) {
    counts[scoreStatus]++;
    if (score === null || !hasVerdict(scoreStatus)) continue;
    sum += score;
    scored++;
  }
  return { name, total: members.length, scored, averageScore: scored === 0 ? null : round1(sum / scored), counts };
}

/** By what this fleet can be grouped: the fields, then tags that more than one machine shares, the most common first. */
export function groupKeys(members: readonly FleetMember[]): string[] {
  const uses = new Map<string, { machines: number; values: Set<string> }>();
  for (const { tags } of members) {
    for (const [tag, value] of Object.entries(tags)) {
      const use = uses.get(tag) ?? { machines: 0, values: new Set() };
      use.machines++;
      use.values.add(value);
      uses.set(tag, use);
    }
  }
  const tags = [...uses]
    .filter(([, { machines, values }]) => values.size < machines && values.size <= MOST_GROUPS)
    .toSorted(([, a], [, b]) => b.machines - a.machines)
    .map(([tag]) => tag);
  return [...Object.keys(FIELDS), ...tags];
}
