/** An alert's whole life in Slack, from its card to the owner's "yes, it works again", over HTTP and over Socket Mode, as a browser shows it. */
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { jobActor } from '../../src/core/actor.ts';
import { PROJECT_DIR } from '../../src/projectDir.ts';
import { BROWSER_MISSING, type Browser, openBrowser } from '../helpers/browser.ts';
import { runningClock } from '../helpers/clock.ts';
import { FULL_DISK, MAP } from '../helpers/healingWorld.ts';
import { type Findings, machines, WELL } from '../helpers/machines.ts';
import { answer, type Model, startModel } from '../helpers/model.ts';
import { startTestService, type TestService } from '../helpers/service.ts';
import {
  type ApiCall,
  BOT_TOKEN,
  httpTransport,
  SIGNING_SECRET,
  startSlack,
  type TestSlack,
  type Transport,
} from '../helpers/slack.ts';
import { buttonOf, buttons, shown } from '../helpers/slackReading.ts';
import { type SlackSocket, startSlackSocket } from '../helpers/slackSocket.ts';

const HOUR_MS = 3_600_000;
/** The machine may be busy with other tests. */
const POLL = { timeout: 60_000, interval: 100 };

const TRIAGE = {
  probable_cause: 'A build left its files behind.',
  confidence: 'medium',
  evidence: ['disk / at 97 % since the last scan'],
  would_disprove: 'the files are old',
  scope: 'this_endpoint',
  next_step: 'Clean the temporary files.',
  runbook: null,
};

