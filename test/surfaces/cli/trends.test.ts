/** Trends on the command line: words, and the picture in a file. */
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createApp } from '../../../src/app.ts';
import { readConfig } from '../../../src/config.ts';
import type { Endpoint } from '../../../src/domain/fleet/endpoint.ts';
import { runCli } from '../../../src/surfaces/cli/runCli.ts';
import { flatSnapshot } from '../../helpers/flatSnapshot.ts';
import { person } from '../../helpers/healingWorld.ts';
import { recordedTerminal } from '../../helpers/recordedTerminal.ts';

let dir: string;
let env: Record<string, string>;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'dexops-cli-'));
  env = { DATA_DIR: join(dir, 'data'), RUNBOOKS_DIR: dir, EMBEDDING_MODEL: 'none', LLM_PROVIDER: '' };
  const app = await createApp(readConfig({ ...env, LOG_LEVEL: 'CRITICAL' }));
  await app.invoke('register_endpoint', { hostname: 'pc-1', collector: 'push' }, person('ann'));
  await app.invoke('register_endpoint', { hostname: 'pc-2', collector: 'push' }, person('ann'));
  const endpoint = (await app.ports.store.endpoints.get('pc-1')) as Endpoint;
  const rows = Array.from({ length: 48 }, (_, hour) => {
    const at = new Date(Date.now() - (48 - hour) * 3_600_000);
    const { hostname: _name, ...snapshot } = flatSnapshot(endpoint, at, { diskPct: 20 + hour, diskMount: '/' });
    return { ...snapshot, endpointId: endpoint.id };
  });
  await app.ports.store.snapshots.add(rows);
  await app.close();
}, 60_000);
afterAll(() => rm(dir, { recursive: true, force: true }));

async function dex(...argv: string[]) {
  const terminal = recordedTerminal();
  const code = await runCli(argv, env, terminal);
  return { code, out: terminal.outText, err: terminal.errText };
}

test('`dex trends --png FILE` says where it is heading and writes the picture', async () => {
  const file = join(dir, 'trends.png');
  const { code, out, err } = await dex('trends', 'pc-1', '--png', file);
  expect({ code, err }).toEqual({ code: 0, err: expect.stringContaining(`Picture written to ${file}`) });
  expect(out).toMatch(/disk.*reaches 90 % in about/);
  const picture = await readFile(file);
  expect(picture.subarray(0, 8).toString('latin1')).toBe('\x89PNG\r\n\x1a\n');
  expect(picture.length).toBeGreaterThan(5000);
}, 60_000);

test('without a history there is no picture, and it says so', async () => {
  const file = join(dir, 'nothing.png');
  const { err } = await dex('trends', 'pc-2', '--png', file);
  expect(err).toMatch(/picture/i);
  expect(existsSync(file)).toBe(false);
}, 60_000);
