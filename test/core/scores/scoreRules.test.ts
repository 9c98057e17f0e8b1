import { readFileSync } from 'node:fs';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { ScoreFile } from '../../../src/core/scores/scoreRules.ts';

import { machines, WELL } from '../../helpers/machines.ts';
import { startTestService } from '../../helpers/service.ts';

const shipped = () => parse(readFileSync('config/dex_score.yaml', 'utf8'));

test('the shipped file is right', () => {
  expect(ScoreFile.safeParse(shipped()).success).toBe(true);
});

test.each<[string, (file: ReturnType<typeof shipped>) => void]>([
  ['an unknown measure', (file) => (file.deductions.device[0].measure = 'gpu_pct')],
  ['a weight below zero', (file) => (file.weights.app = -1)],
  ['a missing weight', (file) => delete file.weights.app],
  ['steps and points_per_unit together', (file) => (file.deductions.app[0].steps = [{ above: 1, points: 1 }])],
  ['a clearing line above the raising line', (file) => (file.alerts[0].clear = 99)],
  ['two alerts of one name', (file) => file.alerts.push(file.alerts[0])],
  ['an unknown key', (file) => (file.extra = true)],
  ['a persona that does not exist', (file) => (file.personas = { pirate: file.weights })],
])('%s is refused', (_what, breakIt) => {
  const file = shipped();
  breakIt(file);
  expect(ScoreFile.safeParse(file).success).toBe(false);
});

test('an edit takes effect with the next scan, a broken one leaves the last good', { timeout: 60_000 }, async () => {
  const dir = await mkdtemp(join(tmpdir(), 'dexops-config-'));
  await cp('config', dir, { recursive: true });
  const found = machines(new Map([['pc-1', { ...WELL, diskPct: 90 }]]));
  const service = await startTestService({ CONFIG_DIR: dir }, { collector: found, healing: null });
  onTestFinished(async () => {
    await service.stop();
    await rm(dir, { recursive: true, force: true });
  });
  await service.call('POST', '/api/v1/dex/endpoints', { hostname: 'pc-1' });
  const scan = async () => {
    const { body } = await service.call('POST', '/api/v1/dex/endpoints/pc-1/scan');
    return (await service.finished(body.run_id)).result.score.components.device;
  };
  /** The file is looked at once a second. */
  const edit = async (text: string) => {
    await writeFile(join(dir, 'dex_score.yaml'), text);
    await delay(1100);
  };
  expect(await scan()).toBe(80);
  const edited = shipped();
  edited.deductions.device.find(({ measure }: { measure: string }) => measure === 'disk_pct').steps[1].points = 33;
  await edit(stringify(edited));
  expect(await scan()).toBe(67);
  await edit('weights: [');
  expect(await scan()).toBe(67);
});