describe.each(['http', 'socket'] as const)('over %s', { timeout: 300_000 }, (mode) => {
  let slack: TestSlack;
  let socket: SlackSocket | null = null;
  let model: Model;
  let service: TestService;
  let send: Transport;
  let browser: Browser | null;
  const clock = runningClock(new Date('2026-03-02T10:00:00Z')); // a Monday
  const findings = new Map<string, Findings>([['alice-laptop', FULL_DISK]]);
  const configDir = mkdtempSync(join(tmpdir(), 'dexops-config-'));

  beforeAll(async () => {
    cpSync(join(PROJECT_DIR, 'config'), configDir, { recursive: true });
    writeFileSync(join(configDir, 'dex_remediation_map.yaml'), MAP);
    slack = await startSlack();
    slack.overrides.set('users.lookupByEmail', ({ email }) => {
      const name = String(email).split('@')[0]!;
      const id = slack.users[name] ?? `U0${name.toUpperCase()}`;
      return { json: { ok: true, user: { id, tz: 'Europe/London' } } };
    });
    if (mode === 'socket') {
      socket = await startSlackSocket();
      const { url } = socket;
      slack.overrides.set('apps.connections.open', () => ({ json: { ok: true, url } }));
    }
    model = await startModel();
    model.says('Find out why critical alert', { text: JSON.stringify(TRIAGE) });
    service = await startTestService(
      {
        ...model.env,
        ...(socket ? { SLACK_APP_TOKEN: 'xapp-test' } : { SLACK_SIGNING_SECRET: SIGNING_SECRET }),
        SLACK_BOT_TOKEN: BOT_TOKEN,
        SLACK_API_URL: slack.apiUrl,
        SLACK_ALERT_CHANNEL: slack.channels.alerts!,
        // Nobody approves what they asked for themselves.
        SLACK_OPERATORS: `${slack.users.otto},${slack.users.nomail}`,
        DEX_SELF_HEALING_ENABLED: 'true',
        CONFIG_DIR: configDir,
      },
      {
        clock,
        collector: machines(findings),
        runner: {
          blockingReason: async () => null,
          async run(job) {
            findings.set(job.endpoint.hostname, WELL);
            return { ok: true, reason: null, tasks: [], stats: {} };
          },
        },
      },
    );
    send = socket?.send ?? httpTransport(service.url);
    await socket?.connected;
    browser = await openBrowser();
  });
  afterAll(async () => {
    await service.stop();
    await socket?.close();
    await model.stop();
    await slack.close();
    await browser?.close();
    rmSync(configDir, { recursive: true });
  });

  /** The newest message that matches, as messages stand now. */
  const written = (matches: (call: ApiCall) => boolean) => {
    const all = slack.calls.filter((it) => /^chat\.(postMessage|update)$/.test(it.method) && it.answer.ok);
    return [...new Map(all.map((it) => [it.answer.ts, it])).values()].findLast(matches);
  };
  const seen = async (what: string, matches: (call: ApiCall) => boolean): Promise<ApiCall> => {
    await expect.poll(() => written(matches) !== undefined, { ...POLL, message: what }).toBe(true);
    return written(matches) as ApiCall;
  };
  const saying = (text: RegExp) => (call: ApiCall) => Array.isArray(call.body.blocks) && text.test(shown(call.body));
  const asking = (actionId: string) => (call: ApiCall) =>
    Array.isArray(call.body.blocks) && buttons(call.body).some(({ action_id }) => action_id === actionId);
  /** What was answered to one person's eyes. */
  const told = (text: RegExp) => slack.until(() => slack.responses.findLast((it) => text.test(shown(it))));
  const click = (user: string, { body, answer: { channel, ts } }: ApiCall, actionId: string) =>
    slack.click(send, user, { actionId, value: buttonOf(body, actionId).value, message: { channel, ts } });
  const alertsPage = () => `tab=messages&channel=${slack.channels.alerts}`;
  const run = (tool: string) => service.app.invoke(tool, {}, jobActor('test'));
  /** Looked at with a browser where there is one; what is shown is checked either way. */
  const look = async (path: string, name: string, ...words: string[]) => {
    if (!browser) return;
    const page = await browser.see(`${slack.inspectorUrl}/?${path}`, `slack-${mode}-${name}`);
    for (const word of words) expect(page).toContain(word);
  };

  test('alert → card → acknowledge → expiry → approve → fixed → did that fix it? → summary', async () => {
    const machine = { hostname: 'alice-laptop', owner_email: 'alice@example.com' };
    await service.call('POST', '/api/v1/dex/endpoints', machine);
    const scan = await service.call('POST', '/api/v1/dex/endpoints/alice-laptop/scan');
    await service.finished(scan.body.run_id);

    const card = await seen('the card', saying(/DiskFull on alice-laptop.*critical/s));
    const { ts } = card.answer;
    const note = await seen('what the agent found, in the thread', saying(/A build left its files behind/));
    expect(note.body.thread_ts).toBe(ts);
    await seen('the question', asking('run:approve'));

    const menu = buttonOf(card.body, 'thread:acknowledge');
    const [oneHour] = menu.options;
    const message = { channel: slack.channels.alerts!, ts };
    await slack.click(send, 'otto', { actionId: 'thread:acknowledge', selected: oneHour.value, message });
    await seen('acknowledged', (call) => call.body.ts === ts && saying(/acknowledged by/)(call));

    clock.advance(HOUR_MS + 60_000);
    await run('maintain_alerts');
    await run('maintain_healing');
    await seen('the expiry in the thread', saying(/the acknowledgement by .* is over and it still holds/));

    await seen('that nobody answered the question', saying(/Nobody answered in time; nothing was done/));
    await slack.command(send, 'nomail', 'heal 1');
    const question = await seen('the question once more', asking('run:approve'));
    await click('otto', question, 'run:approve');
    await seen(
      'repaired',
      (call) => call.body.ts === ts && saying(/resolved: repaired, and a scan confirmed it/)(call),
    );
    const check = await seen('the question to the owner', asking('replace:fixed'));
    expect(check.body.channel).toBe(slack.users.alice);
    await click('alice', check, 'replace:fixed');
    await seen('the thanks', saying(/Good to hear/));

    await slack.command(send, 'otto', 'kpis 7');
    const summary = await told(/Fixes confirmed by owners: 100 %/);
    // The full disk, and the low score that it made.
    expect(shown(summary)).toContain('2 resolved');
    await look(alertsPage(), 'alert', 'alice-laptop', 'resolved', 'A build left its files behind');
  });

  test('an agent that wants to change something asks on a card, and its answer ends in the place of the question', async () => {
    findings.set('bob-laptop', { ...WELL, logErrors: 60 });
    await service.call('POST', '/api/v1/dex/endpoints', { hostname: 'bob-laptop' });
    for (let twice = 0; twice < 2; twice++) {
      const { body } = await service.call('POST', '/api/v1/dex/endpoints/bob-laptop/scan');
      await service.finished(body.run_id);
    }
    const { alerts } = (await service.call('GET', '/api/v1/dex/alerts?name=ErrorLogBurst')).body;
    const goal = 'Silence what is open on bob-laptop';
    const wish: [string, object] = ['dexops__acknowledge_alert', { alert_id: alerts[0].id, hours: 4 }];
    model.says(goal, { calls: [wish] }, { text: answer('It is silent for 4 hours.') });

    await slack.write(send, 'nomail', 'app_mention', `<@${slack.users.dexops}> ${goal}`);
    const place = await seen('the agent at a halt', saying(/Waiting for a person to agree to a step/));
    const card = await seen('the card', asking('run:approve'));
    expect(shown(card.body)).toMatch(/wants to call dexops__acknowledge_alert/);
    expect(shown(card.body)).toContain(goal);
    await look(alertsPage(), 'step-asked', 'Waiting for approval');

    await click('alice', card, 'run:approve');
    await told(/needs the role .*These can|Approving is for approvers.*These can/s);
    await click('otto', card, 'run:approve');
    await seen('the end of the card', (call) => call.body.ts === card.answer.ts && saying(/Approved/)(call));
    const end = await seen('the answer', saying(/It is silent for 4 hours/));
    expect(end.body.ts).toBe(place.answer.ts);
    expect(shown(end.body)).toContain('Tools used: acknowledge_alert');
    const { body } = await service.call('GET', `/api/v1/dex/alerts/${alerts[0].id}`);
    expect(body.alert.status).toBe('acknowledged');
    await look(alertsPage(), 'step-done', 'It is silent for 4 hours');
  });

  test('a survey, from the letter over the form to what may be said of it', async () => {
    const people = ['carl', 'dora', 'emil', 'finn', 'gina'];
    for (const name of people) {
      const owner_email = `${name}@example.com`;
      await service.call('POST', '/api/v1/dex/endpoints', {
        hostname: `${name}-laptop`,
        owner_email,
        collector: 'push',
      });
    }
    clock.advance(24 * HOUR_MS - HOUR_MS); // within working hours again
    // It writes to many people, so it asks first.
    const { json } = await slack.command(send, 'otto', 'survey --days 3');
    const { action_id: actionId = '', value = '' } = buttonOf(json, 'run:certain');
    await slack.click(send, 'otto', { actionId, value, message: { channel: slack.channels.alerts ?? '', ts: '5.1' } });
    await told(/people will be asked/);
    await run('maintain_surveys');
    const letter = await seen(
      'the letter',
      (call) => asking('replace:no_more')(call) && call.body.channel === slack.users.alice,
    );
    await look(`tab=messages&channel=${letter.answer.channel}`, 'letter', 'How well did your computer');
    await click('alice', letter, 'survey_rate:4');
    const form = await slack.until(() => slack.calls.findLast(({ method }) => method === 'views.open'));
    await look('tab=views', 'form', 'Your rating: 4 well');
    const long = `*bold* <!here> <@U1> ${'x'.repeat(1900)}`;
    const taken = await slack.submit(send, 'alice', { ...form.body.view, id: form.answer.view.id }, { comment: long });
    expect(shown(taken.json.view)).toContain('without your name');
    await slack.openHome(send, 'otto');
    const home = await slack.until(() => slack.calls.findLast(({ method }) => method === 'views.publish'));
    expect(home.answer.ok).toBe(true);
    expect(shown(home.body.view)).toMatch(/Last survey.*1 of 6 people answered/s);
    await look('tab=views', 'home', '1 of 6 people answered');
  });

  test('a browser was there to look', (ctx) => {
    if (!browser) ctx.skip(BROWSER_MISSING);
    expect(browser).not.toBeNull();
  });
});
