/** A repair on a machine that matters, in Slack: the card, the answers of two people, and the owner's answer on the fix. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { notice } from '../../../src/core/outbox/messages.ts';
import type { PlaybookJob } from '../../../src/core/ports/ports.ts';
import { FULL_DISK, MAP } from '../../helpers/healingWorld.ts';
import { type Findings, machines, WELL } from '../../helpers/machines.ts';
import type { TestService } from '../../helpers/service.ts';
import type { TestSlack, Transport } from '../../helpers/slack.ts';
import { buttonOf, buttons, shown } from '../../helpers/slackReading.ts';
import { startSlackService } from '../../helpers/slackService.ts';

let slack: TestSlack;
let service: TestService;
let send: Transport;
let stop: () => Promise<void>;
const findings = new Map<string, Findings>();
const played: PlaybookJob[] = [];

beforeAll(async () => {
  ({ slack, service, send, stop } = await startSlackService({
    config: () => ({ 'dex_remediation_map.yaml': MAP }),
    env: ({ users, channels }) => ({
      SLACK_ALERT_CHANNEL: channels.alerts!,
      SLACK_APPROVERS: `${users.alice},${users.nomail}`,
      DEX_SELF_HEALING_ENABLED: 'true',
    }),
    overrides: {
      collector: machines(findings),
      runner: {
        blockingReason: async () => null,
        async run(job) {
          played.push(job);
          findings.set(job.endpoint.hostname, WELL);
          return { ok: true, reason: null, tasks: [], stats: {} };
        },
      },
    },
  }));
}, 60_000);
afterAll(() => stop(), 30_000);
beforeEach(() => {
  slack.responses.length = 0;
  played.length = 0;
});

/** A full disk, and the card that asks about it. */
async function askedAbout(hostname: string, more: object): Promise<any> {
  await service.call('POST', '/api/v1/dex/endpoints', { hostname, ...more });
  findings.set(hostname, FULL_DISK);
  const { body } = await service.call('POST', `/api/v1/dex/endpoints/${hostname}/scan`);
  await service.finished(body.run_id);
  return message((one) => one.blocks && shown(one).includes(`on ${hostname} for DiskFull?`));
}

function message(wanted: (message: any) => boolean): Promise<any> {
  return slack.until(async () => {
    const { messages } = await slack.api('conversations.history', { channel: slack.channels.alerts });
    return messages.find(wanted);
  });
}

/** Those by which something is decided. */
const decisions = (card: any) => buttons(card).filter(({ action_id }) => /:(approve|deny)$/.test(action_id));
const cardNow = (card: any, words: string) => message((one) => one.ts === card.ts && shown(one).includes(words));
const at = (card: any) => ({ channel: slack.channels.alerts!, ts: card.ts });
const click = (user: string, card: any, actionId: string) =>
  slack.click(send, user, { actionId, value: buttonOf(card, actionId).value, message: at(card) });
/** The full disk's: the low score that it causes is an alert of its own. */
const alertOf = async (hostname: string) =>
  (await service.call('GET', `/api/v1/dex/alerts?hostname=${hostname}&status=all`)).body.alerts.find(
    ({ alert_name }: { alert_name: string }) => alert_name === 'DiskFull',
  );

