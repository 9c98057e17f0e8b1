/** Cohorts: one alert on many endpoints that share something, named only where chance would hardly ever show the like. */
import type { Endpoint } from '../fleet/endpoint.ts';
import type { Alert, Severity } from './alert.ts';
import { chanceOfAtLeast, testsThatCount } from './chance.ts';
import { compareSeverity, earliest, worstSeverity } from './incident.ts';

export const COHORT_ATTRIBUTES = [
  'department',
  'model',
  'os_build',
  'driver',
  'version',
  'update',
  'site',
  'vpn',
  'tag',
  'persona',
  'os',
] as const;
type CohortAttribute = (typeof COHORT_ATTRIBUTES)[number];

/** The same alert on many endpoints that share something. */
interface Cohort {
  alertName: string;
  attribute: CohortAttribute;
  /** `developer`, `linux`, for drivers, versions and other tags with their key: `location=HQ`. */
  value: string;
  severity: Severity;
  hostnames: string[];
  /** How many of them breach the rule but have no alert yet. */
  pending: number;
  /** Endpoints that share the attribute, affected or not. */
  cohortSize: number;
  /** Affected endpoints, and all, outside the cohort. */
  restAffected: number;
  restSize: number;
  /** How many times more frequent the alert is inside than outside; null when nothing outside has it. */
  lift: number | null;
  /** How many groups as uneven as this one chance alone would show in one analysis of this fleet; well below 1. */
  expectedByChance: number;
  /** Endpoints of the cohort that do not have the alert yet: the first by name, and how many there are. */
  atRisk: string[];
  atRiskCount: number;
  since: Date;
}

/** Names of endpoints at risk that a cohort carries. */
const MOST_AT_RISK = 20;

/** Fewer affected endpoints are no pattern. */
const COHORT_MIN_ENDPOINTS = 3;
const COHORT_MIN_LIFT = 2;

/** How many groups an analysis of the fleet may name, on average, where there is nothing but chance. */
const FALSE_GROUPS_A_LOOK = 0.05;

type Member = Pick<Endpoint, 'id' | 'hostname' | 'persona' | 'osPlatform' | 'tags'>;

/** A problem of an endpoint, as an alert says it. */
type Problem = Pick<Alert, 'endpointId' | 'hostname' | 'alertName' | 'severity' | 'createdAt'> & {
  /** The rule is breached, for too few scans to be an alert. */
  pending?: true;
};

/** Gathers the fleet endpoint by endpoint, so that it never has to be in memory at once. */
interface CohortFinder<M extends Member> {
  add(endpoints: readonly M[]): void;
  find(): Cohort[];
}

interface Group {
  attribute: CohortAttribute;
  value: string;
  size: number;
  /** By alert name. */
  affected: Map<string, Problem[]>;
  /** The first members, by which those at risk are named. */
  members: { id: number; hostname: string }[];
}

/** Members of a group that are kept by name. */
const MOST_MEMBERS = 500;

/** @param breached what an endpoint breaches that is no alert yet: a fault that was rolled out shows in many at once before it is one */
export function cohortFinder<M extends Member = Member>(
  open: readonly Problem[],
  breached: (endpoint: M) => readonly Problem[] = () => [],
): CohortFinder<M> {
  const alertsOf = Map.groupBy(open, ({ endpointId }) => endpointId);
  const groups = new Map<string, Group>();
  const affectedInFleet = new Map<string, number>();
  let fleet = 0;

  return {
    add(endpoints) {
      for (const endpoint of endpoints) {
        fleet++;
        const raised = alertsOf.get(endpoint.id) ?? [];
        const names = new Set(raised.map(({ alertName }) => alertName));
        const alerts = [...raised, ...breached(endpoint).filter(({ alertName }) => !names.has(alertName))];
        for (const { alertName } of alerts) affectedInFleet.set(alertName, (affectedInFleet.get(alertName) ?? 0) + 1);
        for (const [attribute, value] of attributesOf(endpoint)) {
          const key = JSON.stringify([attribute, value]);
          const group: Group = groups.get(key) ?? { attribute, value, size: 0, affected: new Map(), members: [] };
          groups.set(key, group);
          group.size++;
          if (group.members.length < MOST_MEMBERS) group.members.push({ id: endpoint.id, hostname: endpoint.hostname });
          for (const alert of alerts) {
            const list = group.affected.get(alert.alertName);
            if (list) list.push(alert);
            else group.affected.set(alert.alertName, [alert]);
          }
        }
      }
    },

    find() {
      const tests = [...groups.values()].flatMap((group) =>
        // A group that is the whole fleet has nothing to be compared with.
        group.size === fleet
          ? []
          : [...affectedInFleet].flatMap(([alertName, affected]) => testOf(group, alertName, affected, fleet)),
      );
      const tested = testsThatCount(
        tests.map(({ leastP }) => leastP),
        FALSE_GROUPS_A_LOOK,
      );
      return tests
        .filter(
          ({ p, alerts, lift }) =>
            p * tested <= FALSE_GROUPS_A_LOOK &&
            alerts.length >= COHORT_MIN_ENDPOINTS &&
            (lift ?? Number.POSITIVE_INFINITY) >= COHORT_MIN_LIFT,
        )
        .map((test) => toCohort(test, tested, fleet))
        .sort(
          (a, b) =>
            compareSeverity(a.severity, b.severity) ||
            a.alertName.localeCompare(b.alertName) ||
            // What chance explains least is what they share most likely.
            a.expectedByChance - b.expectedByChance ||
            a.value.localeCompare(b.value),
        );
    },
  };
}

