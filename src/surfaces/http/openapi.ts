/** The OpenAPI 3.1 description, made from the tools. */

import { callTextFor, descriptionFor } from '../../core/callText.ts';
import { ERROR_KINDS } from '../../core/errors.ts';
import { jsonSchema } from '../../core/invoke.ts';
import { leastRole } from '../../core/policy.ts';
import type { AnyTool, CallText } from '../../core/tool.ts';
import { HTTP_STATUS } from './errors.ts';

type Json = Record<string, unknown>;

export function openapi(tools: readonly AnyTool[], version: string): Json {
  const callText = callTextFor(tools, 'rest');
  const paths: Record<string, Json> = {};
  for (const tool of tools) {
    if (!tool.http || tool.hiddenFrom?.includes('rest')) continue;
    const path = tool.http.path.replace(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [tool.http.method.toLowerCase()]: operation(tool, callText) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'DexOps',
      version,
      description: 'How well employees’ computers serve them: scans, scores, alerts, healing.',
    },
    servers: [{ url: '/' }],
    paths,
    components: {
      securitySchemes: {
        apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
        bearer: { type: 'http', scheme: 'bearer' },
      },
      schemas: { Error: errorSchema },
    },
    security: [{ apiKey: [] }, { bearer: [] }],
  };
}

function operation(tool: AnyTool, callText: CallText): Json {
  const http = tool.http!;
  const input = jsonSchema(tool.input, 'input') as { properties?: Record<string, Json>; required?: string[] };
  const inPath = new Set([...http.path.matchAll(/:(\w+)/g)].map(([, name]) => name));
  const fields = Object.entries(input.properties ?? {});
  const others = fields.filter(([name]) => !inPath.has(name));
  const hasBody = http.method !== 'GET';
  const inQuery = hasBody ? others.filter(([name]) => http.query?.includes(name)) : others;
  const parameters = [
    ...fields
      .filter(([name]) => inPath.has(name))
      .map(([name, schema]) => ({ name, in: 'path', required: true, schema })),
    ...inQuery.map(([name, schema]) => ({ name, in: 'query', required: false, schema })),
  ];
  const required = input.required?.filter((name) => !inPath.has(name)) ?? [];
  const png = tool.chart && { 'image/png': { schema: { type: 'string', contentEncoding: 'binary' } } };
  return {
    operationId: tool.name,
    summary: tool.title,
    description: `${descriptionFor(tool, callText)}\n\nNeeds the role ${leastRole(tool)}.`,
    tags: [topic(http.path)],
    ...(parameters.length > 0 && { parameters }),
    ...(hasBody &&
      others.length > 0 && {
        requestBody: {
          required: required.length > 0,
          content: {
            'application/json': {
              schema: { type: 'object', properties: Object.fromEntries(others), required, additionalProperties: false },
            },
          },
        },
      }),
    responses: {
      [http.status ?? 200]: {
        description: 'Done',
        content: { 'application/json': { schema: jsonSchema(tool.output, 'output') }, ...png },
      },
      default: {
        description: 'Refused or failed',
        content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
      },
    },
  };
}

/** `/api/v1/dex/alerts/…` belongs to `alerts`, `/api/v1/runs` to `runs`. */
function topic(path: string): string {
  return path.replace(/^\/api\/v1\/(dex\/)?/, '').split('/')[0] ?? 'other';
}

const errorSchema = {
  type: 'object',
  required: ['error'],
  properties: {
    error: {
      type: 'object',
      required: ['kind', 'message', 'request_id'],
      properties: {
        kind: {
          type: 'string',
          enum: [...ERROR_KINDS, 'internal'],
          description: Object.entries(HTTP_STATUS)
            .map(([kind, status]) => `${status} ${kind}`)
            .join(', '),
        },
        message: { type: 'string' },
        details: {},
        request_id: { type: 'string' },
      },
    },
  },
};
