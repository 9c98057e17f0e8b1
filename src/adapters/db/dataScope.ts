/**
 * What a call of a team may read, enforced below every query: while a store that is narrowed to a scope works, each statement
 * that reads sees, by the names of the tables, only the rows of the scope. A repository cannot forget to ask.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { DataScope, Store } from '../../core/ports/storePorts.ts';
import type { SelectionPart } from '../../domain/fleet/selection.ts';

const current = new AsyncLocalStorage<DataScope>();

const NOTHING = 'false';
const OF_ITS_MACHINE = 'endpoint_id in (select id from endpoint)';
const OF_ITS_ALERT = 'alert_id in (select id from alert)';

/** For a condition that compares with who calls. */
interface Dialect {
  text(value: string): string;
  /** The text at a key of a JSON column. */
  at(column: string, key: string): string;
  /** The table itself, where its name stands for the rows of the scope. */
  table(name: string): string;
}

/** Values go in as hexadecimal digits, so that none of them is ever read as SQL, or as the place of a parameter. */
const DIALECTS = {
  sqlite: {
    text: (value) => `cast(x'${Buffer.from(value).toString('hex')}' as text)`,
    at: (column, key) =>
      `(select value from json_each(${column}) where key = cast(x'${Buffer.from(key).toString('hex')}' as text))`,
    table: (name) => `main.${name}`,
  },
  postgresql: {
    text: (value) => `convert_from(decode('${Buffer.from(value).toString('hex')}', 'hex'), 'UTF8')`,
    at: (column, key) => `(${column} ->> convert_from(decode('${Buffer.from(key).toString('hex')}', 'hex'), 'UTF8'))`,
    // A query that is not recursive does not see itself.
    table: (name) => name,
  },
} satisfies Record<string, Dialect>;

type Rule = (scope: DataScope, dialect: Dialect) => string;

/** By table: which of its rows a scope shows. Each may rely on those before it. Tables that are in neither list fail a test. */
export const RULES: ReadonlyMap<string, string | Rule> = new Map<string, string | Rule>([
  ['endpoint', endpointRule],
  ['endpoint_alias', OF_ITS_MACHINE],
  ['agent', OF_ITS_MACHINE],
  ['snapshot', OF_ITS_MACHINE],
  ['score', OF_ITS_MACHINE],
  ['sample_block', OF_ITS_MACHINE],
  ['alert', OF_ITS_MACHINE],
  ['alert_event', OF_ITS_ALERT],
  ['ticket', OF_ITS_ALERT],
  ['prediction', OF_ITS_MACHINE],
  ['remediation', OF_ITS_MACHINE],
  ['owner_remedy', OF_ITS_MACHINE],
  ['machine_access', OF_ITS_MACHINE],
  ['reveal', OF_ITS_MACHINE],
  ['collection_pause', OF_ITS_MACHINE],
  [
    'approval',
    ({ actorId }, { text, at }) =>
      `hostname in (select hostname from endpoint) or ${at('requester', 'id')} = ${text(actorId)}`,
  ],
  [
    'escalation',
    "subject in (select 'alert:' || id from alert) or subject in (select 'approval:' || id from approval)",
  ],
  // What an agent was asked and found may be about any machine: it is for whoever asked.
  [
    'run',
    ({ actorId }, { text }) =>
      `(kind <> 'planner' and hostname in (select hostname from endpoint)) or requested_by = ${text(actorId)}`,
  ],
  [
    'audit',
    ({ actorId }, { text }) => `actor = ${text(actorId)} or subject in (select hostname from endpoint)
       or (subject in (select cast(id as text) from alert) and tool like '%alert%')
       or subject in (select id from run) or subject in (select id from approval)`,
  ],
  // Whoever signed in by the provider sees their own.
  ['sign_in_session', ({ actorId }, { text }) => `'oidc:' || subject = ${text(actorId)}`],
  // Sums over the whole fleet, and what belongs to no machine.
  ...[
    'fleet_score',
    'fleet_score_hour',
    'unknown_host',
    'scan_shard',
    'outbox',
    'slack_message',
    'ticket_delivery',
    'enrolment',
    'agent_release',
    'api_key',
    'llm_spend',
    'feedback',
    'feedback_cell',
    'feedback_comment',
    'survey',
    'survey_invitation',
    'survey_seat',
    'survey_person',
    'owner_remedy_opt_out',
    'owner_report',
  ].map((table) => [table, NOTHING] as const),
]);

/** Tables that say nothing of any machine or person. */
export const SHARED_TABLES: readonly string[] = [
  'prediction_threshold',
  'on_call_override',
  'runbook_feedback',
  'worker',
  'job',
];

function endpointRule({ selection, ownerEmail }: DataScope, dialect: Dialect): string {
  const parts = selection.map((part) => `(${partRule(part, dialect)})`);
  const owned = ownerEmail === null ? [] : [`lower(owner_email) = ${dialect.text(ownerEmail)}`];
  return [...parts, ...owned].join(' or ') || NOTHING;
}

function partRule(part: SelectionPart, { text, at }: Dialect): string {
  const conditions = Object.entries(part).map(
    ([name, value]) => `${name === 'persona' ? 'persona' : at('tags', name)} = ${text(value)}`,
  );
  return conditions.join(' and ') || NOTHING;
}

/** Statements that change rows find them by keys that were read before, within the scope. */
const CHANGES = /^\s*(insert|update|delete|savepoint|release|rollback|begin|commit|set|pragma)\b/i;
/** A lock is not taken through a query's own names, and is taken on rows that were read before. */
const LOCKS = /\bfor (no key )?update\b[^()]*$/i;

/** The hook of every statement: outside a scope it leaves them alone. */
export function narrowedStatement(kind: keyof typeof DIALECTS): (sql: string) => string {
  const dialect = DIALECTS[kind];
  const texts = new WeakMap<DataScope, string>();
  return (sql) => {
    const scope = current.getStore();
    if (!scope || CHANGES.test(sql) || LOCKS.test(sql)) return sql;
    let narrowed = texts.get(scope);
    if (narrowed === undefined) {
      narrowed = [...RULES]
        .map(([table, rule]) => {
          const condition = typeof rule === 'string' ? rule : rule(scope, dialect);
          return `${table} as not materialized (select * from ${dialect.table(table)} where ${condition})`;
        })
        .join(', ');
      texts.set(scope, narrowed);
    }
    const own = /^\s*with\s+(?!recursive\b)/i.exec(sql);
    return own ? `with ${narrowed}, ${sql.slice(own[0].length)}` : `with ${narrowed} ${sql}`;
  };
}

/** Does what is nobody's call, though a call gave the occasion. */
export function outsideOfScopes<Result>(work: () => Result): Result {
  return current.exit(work);
}

/** The same store for a call that may read no more than a scope. */
export function narrowedStore(store: Omit<Store, 'within'>, scope: DataScope): Store {
  const inside = <Part extends object>(part: Part): Part =>
    Object.fromEntries(
      Object.entries(part).map(([name, member]: [string, unknown]) => [
        name,
        typeof member === 'function'
          ? (...given: unknown[]) => current.run(scope, () => member(...given))
          : inside(member as object),
      ]),
    ) as Part;
  const narrowed = inside(store);
  return {
    ...narrowed,
    endpoints: {
      ...narrowed.endpoints,
      // What would be out of the caller's sight afterwards is not changed at all.
      update: (id, patch, now) => narrowed.transaction((inner) => inner.endpoints.update(id, patch, now)),
    },
    within() {
      throw new Error('a narrowed store is not narrowed again');
    },
  };
}
