/** Fills every table of a database the way a large fleet does, by statements that make their rows themselves. */
import type { Database, DatabaseKind } from '../../src/adapters/db/open.ts';
import { encodeBlock } from '../../src/adapters/db/telemetry/sampleBlock.ts';

const ENDPOINTS = 2_000;
/** Rows of endpoints come in turns: one of each endpoint, then the next of each. */
const SUBJECT = `(1 + (i - 1) % ${ENDPOINTS})`;
const TURN = `((i - 1) / ${ENDPOINTS})`;

/** Now, for all that was filled in: the newest rows are of this moment. */
export const FILLED_UNTIL = new Date('2026-03-02T09:00:00Z');

/** A block that can be read, whatever kind of sample it is read as. */
const BLOCK = encodeBlock([
  {
    '@': 0,
    score: 70,
    components: { device: 70, network: null, app: null, remediation: 100 },
    samples: 4,
    aggregates: {},
  },
]).toString('hex');

interface Filling {
  rows: number;
  /** SQL over the row's number `i`, from 1, for the columns whose values decide how a table is read. */
  columns?: Record<string, string>;
}

/**
 * In the proportions of 10,000 endpoints × 30 days, with fewer rows: a table of some hundred pages of which a question wants
 * one row in a thousand is read by index, or not, just as one that is a hundred times as large.
 */
