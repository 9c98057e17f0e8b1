/** Tools that people never call: what Alertmanager delivers, what the clock does to alerts, and which hosts nobody knows. */
import { z } from 'zod';
import { isValidHostname } from '../../../domain/fleet/address.ts';
import { INTERFACES } from '../../actor.ts';
import { expireAcknowledgements } from '../../alerts/alerting.ts';
import { takeDueSteps } from '../../escalation/escalating.ts';
import { likelyEndpoints } from '../../fleet/aliases.ts';
import { iso } from '../../present.ts';
import type { RelatedCall } from '../../presentation.ts';
import { pageInput, timestamp } from '../../shapes.ts';
import { defineTool } from '../../tool.ts';

/** More in one body is no delivery of an Alertmanager but a mistake. */
const MAX_ALERTS = 50_000;

/** How long delivered messages are kept for looking back. Milliseconds. */
const SENT_KEPT_MS = 7 * 86_400_000;

export const ingestAlerts = defineTool({
  name: 'ingest_alerts',
  namesMachines: true,
  title: 'Take in alerts',
  effect: 'write',
  reach: 'fleet',
  takesIn: 'alertmanager',
  hiddenFrom: INTERFACES.filter((face) => face !== 'webhook'),
  description: 'Take one delivery of Alertmanager (webhook version 4): every alert of the group, firing and resolved.',
  input: z.looseObject({
    status: z.unknown().optional(),
    truncatedAlerts: z.unknown().optional(),
    alerts: z.array(z.unknown()).max(MAX_ALERTS),
  }),
  output: z.object({
    received: z.number().int(),
    created: z.number().int(),
    updated: z.number().int(),
    resolved: z.number().int(),
    unchanged: z.number().int(),
    /** Alerts that the sender held back; absent when none. */
    truncated: z.number().int().optional(),
    ignored: z.array(z.object({ alertname: z.string(), reason: z.string() })),
  }),
  async run(delivery, { ports, actor }) {
    const { ignored, ...counts } = await ports.alertIntake.take(delivery, actor);
    return { ...counts, ignored: ignored.map(({ alertName, reason }) => ({ alertname: alertName, reason })) };
  },
  summary: ({ received, created, updated, resolved, unchanged, ignored, truncated }) =>
    `${received} received: ${created} created, ${updated} updated, ${resolved} resolved, ${unchanged} known, ${ignored.length} ignored${truncated ? `, ${truncated} held back by the sender` : ''}.`,
});

export const maintainAlerts = defineTool({
  name: 'maintain_alerts',
  title: 'Maintain alerts',
  effect: 'write',
  reach: 'fleet',
  hiddenFrom: INTERFACES.filter((via) => via !== 'job'),
  description:
    'Wake alerts whose snooze is over, reach people about those that nobody answers, hand over to healing what a stopped process left, forget old messages.',
  input: z.strictObject({}),
  output: z.object({ woken: z.number().int() }),
  async run(_input, { ports, actor, now }) {
    const woken = await expireAcknowledgements(ports, actor);
    await ports.healing?.handleNewAlerts();
    await takeDueSteps(ports);
    await ports.store.outbox.prune(new Date(now.getTime() - SENT_KEPT_MS));
    await ports.store.escalations.prune(new Date(now.getTime() - SENT_KEPT_MS));
    return { woken };
  },
  summary: ({ woken }) => `${woken} alerts are active again.`,
  schedule: { job: 'dex_maintain_alerts', retiredJobs: ['dex_tend_alerts'], cron: () => '* * * * *' },
});

export const listUnknownHosts = defineTool({
  name: 'list_unknown_hosts',
  title: 'List unknown hosts',
  effect: 'read',
  reach: 'fleet',
  toolset: 'machines',
  description:
    'Hosts that alerts came for and that mean no endpoint, or several, seen last first, with the endpoints they may be. Register one, or add it as an alias, to get its alerts.',
  http: { method: 'GET', path: '/api/v1/dex/unknown-hosts' },
  command: { name: 'unknown-hosts', args: [], example: 'unknown-hosts' },
  input: z.strictObject(pageInput),
  output: z.object({
    unknown_hosts: z.array(
      z.object({
        hostname: z.string(),
        alert_name: z.string(),
        first_seen_at: timestamp,
        last_seen_at: timestamp,
        count: z.number().int(),
        /** Registered endpoints that it may be another name of. */
        may_be: z.array(z.string()),
      }),
    ),
    total: z.number().int(),
  }),
  async run(page, { ports }) {
    const { items, total } = await ports.store.unknownHosts.list(page);
    const likely = await likelyEndpoints(ports.store, [...new Set(items.map(({ hostname }) => hostname))]);
    return {
      unknown_hosts: items.map((host) => ({
        hostname: host.hostname,
        alert_name: host.alertName,
        first_seen_at: iso(host.firstSeenAt),
        last_seen_at: iso(host.lastSeenAt),
        count: host.count,
        may_be: likely.get(host.hostname) ?? [],
      })),
      total,
    };
  },
  summary: ({ unknown_hosts, total }) =>
    total === 0
      ? 'Every alert came for a registered endpoint.'
      : [
          `${total} unknown; register one with: register HOSTNAME, or say whose name it is: alias NAME HOSTNAME`,
          ...unknown_hosts.map(
            ({ hostname, alert_name, count, last_seen_at, may_be }) =>
              `${hostname}: ${alert_name} ${count}×, last ${last_seen_at}${may_be.length > 0 ? `; may be ${may_be.join(' or ')}` : ''}`,
          ),
        ].join('\n'),
  related: ({ unknown_hosts }) => identityCalls(unknown_hosts),
});

/** Hosts that calls are offered for; who has more has a mistake in the labels. */
const MOST_HOSTS = 8;
const MOST_ALIASES = 3;

/** One call each: whose other name an unknown host is, or that it is a machine of its own. */
function identityCalls(hosts: readonly { hostname: string; may_be: string[] }[]): RelatedCall[] {
  const byName = new Map(hosts.map(({ hostname, may_be }) => [hostname, may_be]));
  return [...byName].slice(0, MOST_HOSTS).flatMap(([host, likely], index): RelatedCall[] => [
    ...likely.slice(0, MOST_ALIASES).map((hostname, at) => ({
      id: `alias${index}_${at}`,
      label: `${host} is ${hostname}`,
      about: host,
      tool: 'add_alias',
      input: { alias: host, hostname },
    })),
    ...(isValidHostname(host)
      ? [
          {
            id: `register${index}`,
            label: `Register ${host}`,
            about: host,
            tool: 'register_endpoint',
            input: { hostname: host },
          },
        ]
      : []),
  ]);
}
