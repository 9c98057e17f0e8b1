/** The tool that reads the audit: who did what, through which interface, with what outcome. */
import { z } from 'zod';
import { INTERFACES, ROLES } from '../actor.ts';
import { sinceInput, sinceMeant } from '../commands/sinceInput.ts';
import { iso } from '../present.ts';
import { timestamp } from '../shapes.ts';
import { defineTool } from '../tool.ts';

const auditLine = z.object({
  id: z.number().int(),
  at: timestamp,
  actor: z.string(),
  actor_kind: z.string(),
  via: z.string(),
  role: z.string(),
  tool: z.string(),
  subject: z.string().nullable(),
  outcome: z.string(),
  error: z.string().nullable(),
  duration_ms: z.number().int(),
  input_digest: z.string(),
});

/** Enough for a day of a busy fleet in one export. */
const MAX_LINES = 10_000;

export const listAudit = defineTool({
  name: 'list_audit',
  title: 'Read the audit',
  effect: 'read',
  reach: 'selection',
  toolset: 'audit',
  role: 'admin',
  hiddenFrom: INTERFACES.filter((via) => !['rest', 'cli', 'mcp'].includes(via)),
  description:
    'Every write that was asked for, newest first: who, through which interface, which tool, about what, with what outcome. REST serves it as CSV or JSON lines too.',
  http: { method: 'GET', path: '/api/v1/audit' },
  command: { name: 'audit', args: [], example: 'audit --tool resolve_alert --limit 20' },
  input: z.strictObject({
    actor: z.string().max(255).optional().describe('As the audit names them, like key:grafana or slack:U123'),
    tool: z.string().max(64).optional(),
    via: z.enum(INTERFACES).optional(),
    role: z.enum(ROLES).optional(),
    outcome: z.enum(['ok', 'denied', 'failed']).optional(),
    since: sinceInput,
    limit: z.coerce.number().int().min(1).max(MAX_LINES).default(100).describe('How many lines at most'),
    offset: z.coerce.number().int().min(0).default(0).describe('How many lines to skip'),
  }),
  output: z.object({ audit: z.array(auditLine), total: z.number().int() }),
  async run({ limit, offset, since, ...asked }, { ports, actor, now }) {
    const filter = { ...asked, since: sinceMeant(since, actor, ports.settings, now) };
    const { items, total } = await ports.store.audit.list(filter, { limit, offset });
    return {
      audit: items.map((entry) => ({
        id: entry.id,
        at: iso(entry.at),
        actor: entry.actor,
        actor_kind: entry.actorKind,
        via: entry.via,
        role: entry.role,
        tool: entry.tool,
        subject: entry.subject,
        outcome: entry.outcome,
        error: entry.error,
        duration_ms: entry.durationMs,
        input_digest: entry.inputDigest,
      })),
      total,
    };
  },
  summary: ({ audit, total }) =>
    [
      `${total} line${total === 1 ? '' : 's'}`,
      ...audit.map(({ at, actor, via, tool, subject, outcome, error }) =>
        [at, actor, `(${via})`, tool, subject ?? '', outcome, error ?? ''].filter(Boolean).join(' '),
      ),
    ].join('\n'),
  rows: ({ audit }) => audit,
});
