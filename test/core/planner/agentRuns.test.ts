/** Agents in the running service: sent by alerts and schedules, scanning, kept within a budget, and replaced by rules without a model. */
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { type Actor, jobActor } from '../../../src/core/actor.ts';
import type { Messenger } from '../../../src/core/ports/messagePorts.ts';
import type { Delivery } from '../../../src/domain/outbox.ts';
import { alert, delivery } from '../../helpers/deliveries.ts';
import { type Findings, machines } from '../../helpers/machines.ts';
import { answer, type Model, startModel } from '../../helpers/model.ts';
import { startTestService, type TestService } from '../../helpers/service.ts';

const WEBHOOK: Actor = { id: 'webhook', name: 'Alertmanager', kind: 'system', via: 'webhook', role: 'operator' };

let model: Model;
beforeAll(async () => {
  model = await startModel();
});
afterAll(() => model.stop());

/** A service for one test, with one scanned endpoint. */
async function serve(
  env: Record<string, string>,
  found: Findings = { diskPct: 97, diskMount: '/home' },
  messengers: Messenger[] = [],
): Promise<TestService> {
  const service = await startTestService(env, { collector: machines(new Map([['dev-01', found]])), messengers });
  onTestFinished(() => service.stop());
  await service.call('POST', '/api/v1/dex/endpoints', {
    hostname: 'dev-01',
    collector: 'ssh',
    options: { username: 'dex' },
    owner_email: 'alice@company.com',
  });
  return service;
}

async function scan(service: TestService): Promise<Record<string, any>> {
  const { body } = await service.call('POST', '/api/v1/dex/endpoints/dev-01/scan');
  return service.finished(body.run_id);
}

async function ask(service: TestService, goal: string, more: object = {}): Promise<Record<string, any>> {
  const { body } = await service.call('POST', '/api/v1/runs', { goal, ...more });
  return service.finished(body.run_id);
}

/** Takes everything and keeps it. */
function keeper(): { messenger: Messenger; told: Delivery[] } {
  const told: Delivery[] = [];
  const deliver = async (one: Delivery) => {
    told.push(one);
    return { outcome: 'delivered' as const };
  };
  return { messenger: { name: 'keeper', paceMs: 1, deliver }, told };
}

const notes = (told: Delivery[]) => told.flatMap(({ messages }) => messages.filter(({ payload }) => 'note' in payload));

describe('without a model', { timeout: 60_000 }, () => {
  test.each([
    ['by hostname', 'why is dev-01 slow?'],
    ['by the owner’s mail address', 'What about alice@company.com?'],
    ['by the owner’s name', "why is Alice's laptop slow?"],
  ])('rules answer about the machine that is meant %s, and say that they do', async (_how, goal) => {
    const service = await serve({});
    await scan(service);
    const run = await ask(service, goal);
    expect(run).toMatchObject({ status: 'completed', usage: null, steps: [] });
    expect(run.result.summary).toContain('No language model is configured (LLM_PROVIDER is not set)');
    expect(run.result.summary).toContain('About dev-01');
    const facts = Object.fromEntries(
      run.result.findings.map((one: { source: string; fact: string }) => [one.source, one.fact]),
    );
    expect(facts.get_score).toMatch(/dev-01: \d+ of 100[\s\S]*\/home/);
    expect(facts.list_alerts).toContain('dev-01');
    expect((await service.app.invoke('get_run', { run_id: run.run_id }, WEBHOOK)).text).toContain('of 100');
  });

  test('a question about nothing in particular is about the fleet; health says why there is no model', async () => {
    const service = await serve({ LLM_PROVIDER: 'openai' });
    const run = await ask(service, 'How are we?');
    expect(run.result.findings.map(({ source }: { source: string }) => source)).toEqual(['get_fleet', 'list_alerts']);
    expect((await service.call('GET', '/health')).body.checks.llm).toMatchObject({
      status: 'ok',
      provider: null,
      detail: expect.stringContaining('OPENAI_API_KEY is not set'),
    });
  });

  test('a critical alert sends nobody', async () => {
    const service = await serve({});
    await service.app.invoke(
      'ingest_alerts',
      delivery(alert({ host: 'dev-01', labels: { severity: 'critical' } })),
      WEBHOOK,
    );
    expect((await service.call('GET', '/api/v1/runs?kind=planner')).body.total).toBe(0);
  });
});

