/** Runbooks in Slack: found by a question, voted on by a button, and the votes shown to whoever asks next. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { TestSlack, Transport } from '../../helpers/slack.ts';
import { buttonOf, buttons, shown } from '../../helpers/slackReading.ts';
import { startSlackService } from '../../helpers/slackService.ts';

let slack: TestSlack;
let send: Transport;
let stop: () => Promise<void>;
let pages: string;
beforeAll(async () => {
  pages = await mkdtemp(join(tmpdir(), 'dexops-pages-'));
  for (const name of ['one', 'two', 'three', 'four']) {
    await writeFile(
      join(pages, `toner-${name}.md`),
      `# Toner ${name}\n\n## Fix\n\nPut new toner into printer ${name}.\n`,
    );
  }
  ({ slack, send, stop } = await startSlackService({ env: () => ({ RUNBOOKS_DIR: pages }) }));
}, 60_000);
afterAll(async () => {
  await stop();
  await rm(pages, { recursive: true, force: true });
});

const answer = (count: number) => slack.until(() => slack.responses[count - 1]);

it('asks whether the first pages helped, counts a click once a person, and shows the share', {
  timeout: 60_000,
}, async () => {
  await slack.command(send, 'otto', 'runbook toner one');
  const found = await answer(1);
  expect(shown(found)).toContain('toner-one');
  expect(buttons(found).filter(({ action_id }) => action_id.startsWith('run:helped'))).toHaveLength(3);

  const click = async (actionId: string, count: number) => {
    const { value } = buttonOf(found, actionId);
    await slack.click(send, 'otto', { actionId, value, message: { channel: 'C1', ts: `1.${count}` } });
    return shown(await answer(count));
  };
  expect(await click('run:helped0', 2)).toContain('toner-one helped in 100 % of 1 case');
  expect(await click('run:useless0', 3)).toContain('toner-one helped in 0 % of 1 case');

  await slack.command(send, 'otto', 'runbook toner one');
  expect(shown(await answer(4))).toContain('helped in 0 % of 1 case');
});
