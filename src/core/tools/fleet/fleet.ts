/** The tool that shows the fleet: its figures, its groups and its worst machines. */
import { z } from 'zod';
import { hasVerdict, PERSONAS } from '../../../domain/fleet/endpoint.ts';
import { type FleetGroup, fleetGroups, groupKeys } from '../../../domain/scores/fleetGroups.ts';
import { round1 } from '../../../domain/scores/score.ts';
import type { FleetRow, StoredScore } from '../../ports/endpointPorts.ts';
import { iso, presentEndpoint } from '../../present.ts';
import { staleBefore } from '../../scores/staleness.ts';
import { endpointShape, timestamp } from '../../shapes.ts';
import { defineTool } from '../../tool.ts';

/** Reasons given for each of the worst: those that cost most. */
const REASONS = 3;

const count = z.number().int();
const groupShape = z.object({
  group: z.string(),
  total: count,
  scored: count,
  avg_score: z.number().nullable(),
  healthy: count,
  at_risk: count,
  critical: count,
  unknown: count,
  unreachable: count,
});

export const getFleet = defineTool({
  name: 'get_fleet',
  title: 'Show the fleet',
  effect: 'read',
  description:
    'The whole fleet at a glance: how many are healthy, at risk and critical, the average score and the worst machines.',
  http: { method: 'GET', path: '/api/v1/dex/fleet' },
  command: { name: 'fleet', args: [], example: 'fleet' },
  input: z.strictObject({
    worst: z.coerce.number().int().min(0).max(50).default(5).describe('How many of the worst'),
    group_by: z
      .string()
      .regex(/^[\w.-]{1,64}$/, 'must be persona, os_platform, criticality_tier or the name of a tag')
      .optional()
      .describe('persona, os_platform or a tag'),
  }),
  output: z.object({
    total: z.number().int(),
    scored: z.number().int(),
    healthy: z.number().int(),
    at_risk: z.number().int(),
    critical: z.number().int(),
    unknown: z.number().int(),
    unreachable: z.number().int(),
    stale: z.number().int(),
    avg_score: z.number().nullable(),
    worst: z.array(endpointShape.extend({ reasons: z.array(z.string()) })),
    by_persona: z.record(
      z.string(),
      z.object({ total: z.number().int(), scored: z.number().int(), avg_score: z.number().nullable() }),
    ),
    /** How many have a score from 0 up to 10, from 10 up to 20 and so on. */
    distribution: z.array(z.number().int()),
    groups: z.array(groupShape).optional(),
    /** By what else the fleet can be grouped. */
    group_keys: z.array(z.string()).optional(),
    /** A score up to `warning` is at risk, below `critical` critical. */
    thresholds: z.object({ warning: z.number(), critical: z.number() }),
    computed_at: timestamp,
  }),
  async run({ worst, group_by }, { ports, now }) {
    const { endpoints } = ports.store;
    const [rows, stale, lowest, distribution, members] = await Promise.all([
      endpoints.fleet(),
      endpoints.countStale(staleBefore(ports, now)),
      endpoints.worst(worst),
      endpoints.distribution(),
      group_by === undefined ? null : endpoints.members(),
    ]);
    const scores = await Promise.all(lowest.map(({ id }) => ports.store.scores.latest(id)));
    const count = (status: string) => sum(rows.filter((row) => row.status === status).map((row) => row.endpoints));
    return {
      ...totals(rows),
      healthy: count('healthy'),
      at_risk: count('at_risk'),
      critical: count('critical'),
      unknown: count('unknown'),
      unreachable: count('unreachable'),
      stale,
      worst: lowest.map((endpoint, i) => ({
        ...presentEndpoint(endpoint, now, ports.settings.scanIntervalMs),
        reasons: reasonsOf(scores[i] ?? null),
      })),
      distribution,
      ...(members &&
        group_by !== undefined && {
          groups: fleetGroups(members, group_by).map(presentGroup),
          group_keys: groupKeys(members),
        }),
      by_persona: Object.fromEntries(
        PERSONAS.map((persona) => [persona, totals(rows.filter((row) => row.persona === persona))] as const).filter(
          ([, { total }]) => total > 0,
        ),
      ),
      thresholds: ports.settings.thresholds,
      computed_at: iso(now),
    };
  },
  page: () => '/',
  summary: (fleet) =>
    [
      fleetLine(fleet),
      ...fleet.worst
        .filter(({ score_status }) => score_status !== 'healthy')
        .map(({ hostname, score, score_status, reasons }) =>
          [`${hostname}: ${score} (${score_status.replace('_', ' ')})`, ...reasons].join(', '),
        ),
      ...(fleet.groups ?? []).map(
        ({ group, total, avg_score, healthy }) =>
          `${group}: average ${avg_score ?? 'unknown'}, ${healthy} of ${total} healthy`,
      ),
    ].join('\n'),
  chart: (fleet) => ({
    kind: 'bars',
    title: `${fleet.healthy} of ${fleet.total} machines are healthy`,
    alt: `${fleet.healthy} endpoints healthy, ${fleet.at_risk} at risk, ${fleet.critical} critical, ${fleet.unreachable} not reachable, ${fleet.unknown} unknown`,
    xTitle: 'Endpoints',
    bars: [
      { name: 'healthy', value: fleet.healthy },
      { name: 'at risk', value: fleet.at_risk },
      { name: 'critical', value: fleet.critical },
      { name: 'unknown', value: fleet.unknown },
      { name: 'not reachable', value: fleet.unreachable },
    ],
  }),
  shows: { card: 'fleet' },
  overview: {
    place: 1,
    parts(fleet) {
      const machines = fleet.worst.filter(({ score_status }) => score_status !== 'healthy');
      return [
        { title: 'Fleet', lines: [fleetLine(fleet)] },
        ...(machines.length > 0 ? [{ title: 'At risk', machines }] : []),
      ];
    },
  },
  resource: {
    uri: 'dexops://fleet',
    name: 'fleet',
    title: 'The fleet',
    description: 'How many endpoints are healthy, at risk and critical, the average score and the worst machines.',
    mimeType: 'application/json',
  },
});

