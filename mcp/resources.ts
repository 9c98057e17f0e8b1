/** Resources over MCP: the fleet, its endpoints and the runbooks as documents that a person can attach; each is the answer of a reading tool. */
import type { Server } from '@modelcontextprotocol/sdk/server/index.js';
import {
  CompleteRequestSchema,
  ErrorCode,
  ListResourcesRequestSchema,
  ListResourceTemplatesRequestSchema,
  McpError,
  ReadResourceRequestSchema,
  type Resource,
} from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import { AppError } from '../src/core/errors.ts';
import { endpointShape, runbookPageShape } from '../src/core/shapes.ts';
import { answering } from './failures.ts';
import type { McpServerOptions } from './options.ts';

const PAGE_SIZE = 100;
const MIME_TYPE = 'application/json';
const FLEET_URI = 'dexops://fleet';
const RUNBOOK_MIME_TYPE = 'text/markdown';

/** What there is to read about each endpoint, by the end of its address. */
const DOCUMENTS = [
  {
    end: '',
    tool: 'get_endpoint',
    title: 'Endpoint',
    description: 'Whose a machine is, how it is scanned, its score.',
  },
  { end: '/score', tool: 'get_score', title: 'Score', description: 'The latest score of a machine with its reasons.' },
  {
    end: '/history',
    tool: 'get_score_history',
    title: 'Score history',
    description: 'The last 96 scores of a machine.',
  },
] as const;

const endpointPage = z.object({ endpoints: z.array(endpointShape), total: z.number().int() });
const runbookPage = z.object({ runbooks: z.array(runbookPageShape), total: z.number().int() });

export function serveResources(server: Server, { invoke, actor, log }: McpServerOptions): void {
  async function endpoints(input: Record<string, unknown>, signal: AbortSignal) {
    return endpointPage.parse((await invoke('list_endpoints', input, actor, { signal })).output);
  }
  async function runbooks(input: Record<string, unknown>, signal: AbortSignal) {
    return runbookPage.parse((await invoke('list_runbooks', input, actor, { signal })).output);
  }

  server.setRequestHandler(ListResourcesRequestSchema, ({ params }, { signal }) =>
    answering(log, 'resources/list', async () => {
      // One list: the fleet, the runbooks, the endpoints.
      const offset = offsetOf(params?.cursor);
      const pages = await runbooks({ limit: PAGE_SIZE, offset }, signal);
      const room = PAGE_SIZE - pages.runbooks.length;
      const machines =
        room > 0
          ? await endpoints({ limit: room, offset: Math.max(0, offset - pages.total) }, signal)
          : { endpoints: [], total: Number.POSITIVE_INFINITY };
      const listed = [...pages.runbooks.map(runbookResource), ...machines.endpoints.map(endpointResource)];
      const next = offset + listed.length;
      return {
        resources: offset === 0 ? [FLEET, ...listed] : listed,
        ...(listed.length > 0 && next < pages.total + machines.total && { nextCursor: String(next) }),
      };
    }),
  );

  server.setRequestHandler(ListResourceTemplatesRequestSchema, () => ({
    resourceTemplates: [
      ...DOCUMENTS.map(({ end, tool, title, description }) => ({
        uriTemplate: `dexops://endpoints/{hostname}${end}`,
        name: tool.replace('get_', ''),
        title,
        description,
        mimeType: MIME_TYPE,
      })),
      {
        uriTemplate: 'dexops://runbooks/{doc_id}',
        name: 'runbook',
        title: 'Runbook',
        description: 'What to do about one kind of problem: symptoms, diagnosis, fix, verification, escalation.',
        mimeType: RUNBOOK_MIME_TYPE,
      },
    ],
  }));

  server.setRequestHandler(ReadResourceRequestSchema, ({ params: { uri } }, { signal }) =>
    answering(log, 'resources/read', async () => {
      const { tool, input } = behind(uri);
      const { output, text } = await invoke(tool, input, actor, { signal });
      return {
        contents: [
          tool === 'get_runbook'
            ? { uri, mimeType: RUNBOOK_MIME_TYPE, text }
            : { uri, mimeType: MIME_TYPE, text: JSON.stringify(output, null, 2) },
        ],
      };
    }),
  );

  server.setRequestHandler(CompleteRequestSchema, ({ params: { argument } }, { signal }) =>
    answering(log, 'completion/complete', async () => {
      if (argument.name === 'doc_id') {
        const names = (await runbooks({ limit: 1000 }, signal)).runbooks.map(({ doc_id }) => doc_id);
        const values = names.filter((name) => name.startsWith(argument.value));
        return { completion: { values: values.slice(0, PAGE_SIZE), total: values.length } };
      }
      if (argument.name !== 'hostname') return { completion: { values: [] } };
      try {
        const page = await endpoints({ prefix: argument.value, limit: PAGE_SIZE }, signal);
        const values = page.endpoints.map(({ hostname }) => hostname);
        return { completion: { values, total: page.total, hasMore: page.total > values.length } };
      } catch (error) {
        // Whatever cannot begin a hostname has no completions.
        if (error instanceof AppError && error.kind === 'invalid') return { completion: { values: [] } };
        throw error;
      }
    }),
  );
}

const FLEET: Resource = {
  uri: FLEET_URI,
  name: 'fleet',
  title: 'The fleet',
  description: 'How many endpoints are healthy, at risk and critical, the average score and the worst machines.',
  mimeType: MIME_TYPE,
};

function endpointResource(endpoint: z.output<typeof endpointShape>): Resource {
  const score = endpoint.score === null ? 'no score' : `score ${endpoint.score} (${endpoint.score_status})`;
  return {
    uri: `dexops://endpoints/${endpoint.hostname}`,
    name: endpoint.hostname,
    description: `${score}, ${endpoint.persona}, tier ${endpoint.criticality_tier}, ${endpoint.state}`,
    mimeType: MIME_TYPE,
  };
}

function runbookResource(page: z.output<typeof runbookPageShape>): Resource {
  const about = [...page.platforms, ...page.alerts].join(', ');
  return {
    uri: `dexops://runbooks/${encodeURIComponent(page.doc_id)}`,
    name: page.doc_id,
    title: page.title,
    description: about === '' ? 'Runbook' : `Runbook for ${about}`,
    mimeType: RUNBOOK_MIME_TYPE,
  };
}

function behind(uri: string): { tool: string; input: Record<string, unknown> } {
  if (uri === FLEET_URI) return { tool: 'get_fleet', input: {} };
  const [, docId] = /^dexops:\/\/runbooks\/([^/]+)$/.exec(uri) ?? [];
  if (docId !== undefined) return { tool: 'get_runbook', input: { doc_id: decoded(docId) } };
  const [, hostname, end] = /^dexops:\/\/endpoints\/([^/]+)(\/\w+)?$/.exec(uri) ?? [];
  const document = DOCUMENTS.find((candidate) => candidate.end === (end ?? ''));
  if (!hostname || !document) {
    throw new AppError(
      'not_found',
      `There is no resource ${uri}. resources/list and resources/templates/list name those there are.`,
    );
  }
  return { tool: document.tool, input: { hostname } };
}

/** As it stands when it is no valid encoding; there is no page of that name then. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function offsetOf(cursor: string | undefined): number {
  if (cursor === undefined) return 0;
  if (/^\d{1,9}$/.test(cursor)) return Number(cursor);
  throw new McpError(ErrorCode.InvalidParams, 'This cursor is not one that resources/list gave; begin without one.');
}