function fillings(kind: DatabaseKind): Record<string, Filling> {
  const ago = (days: string) =>
    kind === 'sqlite'
      ? `(${FILLED_UNTIL.getTime()} - cast((${days}) * 86400000 as integer))`
      : `(timestamptz '${FILLED_UNTIL.toISOString()}' - (${days}) * interval '1 day')`;
  return {
    endpoint: {
      rows: ENDPOINTS,
      columns: {
        hostname: text('host-'),
        ip_address: text('10.0.'),
        owner_email: `'user' || ${asText('i / 2')} || '@example.com'`,
        agent_token_digest: text('digest-'),
        deregistered_at: `case when i % 20 = 0 then ${ago('i / 5.0')} end`,
        last_seen_at: ago('(i % 10) * 0.01'),
        score: 'i % 101',
        persona: `case i % 5 when 0 then 'developer' when 1 then 'executive' when 2 then 'tech' when 3 then 'salesperson' else 'general' end`,
        tags: `'{"team": "sales"}'`,
      },
    },
    endpoint_alias: {
      rows: 3 * ENDPOINTS,
      columns: { endpoint_id: SUBJECT, kind: "'name'", value: text('alias-'), source: "'said'" },
    },
    snapshot: {
      rows: 100_000,
      columns: { unmeasured: "'[]'", endpoint_id: SUBJECT, collected_at: ago(`${TURN} / 96.0`) },
    },
    score: { rows: 100_000, columns: { endpoint_id: SUBJECT, scored_at: ago(`${TURN} / 96.0`) } },
    sample_block: {
      rows: 120_000,
      columns: {
        endpoint_id: SUBJECT,
        kind: `1 + ${TURN} % 4`,
        day: ago(`${TURN} / 4 + 0.375`),
        data: kind === 'sqlite' ? `x'${BLOCK}'` : `'\\x${BLOCK}'::bytea`,
      },
    },
    fleet_score: { rows: 20_000, columns: { at: ago('i * 0.01') } },
    fleet_score_hour: { rows: 9_000, columns: { hour: ago('14 + i / 24.0') } },
    alert: {
      rows: 30_000,
      columns: {
        endpoint_id: SUBJECT,
        hostname: `'host-' || ${asText(SUBJECT)}`,
        // Two names an endpoint, so that an open one is the only one of its identity.
        alert_name: `case when i <= ${ENDPOINTS / 4} then 'DiskFull' else 'HighCpu' end`,
        severity: `case i % 3 when 0 then 'critical' else 'warning' end`,
        alert_type: "'metric'",
        status: `case when i <= ${ENDPOINTS / 8} then 'active' when i <= ${ENDPOINTS / 4} then 'acknowledged' else 'resolved' end`,
        created_at: ago('i * 0.013'),
        acknowledged_at: `case when i % 3 = 0 then ${ago('i * 0.013')} end`,
        acknowledged_until: ago('(i % 100) * 0.01 - 0.5'),
        handled_at: `case when i % 100 > 0 then ${ago('i * 0.013')} end`,
        resolved_at: `case when i > ${ENDPOINTS / 4} then ${ago('i * 0.013 - 0.01')} end`,
      },
    },
    alert_event: { rows: 60_000, columns: { alert_id: '1 + i % 30000', at: ago('i * 0.006') } },
    prediction: {
      rows: 20_000,
      columns: {
        endpoint_id: SUBJECT,
        metric: `case i % 3 when 0 then 'diskPct' when 1 then 'memoryPct' else 'cpuPct' end`,
        made_at: ago('i * 0.02'),
        ended_at: `case when i > 300 then ${ago('i * 0.02 - 0.01')} end`,
        verdict: `case when i <= 500 then 'open' else 'hit' end`,
      },
    },
    unknown_host: { rows: 1000, columns: { last_seen_at: ago('i * 0.01') } },
    outbox: {
      rows: 30_000,
      columns: {
        messenger: "case i % 2 when 0 then 'slack' else 'ticket' end",
        state: "case when i <= 100 then 'pending' when i <= 200 then 'dead' else 'sent' end",
        next_attempt_at: ago('0.1'),
        created_at: ago('i * 0.001'),
        sent_at: `case when i > 200 then ${ago('i * 0.001')} end`,
      },
    },
    slack_message: { rows: 30_000, columns: { subject: text('alert:') } },
    approval: {
      rows: 10_000,
      columns: {
        status: `case when i <= 50 then 'pending' when i % 3 = 0 then 'denied' else 'approved' end`,
        kind: "case i % 3 when 0 then 'tool' else 'remediation' end",
        hostname: `'host-' || ${asText(SUBJECT)}`,
        requested_at: ago('i * 0.03'),
        expires_at: ago('i * 0.03 - 0.1'),
        decided_at: `case when i > 50 then ${ago('i * 0.03')} end`,
        settled_at: `case when i > 60 then ${ago('i * 0.03')} end`,
      },
    },
    remediation: {
      rows: 20_000,
      columns: {
        alert_id: 'i',
        endpoint_id: SUBJECT,
        hostname: `'host-' || ${asText(SUBJECT)}`,
        playbook: "case i % 4 when 0 then 'cleanup_disk' else 'clear_cache' end",
        status: `case when i <= 50 then 'running' when i <= 100 then 'queued' else 'fixed' end`,
        dry_run: 'i % 10 = 0',
        created_at: ago('i * 0.015'),
        finished_at: `case when i > 100 then ${ago('i * 0.015')} end`,
      },
    },
    ticket: {
      rows: 20_000,
      columns: { alert_id: 'i', external_id: text('T-'), status: "case i % 10 when 0 then 'open' else 'resolved' end" },
    },
    ticket_delivery: { rows: 10_000, columns: { received_at: ago('i * 0.0001') } },
    feedback: { rows: 5_000, columns: { source: "case when i <= 20 then 'feedback' else 'survey' end" } },
    feedback_cell: {
      rows: 5_000,
      columns: {
        source: "case when i <= 50 then 'feedback' else 'survey' end",
        given_out_on: "case when i > 50 then '2026-01-' || cast(10 + i % 20 as text) else '2026-03-01' end",
        comments_out: 'i > 20',
      },
    },
    feedback_comment: {
      rows: 10_000,
      columns: {
        source: "case when i <= 50 then 'feedback' else 'survey' end",
        given_out_on: "case when i > 50 then '2026-01-' || cast(10 + i % 20 as text) else '2026-03-01' end",
      },
    },
    survey: {
      rows: 100,
      columns: { status: "case when i = 1 then 'open' else 'closed' end", closed_at: ago('i * 5') },
    },
    survey_invitation: {
      rows: 50_000,
      columns: {
        survey_id: '1 + i % 100',
        state: "case i % 3 when 0 then 'waiting' else 'asked' end",
        email: `'user' || ${asText('i / 100')} || '@example.com'`,
        time_zone: "'Europe/Berlin'",
        asked_at: ago('3'),
        token_digest: text('t-'),
        reminder_digest: text('r-'),
      },
    },
    survey_seat: { rows: 500, columns: { invitation_id: 'i * 100', survey_id: '1' } },
    owner_remedy: {
      rows: 20_000,
      columns: {
        alert_id: 'i',
        endpoint_id: SUBJECT,
        hostname: `'host-' || ${asText(SUBJECT)}`,
        email: `'user' || ${asText(SUBJECT)} || '@example.com'`,
        status: "case when i <= 40 then 'offered' when i <= 60 then 'running' else 'fixed' end",
        preview_id: text('preview-'),
        remediation_id: text('remedy-'),
        created_at: ago('i * 0.03'),
      },
    },
    owner_report: { rows: 500, columns: { email: `'user' || ${asText('i')} || '@example.com'` } },
    owner_remedy_opt_out: { rows: 500, columns: { email: `'user' || ${asText('i')} || '@example.com'` } },
    reveal: {
      rows: 500,
      columns: {
        endpoint_id: SUBJECT,
        requested_at: ago('i * 0.7'),
        starts_at: ago('i * 0.7'),
        ends_at: ago('i * 0.7 - 0.04'),
      },
    },
    machine_access: {
      rows: 50_000,
      columns: { endpoint_id: SUBJECT, tool: `'tool_' || ${asText('i % 25')}`, via: `'via_' || ${asText('i')}` },
    },
    collection_pause: { rows: 200, columns: { endpoint_id: 'i' } },
    escalation: {
      rows: 5_000,
      columns: {
        subject: text('alert:'),
        began_at: ago('i * 0.03'),
        next_at: `case when i <= 40 then ${ago('0')} end`,
        ended_at: `case when i > 60 then ${ago('i * 0.03')} end`,
      },
    },
    on_call_override: { rows: 50 },
    survey_person: { rows: 1_000, columns: { email: `'user' || ${asText('i')} || '@example.com'` } },
    run: {
      rows: 30_000,
      columns: {
        kind: "case i % 3 when 0 then 'planner' when 1 then 'scan' else 'remediation' end",
        status: "case when i <= 30 then 'running' when i <= 60 then 'queued' else 'completed' end",
        hostname: `'host-' || ${asText(SUBJECT)}`,
        created_at: ago('i * 0.003'),
        finished_at: `case when i > 60 then ${ago('i * 0.003')} end`,
        cost_usd: '0.01',
        requested_by: `'key:' || ${asText('i % 50')}`,
      },
    },
    audit: {
      rows: 60_000,
      columns: {
        at: ago('(60000 - i) * 0.006'),
        actor: `'key:' || ${asText('i % 50')}`,
        tool: `'tool_' || ${asText('i % 40')}`,
        outcome: "case i % 100 when 0 then 'denied' else 'ok' end",
      },
    },
    prediction_threshold: { rows: 3 },
    scan_shard: { rows: 5_000 },
    llm_spend: { rows: 100 },
    api_key: { rows: 50 },
    sign_in_session: {
      rows: 3000,
      columns: {
        digest: text('digest-'),
        subject: text('subject-'),
        email: `'user' || ${asText('i')} || '@example.com'`,
        expires_at: ago('(i - 2990) * 0.3'),
      },
    },
    enrolment: { rows: 50 },
    agent: {
      rows: ENDPOINTS,
      columns: { endpoint_id: 'i', previous_token_digest: text('digest-'), token_issued_at: ago('i * 0.0001') },
    },
    agent_release: { rows: 30 },
    worker: { rows: 10, columns: { seen_at: ago('0') } },
    job: { rows: 10 },
    runbook_feedback: { rows: 2_000, columns: { doc_id: `'page-' || ${asText('i % 60')}`, voter: text('v') } },
  };
}

