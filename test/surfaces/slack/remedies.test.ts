/** An owner's own remedy in direct messages: offered once a day, done with their consent, and fixed when a rescan and they say so. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { jobActor } from '../../../src/core/actor.ts';
import type { PlaybookJob } from '../../../src/core/ports/ports.ts';
import { testClock } from '../../helpers/clock.ts';
import { FULL_DISK } from '../../helpers/healingWorld.ts';
import { type Findings, machines, WELL } from '../../helpers/machines.ts';
import type { TestService } from '../../helpers/service.ts';
import type { ApiCall, TestSlack, Transport } from '../../helpers/slack.ts';
import { buttonOf, buttons, shown } from '../../helpers/slackReading.ts';
import { knowPeople, startSlackService } from '../../helpers/slackService.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

const MAP = `
remediation_map:
  DiskFull:
    action: ansible
    playbook: cleanup_disk
    requires_approval: true
    owner_may_run: true
    for_owner: { title: Your disk is nearly full, means: Programs may stop., advice: Old files can go., run: Clean temporary files }
  HighMemory:
    action: ticket
    for_owner: { title: Your memory is full, means: It may be slow., advice: Close what you do not need. }
  LowDexScore: { action: ticket }
`;

const clock = testClock(new Date('2026-03-02T07:00:00Z')); // a Monday, two hours before work in London
const findings = new Map<string, Findings>();
const runs: PlaybookJob[] = [];
let slack: TestSlack;
let service: TestService;
let send: Transport;
let stop: () => Promise<void>;

beforeAll(async () => {
  ({ slack, service, send, stop } = await startSlackService({
    prepare: knowPeople,
    config: () => ({ 'dex_remediation_map.yaml': MAP }),
    env: () => ({ DEX_SELF_HEALING_ENABLED: 'true' }),
    overrides: {
      collector: machines(findings),
      clock,
      runner: {
        blockingReason: async () => null,
        async run(job) {
          runs.push(job);
          clock.advance(1000); // no playbook takes no time
          if (!job.dryRun) findings.set(job.endpoint.hostname, WELL);
          return { ok: true, reason: null, tasks: [], stats: { files: 812, listed_bytes: 1_234_000_000 } };
        },
      },
    },
  }));
  await service.call('POST', '/api/v1/dex/endpoints', { hostname: 'alice-laptop', owner_email: 'alice@example.com' });
}, 60_000);
afterAll(() => stop(), 30_000);

const tend = () => service.app.invoke('maintain_owner_remedies', {}, jobActor('dex_owner_remedies'));
const scan = async (found: Findings) => {
  findings.set('alice-laptop', found);
  const { body } = await service.call('POST', '/api/v1/dex/endpoints/alice-laptop/scan');
  await service.finished(body.run_id);
};
const posts = () =>
  slack.calls.filter(({ method, body }) => method === 'chat.postMessage' && body.channel === slack.users.alice);
/** The newest message to Alice that says this, as it was posted or edited last. */
const says = (text: RegExp) =>
  slack.until(() =>
    slack.calls.findLast(({ method, body }) => /^chat\.(postMessage|update)$/.test(method) && text.test(shown(body))),
  );
const click = (user: string, { body, answer }: ApiCall, actionId: string) =>
  slack.click(send, user, {
    actionId,
    value: buttonOf(body, actionId).value,
    message: { channel: answer.channel ?? body.channel, ts: answer.ts ?? body.ts },
  });
const newest = async () => (await service.call('GET', '/api/v1/dex/owner-remedies')).body.remedies[0];
const reaches = (status: string) =>
  slack.until(async () => {
    await tend();
    const remedy = await newest();
    return remedy?.status === status ? remedy : undefined;
  });

it('waits for working hours and for the problem to last, then offers once, with what the dry run found', {
  timeout: 30_000,
}, async () => {
  await scan(FULL_DISK);
  clock.advance(11 * MINUTE_MS);
  await tend();
  expect(posts()).toHaveLength(0);
  clock.advance(2 * HOUR_MS);
  await reaches('offered');
  const { body } = await says(/Your disk is nearly full/);
  expect(shown(body)).toContain('It would remove 812 files and free 1.2 GB.');
  expect(runs.map(({ dryRun }) => dryRun)).toEqual([true]);
  expect(buttons(body).map(({ text }) => text.text)).toEqual([
    'Clean temporary files now',
    'At 18:00',
    'Not now',
    'Ask IT for help',
    'No such messages',
  ]);
  await Promise.all([tend(), tend(), tend()]);
  expect(posts()).toHaveLength(1);
});

it('is the owner’s to answer: an operator is refused, and nothing ran', async () => {
  const offer = await says(/Your disk is nearly full/);
  await click('otto', offer, 'replace:remedy_now');
  await slack.until(() => slack.responses.find((it) => /for the owner of the machine alone/.test(shown(it))));
  expect(runs).toHaveLength(1);
});