function fleetLine(
  fleet: Record<'total' | 'healthy' | 'at_risk' | 'critical' | 'unknown' | 'unreachable' | 'stale', number> & {
    avg_score: number | null;
  },
): string {
  return `${fleet.total} endpoint${fleet.total === 1 ? '' : 's'}, average score ${fleet.avg_score ?? 'unknown'}: ${fleet.healthy} healthy, ${fleet.at_risk} at risk, ${fleet.critical} critical, ${fleet.unreachable} not reachable, ${fleet.unknown} without a score, ${fleet.stale} stale.`;
}

function totals(rows: FleetRow[]): { total: number; scored: number; avg_score: number | null } {
  const known = rows.filter(({ status }) => hasVerdict(status));
  const scored = sum(known.map(({ endpoints }) => endpoints));
  const scores = sum(known.map(({ scoreSum }) => scoreSum));
  return {
    total: sum(rows.map(({ endpoints }) => endpoints)),
    scored,
    avg_score: scored === 0 ? null : round1(scores / scored),
  };
}

function sum(values: number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function presentGroup({ name, counts, ...figures }: FleetGroup): z.input<typeof groupShape> {
  return {
    group: name,
    total: figures.total,
    scored: figures.scored,
    avg_score: figures.averageScore,
    ...counts,
  };
}

function reasonsOf(score: StoredScore | null): string[] {
  if (!score) return [];
  const deductions = score.deductions.toSorted((a, b) => b.points - a.points).map(({ reason }) => reason);
  return [...deductions, ...score.caps.map(({ reason }) => reason)].slice(0, REASONS);
}
