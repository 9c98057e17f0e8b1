/** What the service answers beside the tools' own routes, as OpenAPI: deliveries of other systems, agents, health and metrics. */
import { jsonSchema } from '../../../core/invoke.ts';
import type { AnyTool } from '../../../core/tool.ts';

type Json = Record<string, unknown>;

const WEBHOOK_SECURITY = [{ bearer: [] }, { webhookToken: [] }];
const AGENT_SECURITY = [{ bearer: [] }];

/** @param error the schema of an error's body
 * @param now when the examples were measured */
export function otherPaths(tools: readonly AnyTool[], error: Json, now: Date): Record<string, Record<string, Json>> {
  const taking = (kind: NonNullable<AnyTool['takesIn']>) => tools.find(({ takesIn }) => takesIn === kind);
  const answer = (kind: NonNullable<AnyTool['takesIn']>): Json => {
    const tool = taking(kind);
    return tool ? jsonSchema(tool.output, 'output') : {};
  };
  const post = (given: {
    summary: string;
    tag: string;
    security: Json[];
    status?: number;
    schema: Json;
    example: Json;
    answer: Json;
  }) => ({
    post: {
      summary: given.summary,
      tags: [given.tag],
      security: given.security,
      requestBody: {
        required: true,
        content: { 'application/json': { schema: given.schema, example: given.example } },
      },
      responses: {
        [given.status ?? 200]: { description: 'Done', content: { 'application/json': { schema: given.answer } } },
        default: { description: 'Refused or failed', content: { 'application/json': { schema: error } } },
      },
    },
  });
  const get = (summary: string, tag: string, type: string, security?: Json[]) => ({
    get: {
      summary,
      tags: [tag],
      ...(security && { security }),
      responses: {
        200: {
          description: 'Done',
          content: { [type]: { schema: type === 'application/json' ? { type: 'object' } : { type: 'string' } } },
        },
      },
    },
  });
  const anyObject = { type: 'object' };
  return {
    '/api/v1/webhooks/alertmanager': post({
      summary: 'Deliver alerts, as Alertmanager and Grafana do',
      tag: 'webhooks',
      security: WEBHOOK_SECURITY,
      schema: anyObject,
      example: ALERTMANAGER_DELIVERY,
      answer: answer('alertmanager'),
    }),
    '/api/v1/webhooks/tickets': post({
      summary: 'Deliver an update of a ticket, signed',
      tag: 'webhooks',
      security: [{ webhookToken: [] }],
      schema: anyObject,
      example: TICKET_UPDATE,
      answer: answer('tickets'),
    }),
    '/agent/v1/enroll': post({
      summary: 'Join the fleet with the secret of an enrolment',
      tag: 'agents',
      security: AGENT_SECURITY,
      status: 201,
      schema: anyObject,
      example: MACHINE,
      answer: answer('enrolment'),
    }),
    '/api/v1/dex/agent/snapshot': post({
      summary: 'Report what a machine measured of itself, with its token',
      tag: 'agents',
      security: AGENT_SECURITY,
      status: 202,
      schema: anyObject,
      example: { ...SNAPSHOT, collected_at: now.toISOString() },
      answer: answer('agent'),
    }),
    '/health': get('Health of the service and of what it depends on', 'service', 'application/json', []),
    '/metrics': get('Metrics for Prometheus; with METRICS_TOKEN only for its bearer', 'service', 'text/plain', [
      {},
      { bearer: [] },
    ]),
    '/changes': get('What changed, as server-sent events: the page lives by it', 'service', 'text/event-stream'),
  };
}

const ALERTMANAGER_DELIVERY = {
  version: '4',
  receiver: 'dexops',
  status: 'firing',
  groupKey: '{}:{alertname="DiskFull"}',
  truncatedAlerts: 0,
  groupLabels: { alertname: 'DiskFull' },
  commonLabels: {},
  commonAnnotations: {},
  externalURL: 'http://alertmanager.example.com:9093',
  alerts: [
    {
      status: 'firing',
      labels: { alertname: 'DiskFull', instance: 'dev-machine-01:9100', severity: 'critical' },
      annotations: { summary: '/ is 97 % full' },
      startsAt: '2026-03-02T08:59:00.000Z',
      endsAt: '0001-01-01T00:00:00Z',
      generatorURL: 'http://prometheus.example.com:9090/graph',
      fingerprint: 'c2b0a1d9e8f70615',
    },
  ],
};

const TICKET_UPDATE = {
  delivery_id: 'd-1042-3',
  ticket_id: 'INC-1042',
  event: 'comment',
  at: '2026-03-02T09:05:00Z',
  comment: 'A bigger disk is ordered.',
};

const MACHINE = {
  hostname: 'dev-machine-01',
  os_platform: 'linux',
  os_version: 'Debian 13',
  model: 'ThinkPad X1',
  serial_number: 'PF3ABC12',
  machine_id: '0d6b2a2fe5f94f3a8d0f0a2b7c1d3e4f',
  user: 'alice',
  agent_version: '0.2.0',
};

const SNAPSHOT = {
  version: 2,
  duration_ms: 840,
  readings: {
    cpu_pct: { value: 23 },
    memory_pct: { value: 61 },
    disk_pct: { items: [{ item: '/', value: 72 }] },
    latency_ms: { value: 12 },
    packet_loss_pct: { value: 0 },
    on_battery: { missing: 'the machine has no battery' },
  },
};
