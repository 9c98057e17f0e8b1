/** Things that operators ask an assistant for, as the calls that a good client makes: few, small, and answered whole. */
import type { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createMcpServer } from '../../mcp/server.ts';
import type { McpView } from '../../mcp/view.ts';
import { type HealingWorld, healingWorld, person } from '../helpers/healingWorld.ts';
import { keptLog } from '../helpers/log.ts';
import { WELL } from '../helpers/machines.ts';
import { assistant, callTool, clientThatAnswers, connectTo } from '../helpers/mcpClient.ts';

const MOST_CALLS = 3;
const MOST_BYTES = 8 * 1024;

let world: HealingWorld;
let client: Client;
/** The same assistant on a connection that asked for the surveys too. */
let withSurveys: Client;

beforeAll(async () => {
  world = await healingWorld();
  const personas = ['developer', 'salesperson', 'general'];
  for (let i = 0; i < 40; i++) {
    const finance = i % 4 === 0;
    const hostname = `pc-${String(i).padStart(2, '0')}.corp.example.com`;
    await world.register(hostname, {
      owner_email: i === 7 ? 'alice.smith@example.com' : `user${i}@example.com`,
      persona: personas[i % 3],
      tags: { dept: finance ? 'finance' : 'engineering', site: 'HQ' },
    });
    await world.scan(
      hostname,
      finance && i < 24 ? { ...WELL, diskPct: 97 } : i === 7 ? { ...WELL, memoryPct: 96 } : WELL,
    );
  }
  const answering = clientThatAnswers({ action: 'accept', content: { confirm: true } });
  const { app } = world.service;
  const serverWith = (toolsets: McpView['toolsets']) =>
    createMcpServer({
      ...app,
      actor: assistant('operator'),
      view: { toolsets, structured: false },
      charts: app.ports.charts,
      log: keptLog(),
      version: '1',
    });
  client = await connectTo(serverWith([]), answering.client);
  withSurveys = await connectTo(serverWith(['surveys']));
}, 120_000);
afterAll(() => world.close());

interface Told {
  calls: number;
  bytes: number;
  texts: string[];
  pictures: number;
}

type Step = [tool: string, input: Record<string, unknown> | ((texts: string[]) => Record<string, unknown>)];

/** Makes the calls; the bytes are those of all the text that came back. */
async function ask(steps: Step[], asked = client): Promise<Told> {
  const told: Told = { calls: 0, bytes: 0, texts: [], pictures: 0 };
  for (const [tool, input] of steps) {
    const answer = await callTool(asked, tool, typeof input === 'function' ? input(told.texts) : input);
    told.calls++;
    told.texts.push(answer.text);
    told.bytes += Buffer.byteLength(answer.text);
    told.pictures += answer.content.filter(({ type }) => type === 'image').length;
    expect(answer.structuredContent).toBeUndefined();
  }
  return told;
}

const first = (pattern: RegExp) => (texts: string[]) => pattern.exec(texts.at(-1) ?? '')?.[1] ?? 'not said';

