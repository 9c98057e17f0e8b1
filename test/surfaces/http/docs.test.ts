/** The API page: every operation comes with an example, and every example is a request that the service understands. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TOOLS } from '../../../src/core/tools/index.ts';
import { openapi } from '../../../src/surfaces/http/docs/openapi.ts';
import { WEBHOOK_SECRET } from '../../helpers/deliveries.ts';
import { machines, WELL } from '../../helpers/machines.ts';
import { API_KEY, startTestService, type TestService } from '../../helpers/service.ts';

interface Operation {
  tags: string[];
  summary: string;
  operationId?: string;
  parameters?: { name: string; in: string; example?: unknown }[];
  requestBody?: { content: Record<string, { example?: Record<string, unknown> }> };
  responses: Record<string, { content: Record<string, unknown> }>;
}

const document = openapi(TOOLS, '1') as { tags: { name: string }[]; paths: Record<string, Record<string, Operation>> };
const OPERATIONS = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
);
const requests = OPERATIONS.filter(
  ({ operation }) => !('text/event-stream' in (operation.responses[200]?.content ?? {})),
);

let service: TestService;
let tokens: Record<string, string>;
beforeAll(async () => {
  const findings = new Map([['dev-machine-01', WELL]]);
  service = await startTestService({ WEBHOOK_SECRET }, { collector: machines(findings) });
  const made = await service.call('POST', '/api/v1/dex/enrolments', { expires_in_hours: 1, max_machines: 5 });
  const machine = { hostname: 'agent-1', os_platform: 'linux', agent_version: '1.0.0', machine_id: 'of-agent-1' };
  const secret = { Authorization: `Bearer ${made.body.secret}`, 'X-API-Key': '' };
  const joined = await service.call('POST', '/agent/v1/enroll', machine, secret);
  expect([joined.status, joined.body]).toEqual([201, expect.objectContaining({ token: expect.any(String) })]);
  tokens = {
    '/agent/v1/enroll': made.body.secret,
    '/api/v1/dex/agent/snapshot': joined.body.token,
    '/api/v1/webhooks/alertmanager': WEBHOOK_SECRET,
  };
});
afterAll(() => service?.stop());

test('deliveries, agents, health and metrics are there, and topics stand in the order of use', () => {
  const paths = Object.keys(document.paths);
  for (const path of [
    '/api/v1/webhooks/alertmanager',
    '/agent/v1/enroll',
    '/health',
    '/metrics',
    '/api/v1/runs/{run_id}/events',
  ])
    expect(paths).toContain(path);
  const topics = document.tags.map(({ name }) => name);
  expect(topics[0]).toBe('endpoints');
  expect(topics.indexOf('alerts')).toBeLessThan(topics.indexOf('administration'));
  expect(new Set(OPERATIONS.flatMap(({ operation }) => operation.tags))).toEqual(new Set(topics));
});

describe('the example of', () => {
  test.each(requests.map((request) => [`${request.method} ${request.path}`, request] as const))(
    '%s is understood',
    async (_name, { path, method, operation }) => {
      const { parameters = [], requestBody } = operation;
      const missing = parameters.filter((parameter) => parameter.in === 'path' && parameter.example === undefined);
      expect(missing).toEqual([]);
      const filled = parameters.reduce(
        (text, { name, example }) => text.replace(`{${name}}`, encodeURIComponent(String(example))),
        path,
      );
      const query = parameters.filter((parameter) => parameter.in === 'query' && parameter.example !== undefined);
      const search = new URLSearchParams(Object.fromEntries(query.map(({ name, example }) => [name, String(example)])));
      const body = requestBody?.content['application/json']?.example;
      if (requestBody) expect(body).toBeDefined();
      const token = tokens[path];
      const response = await fetch(`${service.url}${filled}${search.size > 0 ? `?${search}` : ''}`, {
        method,
        headers: {
          'Content-Type': 'application/json',
          ...(token === undefined ? { 'X-API-Key': API_KEY } : { Authorization: `Bearer ${token}` }),
        },
        ...(body && { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      if (response.ok) return;
      const { kind, message } = JSON.parse(text).error as { kind: string; message: string };
      // What it names may not be there, or be in another state; a signature cannot be part of an example.
      const understood = [
        'not_found',
        'conflict',
        'refused',
        'unavailable',
        ...(path.endsWith('/tickets') ? ['unauthenticated'] : []),
      ];
      expect(understood, `${response.status} ${message}`).toContain(kind);
      expect(message).not.toMatch(/There is nothing at/);
    },
  );
});
