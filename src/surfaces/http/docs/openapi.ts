/** The OpenAPI 3.1 description, made from the tools. */

import { callTextFor, descriptionFor } from '../../../core/callText.ts';
import { readCommand, splitCommand } from '../../../core/commands/readCommand.ts';
import { ERROR_KINDS } from '../../../core/errors.ts';
import { jsonSchema } from '../../../core/invoke.ts';
import { leastRole } from '../../../core/policy.ts';
import type { AnyTool, CallText } from '../../../core/tool.ts';
import { HTTP_STATUS } from '../errors.ts';
import { otherPaths } from './otherPaths.ts';

type Json = Record<string, unknown>;

/** @param now what the examples call the present */
export function openapi(tools: readonly AnyTool[], version: string, now = new Date()): Json {
  const callText = callTextFor(tools, 'rest');
  const paths: Record<string, Record<string, Json>> = {};
  for (const tool of tools) {
    if (!tool.http || tool.hiddenFrom?.includes('rest')) continue;
    const path = tool.http.path.replace(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [tool.http.method.toLowerCase()]: operation(tool, tools, callText) };
    if (tool.http.events) paths[`${path}/events`] = { get: events(tool, tools, callText) };
  }
  Object.assign(paths, otherPaths(tools, ERROR, now));
  const topics = Object.values(paths).flatMap((path) => Object.values(path).flatMap(({ tags }) => tags as string[]));
  return {
    openapi: '3.1.0',
    info: {
      title: 'DexOps',
      version,
      description: 'How well employees’ computers serve them: scans, scores, alerts, healing.',
    },
    servers: [{ url: '/' }],
    tags: [...new Set(topics)].map((name) => ({ name })),
    paths,
    components: {
      securitySchemes: {
        apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
        bearer: { type: 'http', scheme: 'bearer' },
        webhookToken: {
          type: 'apiKey',
          in: 'header',
          name: 'X-Webhook-Token',
          description: 'WEBHOOK_SECRET, or sha256= and the HMAC of the body with it',
        },
      },
      schemas: { Error: errorSchema },
    },
    security: [{ apiKey: [] }, { bearer: [] }],
  };
}

function operation(tool: AnyTool, tools: readonly AnyTool[], callText: CallText): Json {
  const example = exampleInput(tool, tools);
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
      .map(([name, schema]) => ({ name, in: 'path', required: true, schema, example: example[name] })),
    ...inQuery.map(([name, schema]) => ({ name, in: 'query', required: false, schema, example: example[name] })),
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
              example: Object.fromEntries(others.flatMap(([name]) => (name in example ? [[name, example[name]]] : []))),
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
        content: { 'application/json': { schema: ERROR } },
      },
    },
  };
}

/** The same answer for as long as what it shows goes on. */
function events(tool: AnyTool, tools: readonly AnyTool[], callText: CallText): Json {
  const { operationId, summary, parameters, responses, ...rest } = operation(tool, tools, callText);
  const inPath = (parameters as { in: string }[]).filter((parameter) => parameter.in === 'path');
  const stream = {
    description: 'Server-sent events',
    content: { 'text/event-stream': { schema: { type: 'string' } } },
  };
  return {
    ...rest,
    operationId: `${operationId}_events`,
    summary: `${summary}, as it goes on`,
    parameters: inPath,
    responses: { ...(responses as Json), 200: stream },
  };
}

/** The input of the command that the tool's declaration gives as its example; where that names a file, a text such as the file has. */
function exampleInput(tool: AnyTool, tools: readonly AnyTool[]): Json {
  const reading = tool.command ? readCommand(splitCommand(tool.command.example), tools) : null;
  if (reading?.kind !== 'call') return {};
  const files = tool.command?.files ?? [];
  const texts = files.flatMap((field) => (reading.input[field] === undefined ? [] : [[field, textLike(field)]]));
  return { ...reading.input, ...Object.fromEntries(texts) };
}

/** A text such as the file of this field has. */
function textLike(field: string): string {
  if (field === 'text') return LIST;
  return field === 'map' ? 'remediation_map:\n  DiskFull: { action: ticket }\n' : 'weights: …\n';
}

const LIST = 'hostname,owner_email,dept\nalice-laptop,alice@example.com,sales\nbob-laptop,bob@example.com,finance\n';

/** Paths whose first word is not what people look for. */
const TOPICS: Record<string, string> = {
  rag: 'runbooks',
  predictions: 'forecast',
  keys: 'administration',
  audit: 'administration',
  outbox: 'administration',
  backups: 'administration',
  'unknown-hosts': 'endpoints',
};

/** `/api/v1/dex/alerts/…` belongs to `alerts`, `/api/v1/runs` to `runs`. */
function topic(path: string): string {
  const first = path.replace(/^\/api\/v1\/(dex\/)?/, '').split('/')[0] ?? 'other';
  return TOPICS[first] ?? first;
}

const ERROR = { $ref: '#/components/schemas/Error' };

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