describe('an approval in Slack', { timeout: 60_000 }, () => {
  it('shows the plan, takes two people of those who may, and asks the owner whether it helped', async () => {
    const card = await askedAbout('db-01', { criticality_tier: 1, owner_email: 'alice@example.com' });
    expect(shown(card)).toMatch(/DiskFull on db-01.*alice@example.com, tier 1.*playbook cleanup_disk.*variables none/s);
    expect(shown(card)).toContain('It was not run on this machine before.');
    expect(shown(card)).toContain('0 of 2 people have approved');
    expect(buttonOf(card, 'run:approve').confirm.text.text).toContain('cleanup_disk on db-01');

    await click('otto', card, 'run:approve');
    const refusal = await slack.until(() => slack.responses[0]);
    expect(shown(refusal)).toContain('Approving is for approvers');
    expect(shown(refusal)).toContain(`These can: <@${slack.users.alice}>, <@${slack.users.nomail}>`);

    await click('alice', card, 'run:approve');
    expect(shown(await slack.until(() => slack.responses[1]))).toContain('Your approval is recorded; 1 more needed');
    const half = await cardNow(card, '1 of 2 people have approved');
    expect(JSON.stringify(half)).toContain(`{"type":"user","user_id":"${slack.users.alice}"}`);
    expect(played).toEqual([]);
    await new Promise((resolve) => setTimeout(resolve, 2100)); // longer than what counts as a double click
    await click('alice', card, 'run:approve');
    expect(shown(await slack.until(() => slack.responses[2]))).toContain('you have answered already');

    await click('nomail', card, 'run:approve');
    const done = await cardNow(card, 'Approved');
    expect(decisions(done)).toEqual([]);
    const asked = await slack.until(() =>
      slack.calls.find(({ method, body }) => method === 'chat.postMessage' && body.channel === slack.users.alice),
    );
    expect(played).toMatchObject([{ playbook: 'cleanup_disk', endpoint: { hostname: 'db-01' } }]);
    expect(shown(asked.body)).toContain('Did that fix it?');

    const { channel, ts } = asked.answer;
    const { value } = buttonOf(asked.body, 'replace:not_fixed');
    await slack.click(send, 'alice', { actionId: 'replace:not_fixed', value, message: { channel, ts } });
    const edit = await slack.until(() =>
      slack.calls.find(({ method, body }) => method === 'chat.update' && body.ts === ts),
    );
    expect(shown(edit.body)).toContain('is open for a person');
    expect((await alertOf('db-01')).status).toBe('needs_human');
  });

  it('takes the first answer, shows it on the card, and runs nothing after a no', async () => {
    const card = await askedAbout('web-01', {});
    expect(shown(card)).not.toContain('people have approved');
    slack.calls.length = 0;
    await Promise.all([click('alice', card, 'asked:deny'), click('nomail', card, 'asked:deny')]);
    const forms = await slack.until(() => {
      const opened = slack.calls.filter(({ method }) => method === 'views.open');
      return opened.length === 2 ? opened : undefined;
    });
    const [yes, no] = await Promise.all(
      forms.map(({ body, answer }, i) =>
        slack.submit(
          send,
          ['alice', 'nomail'][i]!,
          { ...body.view, id: answer.view.id },
          { reason: 'The disk is replaced today' },
        ),
      ),
    );
    const end = await cardNow(card, 'Denied; nothing was done');
    expect(shown(end)).toContain('The disk is replaced today');
    expect(decisions(end)).toEqual([]);
    expect(JSON.stringify([yes.json, no.json])).toContain('it is denied already');
    await slack.until(async () => ((await alertOf('web-01')).status === 'needs_human' ? true : undefined));
    expect(played).toEqual([]);
  });

  it('is withdrawn at once when its alert is resolved: no buttons, the reason, and a late click is told so', async () => {
    const card = await askedAbout('web-03', {});
    const { id } = await alertOf('web-03');
    await service.call('POST', `/api/v1/dex/alerts/${id}/resolve`);
    const end = await cardNow(card, 'No longer needed; nothing was done');
    expect(decisions(end)).toEqual([]);
    expect(shown(end)).toContain('Its alert was resolved before anybody answered.');
    slack.responses.length = 0;
    await click('alice', card, 'run:approve');
    expect(shown(await slack.until(() => slack.responses[0]))).toContain('cancelled already');
    expect(played).toEqual([]);
  });

  it('waits on the Home tab of those who may answer, and can be answered there', async () => {
    await askedAbout('web-02', {});
    slack.calls.length = 0;
    await slack.openHome(send, 'otto');
    const staff = await slack.until(() => slack.calls.find(({ method }) => method === 'views.publish'));
    expect(shown(staff.body.view)).not.toContain('Waiting for my approval');
    expect(shown(staff.body.view)).toContain('There was no survey yet');
    slack.calls.length = 0;
    await slack.openHome(send, 'alice');
    const home = await slack.until(() => slack.calls.find(({ method }) => method === 'views.publish'));
    expect(home.answer.ok).toBe(true);
    expect(shown(home.body.view)).toMatch(/Waiting for my approval.*cleanup_disk on web-02/s);
    slack.calls.length = 0;
    const { value } = buttonOf(home.body.view, 'run:approve');
    await slack.click(send, 'alice', { actionId: 'run:approve', value });
    const after = await slack.until(() => slack.calls.find(({ method }) => method === 'views.publish'));
    expect(shown(after.body.view)).not.toContain('Waiting for my approval');
    await slack.until(() => played[0]);
  });

  it('tells notices in the channel, once and as words', async () => {
    for (const _time of [1, 2]) await notice(service.app.ports, 'broken', 'The map was refused: <!channel> *no*');
    const told = await message((one) => one.blocks && shown(one).includes('The map was refused: <!channel> *no*'));
    expect(told.text).not.toContain('<!channel>');
    await new Promise((resolve) => setTimeout(resolve, 2500));
    const { messages } = await slack.api('conversations.history', { channel: slack.channels.alerts });
    expect(messages.filter(({ text }: any) => text.includes('The map was refused'))).toHaveLength(1);
  });

  it('health knows whether Slack knows us, and does not ask every time', async () => {
    slack.calls.length = 0;
    for (const _time of [1, 2, 3]) {
      const { body } = await service.call('GET', '/health');
      expect(body.checks.slack).toMatchObject({ status: 'ok', user: 'dexops' });
    }
    expect(slack.calls.filter(({ method }) => method === 'auth.test').length).toBe(1);
  });
});
