/** All commands × roles × clumsy inputs: each is answered in a person's words, and nothing breaks. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Actor, Role } from '../../../src/core/actor.ts';
import { readCommand, splitCommand } from '../../../src/core/commands/readCommand.ts';
import { AppError } from '../../../src/core/errors.ts';
import { TOOLS } from '../../../src/core/tools/index.ts';
import { machines } from '../../helpers/machines.ts';
import { startTestService, type TestService } from '../../helpers/service.ts';

const CLUMSY = [
  '',
  '-1',
  '99999999999999999999',
  "alice-laptop'; drop table alert; --",
  '--nonsense x',
  '日本語のノートパソコン NaN',
  'x'.repeat(700),
  '1 2 3 4 5 6',
  'until tomorrow\u0007\u202e',
  'since yesterdy',
  'last week',
  'crtical',
];
/** What only programmers say. */
const PROGRAMMERS =
  /expected \w+, received|Invalid (?:input|option)|Too (?:small|big)|\bNaN\b(?!")|undefined|\[object |Zod|TypeError|is not a function|\.ts:\d|Unrecognized/;
/** These do what they say for everybody, whatever is behind them: asking an agent, copying the database. */
const LEFT_OUT = new Set(['start_run', 'create_backup']);

const actor = (role: Role): Actor => ({
  id: `slack:U0${role.toUpperCase()}`,
  name: role,
  kind: 'human',
  via: 'slack',
  role,
  ...(role === 'employee' && { email: 'alice@example.com' }),
});

let service: TestService;
beforeAll(async () => {
  service = await startTestService(
    { WEBHOOK_REQUIRE_AUTH: 'false' },
    { healing: null, collector: machines(new Map()) },
  );
  for (const hostname of ['alice-laptop', 'db-01']) {
    const machine = { hostname, collector: 'push', owner_email: 'alice@example.com' };
    await service.call('POST', '/api/v1/dex/endpoints', machine);
  }
});
afterAll(() => service.stop());

/** What somebody reads who types this. */
async function answered(line: string, role: Role): Promise<string> {
  const reading = readCommand(splitCommand(line), TOOLS);
  if (reading.kind === 'mistake') return reading.problem;
  if (reading.kind !== 'call') return reading.kind;
  try {
    return (await service.app.invoke(reading.tool.name, reading.input, actor(role))).text;
  } catch (error) {
    if (error instanceof AppError) return error.message;
    throw new Error(`${line} as ${role} broke`, { cause: error });
  }
}

const COMMANDS = TOOLS.filter(
  ({ name, command, hiddenFrom }) => command && !hiddenFrom?.includes('slack') && !LEFT_OUT.has(name),
);

describe.each(['employee', 'operator'] as const)('as %s', (role) => {
  it('every command answers every clumsy input', async () => {
    const bad: string[] = [];
    for (const { command } of COMMANDS) {
      for (const rest of CLUMSY) {
        const line = `${command?.name} ${rest}`;
        const text = await answered(line, role);
        if (text.trim() === '' || PROGRAMMERS.test(text.replaceAll(rest || '\0', '')))
          bad.push(`${line.slice(0, 60)}: ${text.slice(0, 200)}`);
      }
    }
    expect(COMMANDS.length).toBeGreaterThan(40);
    expect(bad).toEqual([]);
  });
});

it.each([
  ['ack 1 until tomorrow', 'acknowledge_alert', { alert_id: 1, until: 'until tomorrow' }],
  ['acknowledge 1 until clear', 'acknowledge_alert', { alert_id: 1, until: 'until clear' }],
  ['ack #1 30m rebooting it', 'acknowledge_alert', { alert_id: 1, until: '30m rebooting it' }],
  ['ack 1 --until tomorrow 9:00', 'acknowledge_alert', { alert_id: 1, until: 'tomorrow 9:00' }],
  ['ack alice-laptop', 'acknowledge_alert', { alert_id: 'alice-laptop' }],
  ['snooze 1 for 2 hours', 'acknowledge_alert', { alert_id: 1, until: 'for 2 hours' }],
  ['unack 1', 'unacknowledge_alert', { alert_id: 1 }],
  ['undo 1', 'reopen_alert', { alert_id: 1 }],
  ['resolve 1 disk replaced', 'resolve_alert', { alert_id: 1, reason: 'disk replaced' }],
  ['decide 01A yes', 'decide_approval', { approval_id: '01A', decision: 'approve' }],
  ['deny 01A not now', 'decide_approval', { approval_id: '01A', decision: 'deny', reason: 'not now' }],
  ['kpis 7 days', 'get_kpis', { lookback_days: 7 }],
  ['kpis week', 'get_kpis', { lookback_days: 7 }],
  ['kpis last week', 'get_kpis', { lookback_days: 7 }],
  ['kpis for the last 30 days', 'get_kpis', { lookback_days: 30 }],
  ['alerts since yesterday', 'list_alerts', { since: 'yesterday' }],
  ['alerts --since last week', 'list_alerts', { since: 'last week' }],
  ['alerts last week', 'list_alerts', { since: 'last week' }],
  [
    'alerts critical since Monday 9:00 on db-01',
    'list_alerts',
    { severity: 'critical', since: 'Monday 9:00', hostname: 'db-01' },
  ],
  ['audit since 2 days', 'list_audit', { since: '2 days' }],
  ['score of db-01', 'get_score', { hostname: 'db-01' }],
  ['endpoints atrisk', 'list_endpoints', { score_status: 'at_risk' }],
  ['feedback five', 'submit_feedback', { rating: 5 }],
  ['alerts --hostname crtical', 'list_alerts', { hostname: 'crtical' }],
  ['who is on call', 'get_on_call', {}],
  ['take-over until 8:00', 'take_on_call', { until: 'until 8:00' }],
])('%s', (line, tool, input) => {
  const reading = readCommand(splitCommand(line), TOOLS);
  expect(reading.kind === 'call' ? [reading.tool.name, reading.input] : reading).toEqual([tool, input]);
});

it.each([
  ['alerts --severty critical', 'Did you mean --severity?'],
  ['feedback 2 slow --category connectvity', 'Did you mean connectivity?'],
  ['report db-01 slow --catgory network', 'Did you mean --category?'],
  ['report db-01 slow --category perfomance', 'Did you mean performance?'],
  ['decide 01A maybe', 'It is one of approve, deny.'],
  ['alerts crtical', 'Did you mean: alerts critical?'],
  ['alerts resolvd db-01', 'Did you mean: alerts resolved db-01?'],
  ['runs faled', 'Did you mean: runs failed?'],
  ['endpoints crtical', 'Did you mean: endpoints critical?'],
  ['tips of', 'Did you mean off?'],
  ['feedback great', '1 (bad) to 5 (good)'],
])('%s is helped along', (line, hint) => {
  const reading = readCommand(splitCommand(line), TOOLS);
  expect(reading).toMatchObject({ kind: 'mistake', problem: expect.stringContaining(hint) });
});

describe('how long an alert is silenced', () => {
  const NOW_TEXT = /until (?:\w{3} )?\d{4}-\d\d-\d\d \d\d:\d\d|until the problem clears/;
  it.each([
    ['4', /for 4 h/],
    ['4 waiting for parts', /for 4 h: waiting for parts/],
    ['30m', NOW_TEXT],
    ['until tomorrow', NOW_TEXT],
    ['Monday 9:00 new disk comes', /new disk comes/],
    ['until clear', /until it clears/],
    ['until it clears', /until it clears/],
  ])('%s', async (until, why) => {
    await service.call('POST', '/api/v1/webhooks/alertmanager', {
      status: 'firing',
      alerts: [{ status: 'firing', labels: { alertname: 'Odd', hostname: 'db-01' }, startsAt: '2026-03-02T09:00:00Z' }],
    });
    const { alerts } = (await service.call('GET', '/api/v1/dex/alerts?hostname=db-01')).body;
    const { output } = await service.app.invoke(
      'acknowledge_alert',
      { alert_id: alerts[0].id, until },
      actor('operator'),
    );
    const { timeline } = (await service.app.invoke('get_alert', { alert_id: alerts[0].id }, actor('operator'))).output;
    const last = (timeline as { why: string }[]).at(-1);
    expect(`${last?.why} ${output.until_text}`).toMatch(why);
  });

  it('says what it can read of what it cannot', async () => {
    expect(await answered('alerts since soonish', 'operator')).toMatch(/"soonish" is not a time; write "yesterday"/);
    expect(await answered('ack 1 soonish', 'operator')).toMatch(/"soonish" is not a time; write "tomorrow 9:00"/);
    expect(await answered('ack 1 3 minutes', 'operator')).toMatch(/less than 15 minutes away/);
  });
});
