import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCollectors } from '../../../src/adapters/collectors/collectors.ts';
import type { CollectorOptions } from '../../../src/domain/signals/telemetry.ts';
import { contextAt, memoryKnownHosts, targetOf } from '../../helpers/collecting.ts';
import { freePort } from '../../helpers/freePort.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'dexops-keys-'));
  await mkdir(join(directory, 'keys'));
  await mkdir(join(directory, 'keys-of-others'));
  await writeFile(join(directory, 'secret'), 'not for endpoints');
  await writeFile(join(directory, 'keys-of-others', 'id'), 'not for endpoints');
  await writeFile(join(directory, 'keys', 'broken'), 'no key at all');
  await symlink('../secret', join(directory, 'keys', 'link'));
});
afterAll(() => rm(directory, { recursive: true }));

async function reasonFor(options: CollectorOptions, keysDir: string | null = join(directory, 'keys')): Promise<string> {
  const collectors = createCollectors({ ssh: { knownHosts: memoryKnownHosts(), keysDir } });
  const target = targetOf('ssh', { port: await freePort(), username: 'me', ...options });
  const snapshot = await collectors.collect(target, contextAt(new Date()));
  await collectors.close();
  expect(snapshot.reachable).toBe(false);
  return snapshot.unreachableReason ?? '';
}

describe('the SSH collector', () => {
  it.each(['../secret', '../keys-of-others/id', 'link', '/etc/passwd', '.', 'absent', 'a\0b'])(
    'does not use %j as a private key',
    async (privateKeyFile) => {
      expect(await reasonFor({ privateKeyFile })).toMatch(/is not a readable file in the SSH key directory/);
    },
  );

  it('says what is missing or wrong', async () => {
    expect(await reasonFor({ privateKeyFile: 'broken', username: undefined })).toMatch(/no SSH user name/);
    expect(await reasonFor({})).toMatch(/no private key file/);
    expect(await reasonFor({ privateKeyFile: 'broken' }, null)).toMatch(/no directory for SSH keys/);
    expect(await reasonFor({ privateKeyFile: 'broken' })).toMatch(/private key cannot be used/);
  });
});