describe('a budget', { timeout: 60_000 }, () => {
  /** What one of these turns costs, and what is about the most that it may: it writes all that it is allowed to. */
  const TURN_USD = 0.0135;
  const longTurns = (goal: string) =>
    model.says(
      goal,
      { calls: [['dexops__get_fleet', {}]], outputTokens: 8192 },
      { text: answer('Fine.'), outputTokens: 8192 },
    );

  test('of the day stops runs before the turn that may go beyond it, and says until when', async () => {
    const service = await serve({ ...model.env, LLM_DAILY_BUDGET_USD: String(TURN_USD * 1.9) });
    longTurns('goal-day');
    expect(await ask(service, 'goal-day')).toMatchObject({
      status: 'failed',
      error: expect.stringMatching(/today's budget for language models is used up.*starts anew at midnight UTC/),
      cost_usd: expect.closeTo(TURN_USD, 3),
      steps: [{ step: 1 }],
    });
  });

  test('holds for runs side by side', async () => {
    const budgetUsd = TURN_USD * 3.9;
    const service = await serve({ ...model.env, LLM_DAILY_BUDGET_USD: String(budgetUsd) });
    const goals = Array.from({ length: 8 }, (_, index) => `goal-beside-${index};`);
    for (const goal of goals) longTurns(goal);
    const runs = await Promise.all(goals.map((goal) => ask(service, goal)));
    const spentUsd = runs.reduce((sum, { cost_usd }) => sum + (cost_usd ?? 0), 0);
    expect(spentUsd).toBeGreaterThan(TURN_USD * 2);
    expect(spentUsd).toBeLessThanOrEqual(budgetUsd);
    for (const { error } of runs.filter(({ status }) => status !== 'completed')) expect(error).toContain('is used up');
  });

  test('of one who asks leaves the others theirs', async () => {
    const service = await serve({ ...model.env, LLM_DAILY_BUDGET_PER_KEY_USD: String(TURN_USD * 1.9) });
    longTurns('goal-mine');
    expect((await ask(service, 'goal-mine')).error).toContain('key:api_key');
    model.says('goal-theirs', { text: answer('Fine.') });
    const other: Actor = { id: 'slack:U2', name: 'Cem', kind: 'human', via: 'slack', role: 'viewer' };
    const { output } = await service.app.invoke('start_run', { goal: 'goal-theirs' }, other);
    expect((await service.finished(String(output.run_id))).status).toBe('completed');
  });
});

describe('an agent is sent', { timeout: 60_000 }, () => {
  test('once when a critical alert opens, and what it found goes to the alert', async () => {
    const { messenger, told } = keeper();
    const service = await serve(model.env, {}, [messenger]);
    model.says(
      'critical alert',
      { calls: [['dexops__list_alerts', {}]] },
      {
        text: JSON.stringify({
          probable_cause: 'A runaway log fills /home.',
          confidence: 'high',
          evidence: ['disk 97 %'],
          would_disprove: 'free space grows',
          scope: 'this_endpoint',
          next_step: 'Rotate the log.',
          runbook: null,
        }),
      },
    );
    const firing = delivery(
      alert({ host: 'dev-01', name: 'DiskFull', labels: { severity: 'critical' } }),
      alert({ host: 'dev-01', name: 'Meh', labels: { severity: 'warning' } }),
    );
    await service.app.invoke('ingest_alerts', firing, WEBHOOK);
    await service.app.invoke('ingest_alerts', firing, WEBHOOK);
    await expect.poll(() => notes(told).length, { timeout: 20_000 }).toBe(1);
    const [note] = notes(told);
    expect(note).toMatchObject({ subject: expect.stringMatching(/^alert:\d+$/), kind: 'changed' });
    expect(note?.payload.note).toMatch(/^A runaway log fills \/home\.\nConfidence: high\nEvidence:\n• disk 97 %/);
    const { runs, total } = (await service.call('GET', '/api/v1/runs?kind=planner')).body;
    expect(total).toBe(1);
    expect(runs[0]).toMatchObject({ agent_profile: 'dex_triage', hostname: 'dev-01', requested_by: 'job:dex_triage' });
  });

  test('by the weekly schedule, and the channel gets its digest', async () => {
    const { messenger, told } = keeper();
    const service = await serve(model.env, {}, [messenger]);
    const digest = { headline: 'A quiet week.', highlights: ['Nothing broke.'], concerns: [], decisions_needed: [] };
    model.says('digest of the last seven days', { text: JSON.stringify(digest) });
    await service.app.invoke(
      'start_run',
      { agent_profile: 'dex_report', goal: 'Write the digest of the last seven days.' },
      jobActor('dex_weekly_report'),
    );
    await expect.poll(() => notes(told).length, { timeout: 20_000 }).toBe(1);
    expect(notes(told)[0]).toMatchObject({
      subject: 'agent:dex_report',
      payload: { note: 'A quiet week.\nHighlights:\n• Nothing broke.' },
    });
  });
});

describe('scans by an agent', { timeout: 60_000 }, () => {
  const goal = 'Measure dev-01';
  const env = () => ({ ...model.env, DEX_SCAN_MODE: 'agent' });

  test('score what it measured, with a run of its own that keeps the cost', async () => {
    const service = await serve(env(), { diskPct: 97, diskMount: '/home' });
    model.says(
      goal,
      { calls: [['dexops__measure_endpoint', {}]] },
      {
        text: JSON.stringify({
          hostname: 'dev-01',
          reachable: true,
          unreachable_reason: null,
          cpu_pct: 10,
          memory_pct: 20,
          disk_pct: 97,
          disk_mount: '/home',
          latency_ms: 3,
          packet_loss_pct: 0,
          dns_failures: 0,
          dns_lookups: 4,
          services_down: [],
          log_errors: 0,
          booted_at: null,
          unmeasured: [],
        }),
      },
    );
    const run = await scan(service);
    expect(run).toMatchObject({ status: 'completed', result: { notes: [], snapshot: { disk_pct: 97, cpu_pct: 10 } } });
    const { runs } = (await service.call('GET', '/api/v1/runs?kind=planner')).body;
    const agents = runs.filter((one: { agent_profile: string }) => one.agent_profile === 'dex_proactive');
    expect(agents).toMatchObject([{ agent_profile: 'dex_proactive', status: 'completed', hostname: 'dev-01' }]);
    const { steps } = (await service.call('GET', `/api/v1/runs/${agents[0].run_id}`)).body;
    expect(steps[0].calls[0]).toMatchObject({ status: 'done', input: { hostname: 'dev-01' } });
  });

  test('look directly when there is no model, and the run says so', async () => {
    const service = await serve({ DEX_SCAN_MODE: 'agent' });
    const run = await scan(service);
    expect(run).toMatchObject({ status: 'completed', result: { snapshot: { disk_pct: 97 } } });
    expect(run.result.notes).toEqual([expect.stringContaining('dev-01 was scanned directly')]);
  });
});
