/** The tool behind Fleet's webhooks; people never call it. */
import { z } from 'zod';
import { INTERFACES } from '../../actor.ts';
import { AppError } from '../../errors.ts';
import { type FleetEvent, takeFleetEvent } from '../../sources/fleetEvents.ts';
import { defineTool } from '../../tool.ts';

const MOST_HOSTS = 50_000;
const text = (most: number) => z.string().transform((value) => value.slice(0, most));
const id = z.number().int().min(0);

const hosts = z
  .array(z.looseObject({ id, hostname: text(253).nullish(), display_name: text(253).nullish() }))
  .max(MOST_HOSTS);

const delivery = z.looseObject({
  policy: z
    .looseObject({
      id,
      name: text(200),
      critical: z.boolean().catch(false),
      resolution: text(2000).nullish().catch(null),
    })
    .optional(),
  hosts: hosts.optional(),
  vulnerability: z
    .looseObject({
      cve: z.string().regex(/^CVE-\d{4}-\d{4,10}$/i, 'must be a CVE'),
      details_link: z
        .url({ protocol: /^https?$/ })
        .max(500)
        .nullish()
        .catch(null),
      hosts_affected: hosts,
    })
    .optional(),
  data: z.looseObject({ days_unseen: z.number().min(0), host_ids: z.array(id).max(MOST_HOSTS).optional() }).optional(),
});

export const ingestFleetEvent = defineTool({
  name: 'ingest_fleet_event',
  title: 'Take in an event of Fleet',
  effect: 'write',
  reach: 'fleet',
  takesIn: 'fleet',
  hiddenFrom: INTERFACES.filter((via) => via !== 'webhook'),
  description:
    'Take one delivery of Fleet’s webhooks: a policy that machines fail, a vulnerability found on them, or machines that it has not seen for days.',
  input: delivery,
  output: z.object({
    received: z.number().int(),
    created: z.number().int(),
    updated: z.number().int(),
    unchanged: z.number().int(),
    ignored: z.array(z.object({ host: z.string(), reason: z.string() })),
  }),
  run: async (given, { ports, actor }) => ({ ...(await takeFleetEvent(ports, eventIn(given), actor)) }),
  summary: ({ received, created, updated, unchanged, ignored }) =>
    `${received} machines: ${created} alerts created, ${updated} updated, ${unchanged} known, ${ignored.length} ignored.`,
});

function eventIn({ policy, hosts, vulnerability, data }: z.output<typeof delivery>): FleetEvent {
  const named = (list: NonNullable<typeof hosts>) =>
    list.map(({ id, hostname, display_name }) => ({ id, hostname: hostname || display_name || null }));
  if (policy && hosts)
    return {
      kind: 'policy',
      id: policy.id,
      name: policy.name,
      isCritical: policy.critical,
      resolution: policy.resolution ?? '',
      hosts: named(hosts),
    };
  if (vulnerability)
    return {
      kind: 'vulnerability',
      cve: vulnerability.cve.toUpperCase(),
      link: vulnerability.details_link ?? null,
      hosts: named(vulnerability.hosts_affected),
    };
  if (data?.host_ids)
    return { kind: 'unseen', days: data.days_unseen, hosts: data.host_ids.map((id) => ({ id, hostname: null })) };
  throw new AppError(
    'invalid',
    data
      ? 'This host status names no machines (host_ids): a newer Fleet does.'
      : 'This is none of Fleet’s webhooks for failing policies, vulnerabilities and host status.',
  );
}