/** One alert in one group, held against chance. */
interface Test {
  group: Group;
  alertName: string;
  alerts: Problem[];
  restAffected: number;
  lift: number | null;
  p: number;
  /** The smallest p that this group could reach with so many affected endpoints in the fleet. */
  leastP: number;
}

function testOf(group: Group, alertName: string, affectedInFleet: number, fleet: number): Test[] {
  if (affectedInFleet < COHORT_MIN_ENDPOINTS || group.size < COHORT_MIN_ENDPOINTS) return [];
  const alerts = group.affected.get(alertName) ?? [];
  const table = { drawn: group.size, marked: affectedInFleet, all: fleet };
  const restAffected = affectedInFleet - alerts.length;
  const restShare = restAffected / (fleet - group.size);
  return [
    {
      group,
      alertName,
      alerts,
      restAffected,
      lift: restAffected === 0 ? null : alerts.length / group.size / restShare,
      p: chanceOfAtLeast(alerts.length, table),
      leastP: chanceOfAtLeast(Math.min(group.size, affectedInFleet), table),
    },
  ];
}

function toCohort({ group, alertName, alerts, restAffected, lift, p }: Test, tested: number, fleet: number): Cohort {
  const affected = new Set(alerts.map(({ endpointId }) => endpointId));
  return {
    alertName,
    attribute: group.attribute,
    value: group.value,
    severity: worstSeverity(alerts),
    hostnames: alerts.map(({ hostname }) => hostname).sort(),
    pending: alerts.filter(({ pending }) => pending).length,
    cohortSize: group.size,
    restAffected,
    restSize: fleet - group.size,
    lift: lift === null ? null : Math.round(lift * 10) / 10,
    expectedByChance: p * tested,
    atRisk: group.members
      .filter(({ id }) => !affected.has(id))
      .map(({ hostname }) => hostname)
      .sort()
      .slice(0, MOST_AT_RISK),
    atRiskCount: group.size - affected.size,
    since: earliest(alerts),
  };
}

/** Tags by which organisations name what machines share; other tags are groups as well, without a name of their own. */
const TAG_ATTRIBUTES: readonly [CohortAttribute, RegExp][] = [
  ['department', /^(dept|department)$/],
  ['model', /^(model|hardware|hardware_model|device_model)$/],
  ['os_build', /^(os_build|build|os_version|os_release|kernel)$/],
  ['site', /^(site|location|office|building)$/],
  ['vpn', /^(vpn|vpn_.+)$/],
  ['update', /^(update|patch|kb|update_.+|patch_.+)$/],
  ['driver', /^(driver|driver_.+|.+_driver)$/],
  ['version', /^(version|.+_version)$/],
];

/** Attributes of which one tag says all; of the others the key tells which driver or program is meant. */
const NAMED_BY_VALUE: readonly CohortAttribute[] = ['department', 'model', 'os_build'];

function attributesOf({
  persona,
  osPlatform,
  tags,
}: Pick<Endpoint, 'persona' | 'osPlatform' | 'tags'>): [CohortAttribute, string][] {
  return [
    ['persona', persona],
    ['os', osPlatform],
    ...Object.entries(tags).map(([key, value]): [CohortAttribute, string] => {
      const [attribute] = TAG_ATTRIBUTES.find(([, pattern]) => pattern.test(key.toLowerCase())) ?? ['tag' as const];
      return [attribute, NAMED_BY_VALUE.includes(attribute) ? value : `${key}=${value}`];
    }),
  ];
}