it('plans for the evening of the owner, and "Do it now" runs it in the place of the approval that waits', {
  timeout: 30_000,
}, async () => {
  await click('alice', await says(/Your disk is nearly full/), 'replace:remedy_tonight');
  const planned = await slack.until(async () => {
    const remedy = await newest();
    return remedy.status === 'scheduled' ? remedy : undefined;
  });
  expect(planned.run_at).toBe('2026-03-02T18:00:00.000Z');
  await click('alice', await says(/planned for/), 'replace:remedy_now');
  await reaches('asking');
  expect(runs.map(({ dryRun }) => dryRun)).toEqual([true, false]);
  const { body } = await service.call('GET', '/api/v1/approvals?status=cancelled');
  expect(body.approvals[0]).toMatchObject({ status: 'cancelled' });
  expect((await newest()).status).toBe('asking');
  await click('alice', await says(/Did that fix it\?/), 'replace:remedy_fixed');
  await says(/Good to hear/);
  expect(await newest()).toMatchObject({ status: 'fixed', alert_name: 'DiskFull' });
  // The offer, and the question that needed to be noticed.
  expect(posts()).toHaveLength(2);
});

it('gives advice where there is no playbook, rescans at "I did it", and hands what stays to IT', {
  timeout: 30_000,
}, async () => {
  await scan({ ...WELL, memoryPct: 99 });
  await scan({ ...WELL, memoryPct: 99 });
  clock.advance(HOUR_MS);
  await tend();
  expect(posts()).toHaveLength(2); // once a day
  clock.advance(24 * HOUR_MS);
  await reaches('offered');
  const offer = await says(/Your memory is full/);
  await click('alice', offer, 'replace:remedy_done');
  await says(/The scan still shows it/);
  await click('alice', await says(/The scan still shows it/), 'replace:remedy_help');
  await says(/IT has been asked/);
  const { body } = await service.call('GET', '/api/v1/dex/alerts?name=HighMemory');
  expect(body.alerts[0].status).toBe('needs_human');
  const timeline = await service.call('GET', `/api/v1/dex/alerts/${body.alerts[0].id}`);
  expect(JSON.stringify(timeline.body.timeline)).toContain('its owner, asks for help');
});

it('keeps silent for who wants none, until they want it again', { timeout: 30_000 }, async () => {
  await slack.command(send, 'alice', 'tips off');
  clock.advance(8 * 24 * HOUR_MS);
  await scan({ ...WELL, memoryPct: 99 });
  await tend();
  const before = posts().length;
  await tend();
  expect(posts()).toHaveLength(before);
  await slack.command(send, 'alice', 'tips on');
  await reaches('offered');
  await slack.until(() => (posts().length === before + 1 ? true : undefined));
});

it('makes a case of a report: who has it, and in the end the employee’s word', { timeout: 30_000 }, async () => {
  slack.calls.length = 0;
  await slack.command(send, 'alice', 'report my laptop it hangs since yesterday');
  await says(/IT has been asked/);
  const { body } = await service.call('GET', '/api/v1/dex/alerts?name=ReportedProblem');
  expect(body.alerts[0].message).toMatch(
    /^.+ reports: it hangs since yesterday \(work takes longer\)\. What the scan shows: /,
  );
  await slack.command(send, 'alice', 'report my laptop now it is dead --since noon --impact stopped');
  const { id } = body.alerts[0];
  const worse = await slack.until(async () => {
    const found = await service.call('GET', `/api/v1/dex/alerts/${id}`);
    return found.body.alert.severity === 'critical' ? found.body : undefined;
  });
  expect(worse.alert.message).toMatch(/reports: now it is dead \(since noon, work is not possible\)/);
  expect(JSON.stringify(worse.timeline)).toMatch(/it hangs since yesterday.*now it is dead/s);
  expect(posts().filter(({ body }) => /IT has been asked/.test(shown(body)))).toHaveLength(1);
  await slack.command(send, 'otto', `ack ${id}`);
  await reachesAfterwards(/Your IT team is on it/);
  await slack.command(send, 'otto', `resolve ${id} memory added`);
  await reachesAfterwards(/Your IT team says that it is solved/);
  await click('alice', await says(/Your IT team says that it is solved/), 'replace:remedy_not_fixed');
  await slack.until(async () => {
    const again = await service.call('GET', `/api/v1/dex/alerts/${id}`);
    return again.body.alert.status === 'needs_human' ? true : undefined;
  });
});

/** Tends until Alice reads this. */
const reachesAfterwards = (text: RegExp) =>
  slack.until(async () => {
    await tend();
    return slack.calls.some(({ method, body }) => method === 'chat.postMessage' && text.test(shown(body)))
      ? true
      : undefined;
  });
