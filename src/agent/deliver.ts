/** Brings reports to the server: one by itself, and what has gathered while the server was away as batches. */
import type { AgentReport } from '../domain/signals/agentReport.ts';
import { machineId } from './machineFacts.ts';
import { type Answer, call, objectIn, reasonIn } from './request.ts';
import type { Spool } from './state.ts';

type Outcome = 'done' | 'rejected' | 'try later' | 'token refused';

interface Delivery {
  outcome: Outcome;
  /** Reports that the server took. */
  taken: number;
  /** When the server asks to come back; null when it does not say. */
  retryAfterMs: number | null;
  /** What the server lets the agent collect; absent where it does not say. */
  orders?: Orders;
}

export interface Orders {
  /** Nothing that tells something about the person at the machine. */
  isPrivate: boolean;
  /** Nothing at all until then; milliseconds since 1970. */
  pausedUntilMs: number;
}

/** Reports in one batch; at some 5 KB each well below the megabyte that the server takes. */
const MOST_TOGETHER = 50;

/** Delivers the oldest first and stops at what has to wait; what the server calls invalid is dropped. */
export async function deliverAll(
  spool: Spool,
  { server, token }: { server: URL; token: string },
  say: (line: string) => void,
): Promise<Delivery> {
  let outcome: Outcome = 'done';
  let taken = 0;
  let orders: Orders | undefined;
  while (spool.size() > 0) {
    const reports = spool.oldest(MOST_TOGETHER);
    if (reports.length === 0) {
      spool.drop(1);
      continue;
    }
    const delivery = await post(reports, server, token);
    const span = reports.length === 1 ? '' : `${reports.length} reports from `;
    say(`${span}${reports[0]?.collected_at} ${delivery.remark}`);
    if (delivery.outcome === 'try later' || delivery.outcome === 'token refused') {
      if (delivery.outcome === 'try later') say(`${spool.size()} report(s) waiting`);
      return { outcome: delivery.outcome, taken, retryAfterMs: delivery.retryAfterMs };
    }
    if (delivery.outcome === 'rejected') outcome = 'rejected';
    taken += delivery.taken;
    orders = delivery.orders ?? orders;
    spool.drop(reports.length);
  }
  return { outcome, taken, retryAfterMs: null, ...(orders && { orders }) };
}

/** Longer than any pause that a server may ask for. Milliseconds. */
const LONGEST_PAUSE_MS = 2 * 3_600_000;

function ordersIn({ privacy, paused_until }: Record<string, unknown>): Orders | null {
  if (privacy !== 'named' && privacy !== 'pseudonymous') return null;
  const untilMs = typeof paused_until === 'string' ? Date.parse(paused_until) : 0;
  return {
    isPrivate: privacy === 'pseudonymous',
    pausedUntilMs: Math.min(untilMs || 0, Date.now() + LONGEST_PAUSE_MS),
  };
}

async function post(reports: AgentReport[], server: URL, token: string): Promise<Delivery & { remark: string }> {
  // By the machine's own clock, at each try: the server notices how far that is off.
  const about = { sent_at: new Date().toISOString(), machine_id: await machineId() };
  const sent = reports.map((report) => ({ ...report, ...about }));
  const isBatch = reports.length > 1;
  const url = new URL(isBatch ? 'agent/v1/reports' : 'api/v1/dex/agent/snapshot', server);
  let answer: Answer;
  try {
    answer = await call({
      method: 'POST',
      url,
      bearer: token,
      body: JSON.stringify(isBatch ? { reports: sent } : sent[0]),
    });
  } catch (error) {
    const remark = `${server.origin} cannot be reached: ${(error as Error).message || (error as Error).name}`;
    return { outcome: 'try later', taken: 0, retryAfterMs: null, remark };
  }
  const { status, retryAfterMs } = answer;
  if (status >= 200 && status < 300) {
    const said = objectIn(answer);
    const { invalid } = said;
    const orders = ordersIn(said);
    const dropped = isBatch && Array.isArray(invalid) ? invalid.length : 0;
    const remark = dropped === 0 ? 'delivered' : `delivered, ${dropped} of them called invalid: ${reasonOf(invalid)}`;
    const outcome = dropped === 0 ? 'done' : 'rejected';
    return { outcome, taken: reports.length - dropped, retryAfterMs, remark, ...(orders && { orders }) };
  }
  if (status === 401 || status === 403) {
    const advice =
      'enroll this machine again, or register it with the collector "push" and set DEX_AGENT_TOKEN to its new token';
    const remark = `the server refused the token (HTTP ${status}): register this machine again: ${advice}`;
    return { outcome: 'token refused', taken: 0, retryAfterMs, remark };
  }
  if (status === 400 || status === 413 || status === 422) {
    const remark = `the server called the report invalid, dropped (HTTP ${status}): ${reasonIn(answer)}`;
    return { outcome: 'rejected', taken: 0, retryAfterMs, remark };
  }
  const hint =
    status === 404 || (status >= 300 && status < 400) ? `: is ${server.origin} the DexOps server itself?` : '';
  return { outcome: 'try later', taken: 0, retryAfterMs, remark: `not taken (HTTP ${status})${hint}` };
}

function reasonOf(invalid: unknown): string {
  const [first] = invalid as { reason?: unknown }[];
  return String(first?.reason ?? 'it does not say why').slice(0, 300);
}
