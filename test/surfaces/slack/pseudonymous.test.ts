/** Slack in the pseudonymous mode: the channel and operators meet pseudonyms, and the one who has a machine meets its name. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { machines, WELL } from '../../helpers/machines.ts';
import type { TestService } from '../../helpers/service.ts';
import type { TestSlack, Transport } from '../../helpers/slack.ts';
import { shown } from '../../helpers/slackReading.ts';
import { knowPeople, startSlackService } from '../../helpers/slackService.ts';

const HOSTS = ['lt-alice-1', 'lt-berta-2', 'lt-carl-3', 'lt-dora-4', 'lt-emil-5', 'lt-frida-6'];
const FULL = { ...WELL, diskPct: 98, diskMount: '/' };

let slack: TestSlack;
let service: TestService;
let send: Transport;
let stop: () => Promise<void>;

beforeAll(async () => {
  ({ slack, service, send, stop } = await startSlackService({
    prepare: knowPeople,
    env: ({ channels }) => ({
      SLACK_ALERT_CHANNEL: channels.alerts!,
      DEX_PRIVACY: 'pseudonymous',
      WEBHOOK_REQUIRE_AUTH: 'false',
    }),
    overrides: { collector: machines(new Map(HOSTS.map((host, i) => [host, i === 0 ? FULL : WELL]))) },
  }));
  for (const [i, hostname] of HOSTS.entries()) {
    const owner = i === 0 ? 'alice@example.com' : `${hostname.split('-')[1]}@example.com`;
    await service.call('POST', '/api/v1/dex/endpoints', {
      hostname,
      owner_email: owner,
      ip_address: `10.3.0.${i + 1}`,
    });
  }
  const { body } = await service.call('POST', '/api/v1/dex/fleet/scan');
  await service.finished(body.run_id);
  const labels = { alertname: 'BackupFailed', instance: 'lt-berta-2:9100', severity: 'critical' };
  const annotations = { summary: 'No backup of lt-berta-2 (10.3.0.2, berta@example.com)' };
  await service.call('POST', '/api/v1/webhooks/alertmanager', {
    status: 'firing',
    alerts: [{ status: 'firing', labels, annotations, startsAt: new Date().toISOString() }],
  });
}, 60_000);
afterAll(() => stop(), 30_000);

const NAMES = /alice|berta|carl-|dora|emil|frida|10\.3\.0\./i;
/** All that anybody but Alice was shown. */
const shownToOthers = () =>
  JSON.stringify([
    ...slack.calls
      .filter(({ method, body }) => /^(chat|views|files)\./.test(method) && body.channel !== slack.users.alice)
      .map(({ body }) => body),
    ...slack.responses,
  ]);

it('cards of alerts have the pseudonym, whoever raised them', async () => {
  const card = (text: RegExp) =>
    slack.until(() => slack.calls.find(({ method, body }) => method === 'chat.postMessage' && text.test(shown(body))));
  expect(shown((await card(/DiskFull/)).body)).toMatch(/pc-[0-9a-z]{10}/);
  expect(shown((await card(/BackupFailed/)).body)).toMatch(
    /No backup of pc-[0-9a-z]{10} \(ip-[0-9a-z]{10}, person-[0-9a-z]{10}\)/,
  );
  expect(shownToOthers()).not.toMatch(NAMES);
  expect(shownToOthers()).not.toContain(slack.users.alice);
});

it('commands and questions of an operator are answered by pseudonyms, and refuse names', async () => {
  for (const text of ['fleet', 'endpoints', 'alerts', 'alerts critical', 'incidents', 'kpis', 'weekly', 'forecast']) {
    await slack.command(send, 'otto', text);
  }
  await slack.command(send, 'otto', 'score lt-carl-3');
  await slack.command(send, 'otto', 'why is lt-dora-4 slow?');
  await slack.command(send, 'otto', `score <@${slack.users.alice}>`);
  await slack.openHome(send, 'otto');
  await slack.write(send, 'otto', 'message', 'which machine needs attention?');
  await slack.until(() => slack.calls.find(({ method }) => method === 'views.publish'));
  await slack.until(() =>
    slack.calls.find(({ method, body }) => method === 'chat.update' && /pc-[0-9a-z]{10}/.test(shown(body))),
  );
  await slack.command(send, 'otto', `endpoints --owner-email <@${slack.users.alice}>`);
  await slack.command(send, 'otto', `why <@${slack.users.alice}>`);
  expect(slack.responses.length).toBeGreaterThan(5);
  expect(shownToOthers()).not.toMatch(NAMES);
});

it('the one who has a machine reads its name', async () => {
  slack.calls.length = 0;
  await slack.write(send, 'alice', 'message', 'why is my laptop slow?');
  const { body } = await slack.until(() =>
    slack.calls.find(({ method, body }) => method === 'chat.update' && shown(body).includes('lt-alice-1')),
  );
  expect(body.channel).toMatch(/^D/);
});
