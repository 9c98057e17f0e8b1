/** Faults that are rolled out to a part of a generated fleet: does the analysis of incidents name what the affected machines share. */
import { cohortFinder } from '../../src/domain/alerts/cohort.ts';
import type { Endpoint } from '../../src/domain/fleet/endpoint.ts';
import { PERSONAS } from '../../src/domain/fleet/endpoint.ts';
import { type Draw, drawFrom } from './diagnosis/random.ts';

const AT = new Date('2026-03-02T09:00:00Z');
/** How many values each tag has in the fleet; the fewer, the larger its groups. */
const TAGS = { model: 12, os_build: 6, gpu_driver: 20, office_version: 8, update: 10, site: 25, vpn: 4, team: 30 };
const ALERT_NAMES = ['HighCpu', 'HighMemory', 'AppCrashing', 'DiskSlow', 'PacketLoss', 'SlowBoot', 'DnsFailure'];

type Member = Pick<Endpoint, 'id' | 'hostname' | 'persona' | 'osPlatform' | 'tags'> & { breached: string[] };

/** Values of a tag are not equally frequent: few models make most of a fleet. */
function skewed(draw: Draw, count: number): string {
  return String(Math.floor(count * draw() ** 1.7));
}

function fleetOf(draw: Draw, size: number): Member[] {
  return Array.from({ length: size }, (_, i) => ({
    id: i + 1,
    hostname: `pc-${i + 1}`,
    persona: draw.pick(PERSONAS),
    osPlatform: draw.chance(0.7) ? 'windows' : draw.pick(['linux', 'macos'] as const),
    tags: Object.fromEntries(Object.entries(TAGS).map(([key, count]) => [key, skewed(draw, count)])),
    breached: [],
  }));
}

export interface FaultFinding {
  /** The group that has the fault is named, first of all groups with this alert. */
  found: boolean;
  foundFirst: boolean;
  /** Groups named for alerts that nobody injected. */
  falseGroups: number;
}

/** One fleet with one fault; every alert is frequent by 1 to 4 % anyhow. Machines breach a rule two scans after the roll-out. */
export function findFault(seed: number, size = 2000): FaultFinding {
  const draw = drawFrom(seed + 4242);
  const fleet = fleetOf(draw, size);
  for (const name of ALERT_NAMES) {
    const usual = draw.between(0.01, 0.04);
    for (const member of fleet) if (draw.chance(usual)) member.breached.push(name);
  }
  const [key, value] = faultyGroup(draw, fleet);
  const fault = draw.pick(ALERT_NAMES);
  const share = draw.between(0.3, 0.9);
  for (const member of fleet) {
    if (member.tags[key] === value && draw.chance(share) && !member.breached.includes(fault))
      member.breached.push(fault);
  }
  const finder = cohortFinder<Member>([], ({ id, hostname, breached }) =>
    breached.map((alertName) => ({
      endpointId: id,
      hostname,
      alertName,
      severity: 'warning',
      createdAt: AT,
      pending: true,
    })),
  );
  finder.add(fleet);
  const named = finder.find();
  const ofFault = named.filter(({ alertName }) => alertName === fault);
  const isIt = (cohort: (typeof named)[number]) => cohort.value === value || cohort.value === `${key}=${value}`;
  return {
    found: ofFault.some(isIt),
    foundFirst: ofFault[0] !== undefined && isIt(ofFault[0]),
    falseGroups: named.length - ofFault.length,
  };
}

/** A group of at least a dozen machines and at most a third of the fleet. */
function faultyGroup(draw: Draw, fleet: readonly Member[]): [string, string] {
  for (;;) {
    const key = draw.pick(Object.keys(TAGS));
    const value = skewed(draw, TAGS[key as keyof typeof TAGS]);
    const members = fleet.filter(({ tags }) => tags[key] === value).length;
    if (members >= 12 && members <= fleet.length / 3) return [key, value];
  }
}