const REQUESTS: { request: string; steps: Step[]; says: RegExp[]; pictures?: number; surveys?: true }[] = [
  {
    request: 'What needs attention, and why?',
    steps: [['get_fleet', {}]],
    says: [/^40 endpoints/, /Open alerts: 13, 6 critical: LowDexScore 7, DiskFull 6/, /pc-00\S+ +score .*97.* %/],
  },
  {
    request: "Alice's laptop is slow",
    steps: [
      ['list_endpoints', { search: 'alice' }],
      ['get_endpoint', (texts) => ({ hostname: first(/(pc-\S+)/)(texts) })],
    ],
    says: [/alice\.smith@example\.com/, /memory/i, /Open alerts: 1/, /LowDexScore/, /needs human/],
  },
  {
    request: 'Fix the disk of pc-00',
    steps: [
      ['remediate_alert', { hostname: 'pc-00.corp.example.com', name: 'disk' }],
      ['list_approvals', { hostname: 'pc-00.corp.example.com' }],
    ],
    says: [
      /\(DiskFull on pc-00\S+\) is pending approval already\. See who is asked: list_approvals \{"hostname":"pc-00/,
      /pending: Run cleanup_disk on pc-00/,
    ],
  },
  {
    request: 'Silence all of pc-04 until tomorrow 9:00',
    steps: [
      [
        'acknowledge_alerts',
        { hostname: 'pc-04.corp.example.com', until: 'tomorrow 9:00', time_zone: 'Europe/Berlin' },
      ],
    ],
    says: [/alerts are silenced until Tue 2026-03-03 09:00 Europe\/Berlin \(2026-03-03 08:00 UTC\)/, /DiskFull/],
  },
  {
    request: 'Finance beside the rest',
    steps: [['get_fleet', { group: 'finance' }]],
    says: [/machines +10 \(10 scored\) +30 \(30 scored\)/, /average score/, /DiskFull +6 \(60 %\) +0 \(0 %\)/],
  },
  {
    request: "pc-07's history as a picture",
    steps: [['get_score_history', { hostname: 'pc-07.corp.example.com', chart: true }]],
    says: [/DEX score of pc-07/],
    pictures: 1,
  },
  {
    request: 'Who waits for an approval?',
    steps: [['list_approvals', {}]],
    says: [
      /6 approvals/,
      /Run cleanup_disk on pc-00\S+ for DiskFull\?/,
      /asked by healing \(job\)/,
      /open until 20\d\d-/,
    ],
  },
  {
    request: 'Did the fix help?',
    steps: [['get_endpoint', { hostname: 'pc-00.corp.example.com' }]],
    says: [/Repairs, newest first:/, /cleanup_disk +on pc-00\S+ +for DiskFull .* fixed/],
  },
  {
    request: 'What breaks this week?',
    steps: [['get_fleet', {}]],
    says: [/No limit is predicted to be reached\.|Predicted: \d/],
  },
  {
    request: 'The weekly report',
    steps: [['get_kpis', { lookback_days: 7 }]],
    says: [/The last 7 days beside the 7 before: \d+ alerts \(before: 0\)/, /DiskFull 6/, /Fleet score: /],
  },
  {
    request: 'Who acknowledged that?',
    steps: [['list_alerts', { hostname: 'pc-04.corp.example.com', status: 'acknowledged' }]],
    says: [/acknowledged by test:operator until 2026-03-03 08:00 UTC/],
  },
  {
    request: 'How happy are sales people?',
    surveys: true,
    steps: [['get_feedback_summary', { persona: 'salesperson' }]],
    says: [/^eNPS -?\d+.*, 6 answers in 30 days \(3 promoters, 0 passives, 3 detractors\)/, /About: .*connectivity 3/],
  },
  {
    request: 'Register these five',
    steps: [['register_endpoints', { endpoints: ['new-1', 'new-2', 'new-3', 'new-4', 'new-5'] }]],
    says: [/^5 registered/],
  },
  {
    request: 'Remove pc-39',
    steps: [['deregister_endpoint', { hostname: 'pc-39.corp.example.com' }]],
    says: [/pc-39\S+ is no longer watched/],
  },
  {
    request: 'Scan all of them',
    steps: [
      ['scan_endpoint', { all: true }],
      ['get_run', (texts) => ({ run_id: first(/run (\w{26})/)(texts), wait_seconds: 20 })],
    ],
    says: [/Scanning the fleet \(run \w{26}\)/, /fleet_scan .*completed/],
  },
];

/** What happens between two requests, outside of the assistant. */
const BETWEEN: Record<string, () => Promise<void>> = {
  async 'Did the fix help?'() {
    const approval = (await world.approvals()).find(({ hostname }) => hostname === 'pc-00.corp.example.com');
    await world.call('decide_approval', { approval_id: approval!.approval_id, decision: 'approve' }, person('bob'));
    await world.reaches('pc-00.corp.example.com', 'resolved');
  },
  async 'How happy are sales people?'() {
    const ratings = [5, 5, 4, 2, 1, 2];
    for (const [at, rating] of ratings.entries()) {
      const hostname = `pc-${String(1 + 3 * at).padStart(2, '0')}.corp.example.com`;
      const said = { hostname, rating, category: rating < 3 ? 'connectivity' : 'performance' };
      await world.call('submit_feedback', said, person(`sales${at}`));
    }
    // Answers are published in groups, so that none shows who gave it.
    world.clock.advance(24 * 3_600_000);
  },
  async "pc-07's history as a picture"() {
    world.clock.advance(600_000);
    await world.scan('pc-07.corp.example.com', WELL);
  },
};

test.each(REQUESTS)('$request', async ({ request, steps, says, pictures = 0, surveys }) => {
  await BETWEEN[request]?.();
  const told = await ask(steps, surveys ? withSurveys : client);
  const whole = told.texts.join('\n');
  for (const expected of says) expect(whole).toMatch(expected);
  expect(told.calls).toBeLessThanOrEqual(MOST_CALLS);
  expect(told.bytes).toBeLessThanOrEqual(MOST_BYTES);
  expect(told.pictures).toBe(pictures);
});