/** Fails when a table is not on the list: whoever adds one says how large it becomes. */
export async function fillFleet({ kind, orm, em }: Database): Promise<void> {
  const session = em.fork();
  const tables = fillings(kind);
  for (const { tableName, props } of orm.getMetadata().getAll().values()) {
    const table = tables[tableName];
    if (!table) throw new Error(`test/helpers/fleetRows.ts does not say how large ${tableName} becomes`);
    const given: Record<string, string> = table.columns ?? {};
    const columns = props.flatMap(({ fieldNames: [name = ''], columnTypes: [type = ''], nullable, autoincrement }) =>
      (nullable || autoincrement) && !(name in given) ? [] : [{ name, sql: given[name] ?? filler(type) }],
    );
    const select = columns.map(({ sql }) => sql).join(', ');
    const numbers =
      kind === 'sqlite'
        ? `with recursive numbers(i) as (select 1 union all select i + 1 from numbers where i < ${table.rows})
           select ${select} from numbers`
        : `select ${select} from generate_series(1, ${table.rows}) as numbers(i)`;
    await session.execute(`insert into ${tableName} (${columns.map(({ name }) => `"${name}"`).join(', ')}) ${numbers}`);
  }
  await session.execute('analyze');

  function filler(type: string): string {
    if (/time|date/.test(type)) return kind === 'sqlite' ? `${FILLED_UNTIL.getTime()}` : 'now()';
    if (/json/.test(type)) return "'{}'";
    if (/bool/.test(type)) return 'i % 2 = 0';
    return /char|text/.test(type) ? asText('i') : 'i';
  }
}

function asText(sql: string): string {
  return `cast(${sql} as text)`;
}

function text(prefix: string): string {
  return `'${prefix}' || ${asText('i')}`;
}
