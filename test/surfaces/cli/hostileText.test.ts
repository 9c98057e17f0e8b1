/** What others wrote, on a terminal: nothing in it moves a cursor, colours a line, turns text round or writes a line of its own. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fieldsOf } from '../../../src/core/commands/fields.ts';
import { TOOLS } from '../../../src/core/tools/index.ts';
import { askService } from '../../../src/surfaces/cli/askService.ts';
import { alert, delivery, WEBHOOK_SECRET } from '../../helpers/deliveries.ts';
import { recordedTerminal } from '../../helpers/recordedTerminal.ts';
import { startTestService, type TestService } from '../../helpers/service.ts';

/** C0 and C1 controls, a terminal's sequences, bidirectional marks, and what some programs take for a line's end. */
const HOSTILE = 'x\u001b[2J\u001b]0;owned\u0007\u009b31m\u202eevil\u2066\u200f\u2028\u0085\r y';
const ACTS = /[^\P{Cc}\t\n]|[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u;

let service: TestService;
beforeAll(async () => {
  service = await startTestService({ WEBHOOK_SECRET });
  await service.call('POST', '/api/v1/dex/endpoints', {
    hostname: 'pc-1',
    collector: 'push',
    tags: { note: HOSTILE },
    persona: 'general',
  });
  const annotations = { summary: HOSTILE, description: HOSTILE };
  const told = alert({ host: 'pc-1', name: HOSTILE, annotations, labels: { note: HOSTILE } });
  const bearer = { Authorization: `Bearer ${WEBHOOK_SECRET}` };
  await service.call('POST', '/api/v1/webhooks/alertmanager', delivery(told), bearer);
  const unknown = alert({ host: `evil-${HOSTILE}`, name: 'DiskFull' });
  await service.call('POST', '/api/v1/webhooks/alertmanager', delivery(unknown), bearer);
  await service.call('POST', '/api/v1/dex/feedback', {
    hostname: 'pc-1',
    rating: 1,
    category: 'other',
    comment: HOSTILE,
  });
  await service.call('POST', '/api/v1/keys', { name: HOSTILE, role: 'viewer', holder: 'human' });
});
afterAll(() => service?.stop());

async function typed(...words: string[]) {
  const terminal = recordedTerminal();
  await askService(words, {}, service.app.config.DATA_DIR, terminal);
  return { out: terminal.outText, err: terminal.errText };
}

const WITHOUT_ARGUMENTS = TOOLS.filter(
  (tool) =>
    tool.command &&
    tool.effect === 'read' &&
    !tool.hiddenFrom?.includes('cli') &&
    fieldsOf(tool).every(({ required }) => !required),
).map((tool) => tool.command!.name);
const ABOUT_IT = [
  'endpoint pc-1',
  'score pc-1',
  'alerts pc-1',
  'alert 1',
  'why pc-1',
  'history pc-1',
  'alerts --status all',
];

test('enough commands are looked at to mean something', () => {
  expect(WITHOUT_ARGUMENTS.length).toBeGreaterThan(15);
});

describe.each([...WITHOUT_ARGUMENTS, ...ABOUT_IT])('%s', (command) => {
  test('shows what acts as escapes, in text and as JSON', async () => {
    const text = await typed(...command.split(' '));
    expect(text.out + text.err).not.toMatch(ACTS);
    const json = await typed(...command.split(' '), '--json');
    expect(json.out).not.toMatch(ACTS);
    if (json.out !== '') JSON.parse(json.out);
  });
});

test('the words are there, to be read and as they were', async () => {
  expect((await typed('alert', '1')).out).toContain('\\u202eevil');
  expect((await typed('endpoint', 'pc-1')).out).toContain('\\u202eevil');
  const { endpoint } = JSON.parse((await typed('endpoint', 'pc-1', '--json')).out);
  expect(endpoint.tags.note).toBe(HOSTILE);
});

test('a mistake repeats what was typed in escapes too', async () => {
  for (const words of [['score', HOSTILE], [HOSTILE], ['alerts', `--${HOSTILE}`], ['import', HOSTILE]]) {
    const { out, err } = await typed(...words);
    expect(out + err).not.toMatch(ACTS);
    expect(err).not.toBe('');
  }
});
