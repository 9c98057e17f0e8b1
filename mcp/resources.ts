/** Resources over MCP: the fleet, its endpoints and the runbooks as documents that a person can attach; each is the answer of a reading tool. */
import type {
  CompleteResult,
  ListResourcesResult,
  ListResourceTemplatesResult,
  ReadResourceResult,
  Resource,
} from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import { AppError } from '../src/core/errors.ts';
import { endpointShape, runbookPageShape } from '../src/core/shapes.ts';
import { callShowing, type ToolResource } from '../src/core/tool.ts';
import { answering, invalidParams } from './failures.ts';
import type { McpServerOptions } from './options.ts';

const PAGE_SIZE = 100;
const JSON_TYPE = 'application/json';
const MARKDOWN_TYPE = 'text/markdown';
const endpointPage = z.object({ endpoints: z.array(endpointShape), total: z.number().int() });
const runbookPage = z.object({ runbooks: z.array(runbookPageShape), total: z.number().int() });

interface ResourceAnswers {
  list(cursor: string | undefined, signal: AbortSignal): Promise<ListResourcesResult>;
  templates(): ListResourceTemplatesResult;
  read(uri: string, signal: AbortSignal): Promise<ReadResourceResult>;
  complete(argument: { name: string; value: string }, signal: AbortSignal): Promise<CompleteResult>;
}

/** What every revision of the protocol answers about resources; rejects with `ProtocolFailure`. */
export function resourceAnswers({
  tools,
  invoke,
  actor,
  log,
}: Pick<McpServerOptions, 'tools' | 'invoke' | 'actor' | 'log'>): ResourceAnswers {
  const documents = tools.flatMap(({ name, resource }) => (resource ? [{ tool: name, ...resource }] : []));
  const whole = documents.filter(({ uri }) => !uri.includes('{'));

  async function endpoints(input: Record<string, unknown>, signal: AbortSignal) {
    return endpointPage.parse((await invoke(callShowing(tools, 'endpoints').tool, input, actor, { signal })).output);
  }
  async function runbooks(input: Record<string, unknown>, signal: AbortSignal) {
    return runbookPage.parse((await invoke(callShowing(tools, 'runbooks').tool, input, actor, { signal })).output);
  }

  const list: ResourceAnswers['list'] = (cursor, signal) =>
    answering(log, 'resources/list', async () => {
      // One list: the fleet, the runbooks, the endpoints.
      const offset = offsetOf(cursor);
      const pages = await runbooks({ limit: PAGE_SIZE, offset }, signal);
      const room = PAGE_SIZE - pages.runbooks.length;
      const machines =
        room > 0
          ? await endpoints({ limit: room, offset: Math.max(0, offset - pages.total) }, signal)
          : { endpoints: [], total: Number.POSITIVE_INFINITY };
      const listed = [...pages.runbooks.map(runbookResource), ...machines.endpoints.map(endpointResource)];
      const next = offset + listed.length;
      return {
        resources: offset === 0 ? [...whole.map(asResource), ...listed] : listed,
        ...(listed.length > 0 && next < pages.total + machines.total && { nextCursor: String(next) }),
      };
    });

  const templates = () => ({
    resourceTemplates: documents
      .filter(({ uri }) => uri.includes('{'))
      .map(({ uri: uriTemplate, ...document }) => ({ uriTemplate, ...described(document) })),
  });

  const read: ResourceAnswers['read'] = (uri, signal) =>
    answering(log, 'resources/read', async () => {
      const { document, input } = behind(documents, uri);
      const { output, text } = await invoke(document.tool, input, actor, { signal });
      const { mimeType } = document;
      return {
        contents: [{ uri, mimeType, text: mimeType === JSON_TYPE ? JSON.stringify(output, null, 2) : text }],
      };
    });

  const complete: ResourceAnswers['complete'] = (argument, signal) =>
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
    });

  return { list, templates, read, complete };
}

type Document = ToolResource & { tool: string };

function described({ name, title, description, mimeType }: Omit<Document, 'uri' | 'tool'>) {
  return { name, title, description, mimeType };
}

function asResource({ uri, ...document }: Document): Resource {
  return { uri, ...described(document) };
}

function endpointResource(endpoint: z.output<typeof endpointShape>): Resource {
  const score = endpoint.score === null ? 'no score' : `score ${endpoint.score} (${endpoint.score_status})`;
  return {
    uri: `dexops://endpoints/${endpoint.hostname}`,
    name: endpoint.hostname,
    description: `${score}, ${endpoint.persona}, tier ${endpoint.criticality_tier}, ${endpoint.state}`,
    mimeType: JSON_TYPE,
  };
}

function runbookResource(page: z.output<typeof runbookPageShape>): Resource {
  const about = [...page.platforms, ...page.alerts].join(', ');
  return {
    uri: `dexops://runbooks/${encodeURIComponent(page.doc_id)}`,
    name: page.doc_id,
    title: page.title,
    description: about === '' ? 'Runbook' : `Runbook for ${about}`,
    mimeType: MARKDOWN_TYPE,
  };
}

/** The document at an address, and the input that the address stands for. */
function behind(documents: readonly Document[], uri: string): { document: Document; input: Record<string, string> } {
  for (const document of documents) {
    const pattern = document.uri.replace(/[.*+?^$()|[\]\\]/g, '\\$&').replace(/\{(\w+)\}/g, '(?<$1>[^/]+)');
    const found = new RegExp(`^${pattern}$`).exec(uri);
    if (!found) continue;
    const fields = Object.entries(found.groups ?? {}).map(([field, value]) => [field, decoded(value)]);
    return { document, input: Object.fromEntries(fields) };
  }
  throw new AppError(
    'not_found',
    `There is no resource ${uri}. resources/list and resources/templates/list name those there are.`,
  );
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
  throw invalidParams('This cursor is not one that resources/list gave; begin without one.');
}
