/** Cohorts: one alert on many endpoints that share something, named only where chance would hardly ever show the like. */
import type { Endpoint } from '../fleet/endpoint.ts';
import type { Alert, Severity } from './alert.ts';
import { chanceOfAtLeast, testsThatCount } from './chance.ts';
import { compareSeverity, earliest, worstSeverity } from './incident.ts';

export const COHORT_ATTRIBUTES = ['department', 'tag', 'persona', 'os'] as const;
type CohortAttribute = (typeof COHORT_ATTRIBUTES)[number];

/** The same alert on many endpoints that share something. */
interface Cohort {
  alertName: string;
  attribute: CohortAttribute;
  /** `developer`, `linux`, or for tags `location=HQ`. */
  value: string;
  severity: Severity;
  hostnames: string[];
  /** Endpoints that share the attribute, affected or not. */
  cohortSize: number;
  /** Affected endpoints, and all, outside the cohort. */
  restAffected: number;
  restSize: number;
  /** How many times more frequent the alert is inside than outside; null when nothing outside has it. */
  lift: number | null;
  /** How many groups as uneven as this one chance alone would show in one analysis of this fleet; well below 1. */
  expectedByChance: number;
  /** Endpoints of the cohort that do not have the alert yet, the first by name. */
  atRisk: string[];
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

/** Gathers the fleet endpoint by endpoint, so that it never has to be in memory at once. */
interface CohortFinder {
  add(endpoints: readonly Member[]): void;
  find(): Cohort[];
}

interface Group {
  attribute: CohortAttribute;
  value: string;
  size: number;
  /** By alert name. */
  affected: Map<string, Alert[]>;
  /** The first members, by which those at risk are named. */
  members: { id: number; hostname: string }[];
}

/** Members of a group that are kept by name. */
const MOST_MEMBERS = 500;

export function cohortFinder(open: readonly Alert[]): CohortFinder {
  const alertsOf = Map.groupBy(open, ({ endpointId }) => endpointId);
  const groups = new Map<string, Group>();
  const affectedInFleet = new Map<string, number>();
  let fleet = 0;

  return {
    add(endpoints) {
      for (const endpoint of endpoints) {
        fleet++;
        const alerts = alertsOf.get(endpoint.id) ?? [];
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
            b.hostnames.length - a.hostnames.length ||
            (b.lift ?? Number.POSITIVE_INFINITY) - (a.lift ?? Number.POSITIVE_INFINITY) ||
            a.value.localeCompare(b.value),
        );
    },
  };
}

/** One alert in one group, held against chance. */
interface Test {
  group: Group;
  alertName: string;
  alerts: Alert[];
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
    since: earliest(alerts),
  };
}

/** The tag by which organisations name a department, as the operations guide's example does. */
const DEPARTMENT_TAGS = ['dept', 'department'];

function attributesOf({
  persona,
  osPlatform,
  tags,
}: Pick<Endpoint, 'persona' | 'osPlatform' | 'tags'>): [CohortAttribute, string][] {
  return [
    ['persona', persona],
    ['os', osPlatform],
    ...Object.entries(tags).map(([key, value]): [CohortAttribute, string] =>
      DEPARTMENT_TAGS.includes(key) ? ['department', value] : ['tag', `${key}=${value}`],
    ),
  ];
}
