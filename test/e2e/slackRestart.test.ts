/** The service killed in the middle of answers in Slack: the next one finishes the very messages that it left. */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { answer, type Model, startModel } from '../helpers/model.ts';
import { API_KEY } from '../helpers/service.ts';
import { type ServiceProcess, startServiceProcess } from '../helpers/serviceProcess.ts';
import { BOT_TOKEN, httpTransport, SIGNING_SECRET, startSlack, type TestSlack } from '../helpers/slack.ts';
import { shown } from '../helpers/slackReading.ts';

let slack: TestSlack;
let model: Model;
let service: ServiceProcess;
let dir: string;
beforeAll(async () => {
  slack = await startSlack();
  model = await startModel();
  dir = await mkdtemp(join(tmpdir(), 'dexops-slack-restart-'));
  service = await start();
});
afterAll(async () => {
  await service?.end();
  await model.stop();
  await slack.close();
  await rm(dir, { recursive: true, force: true });
});

const start = () =>
  startServiceProcess({
    ...model.env,
    DATA_DIR: dir,
    PORT: '0',
    SLACK_BOT_TOKEN: BOT_TOKEN,
    SLACK_SIGNING_SECRET: SIGNING_SECRET,
    SLACK_API_URL: slack.apiUrl,
    SLACK_OPERATORS: slack.users.otto!,
    SLACK_VIEWERS: slack.users.alice!,
  });
const posted = (text: RegExp) =>
  slack.until(() =>
    slack.calls.findLast(({ method, body }) => method === 'chat.postMessage' && text.test(shown(body))),
  );
/** What stands in a message now. */
const standing = (ts: string) => slack.calls.findLast(({ method, body }) => method === 'chat.update' && body.ts === ts);
const ends = (ts: string) =>
  expect.poll(() => shown(standing(ts)?.body ?? { blocks: [] }), { timeout: 90_000, interval: 200 });

test('an answer goes on after kill -9, and after a stop in earnest', { timeout: 200_000 }, async () => {
  model.says(
    'Is the fleet well?',
    { calls: [['dexops__get_fleet', {}]] },
    { text: answer('It is, said late.'), afterMs: 6000 },
  );
  await slack.write(httpTransport(service.url), 'alice', 'message', 'Is the fleet well?');
  const killed = await posted(/Looking into it/);
  await expect.poll(() => model.asked('Is the fleet well?').length, { timeout: 60_000 }).toBe(2);
  await service.end('SIGKILL');
  service = await start();
  await ends(killed.answer.ts).toContain('It is, said late.');
  expect(shown(standing(killed.answer.ts)!.body)).toContain('Tools used: get_fleet');

  model.says('And the disks?', { text: answer('They are too.'), afterMs: 14_000 });
  // Of somebody else: the second question of one person brings the first along, which the model here would answer again.
  await slack.write(httpTransport(service.url), 'otto', 'message', 'And the disks?');
  const stopped = await slack.until(() =>
    slack.calls
      .filter(({ method, body }) => method === 'chat.postMessage' && shown(body).includes('Looking into it'))
      .find(({ answer: { ts } }) => ts !== killed.answer.ts),
  );
  await expect.poll(() => model.asked('And the disks?').length, { timeout: 60_000 }).toBe(1);
  await service.end('SIGTERM');
  await ends(stopped.answer.ts).toContain('still under way');
  service = await start();
  await ends(stopped.answer.ts).toContain('They are too.');
});

test('the message of a scan gets its end too', { timeout: 200_000 }, async () => {
  // Takes connections and never answers, so that the scan lasts.
  const mute = createServer(() => {});
  await new Promise<void>((listening) => mute.listen(0, '127.0.0.1', listening));
  try {
    const response = await fetch(`${service.url}/api/v1/dex/endpoints`, {
      method: 'POST',
      headers: { 'X-API-Key': API_KEY, 'Content-Type': 'application/json' },
      body: JSON.stringify({
        hostname: 'pc-9',
        ip_address: '127.0.0.1',
        options: { port: (mute.address() as AddressInfo).port, timeout_ms: 20_000 },
      }),
    });
    expect(response.status).toBe(201);
    await slack.command(httpTransport(service.url), 'otto', 'scan pc-9');
    const first = await posted(/pc-9/);
    // Slack has the message a moment before the service knows.
    await delay(3000);
    await service.end('SIGKILL');
    service = await start();
    await ends(first.answer.ts).toMatch(/pc-9/);
    expect(shown(standing(first.answer.ts)!.body)).toMatch(/has no score|interrupted/);
  } finally {
    mute.closeAllConnections();
    mute.close();
  }
});
