/** Runs the shipped playbooks with the real ansible-playbook on this machine: what they delete, spare and refuse. */
import { execFile, execFileSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';

const installed = (command: string): boolean => {
  try {
    execFileSync(command, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};
const missing = [
  ...(process.platform === 'linux' ? [] : ['Linux']),
  ...(process.getuid?.() === 0 ? [] : ['root']),
  ...(installed('ansible-playbook') ? [] : ['ansible-playbook']),
];

const reportShape = z.object({
  stats: z.record(z.string(), z.object({ changed: z.number(), failures: z.number() })),
  custom_stats: z.record(z.string(), z.record(z.string(), z.unknown())),
});

/** Plays one playbook on this machine and reads the JSON report; a failed play is an answer, not an exception. */
function play(
  name: string,
  variables: object,
  ...options: string[]
): Promise<{ changed: number; failures: number; sums: unknown; text: string }> {
  const file = fileURLToPath(new URL(`../../runbooks/playbooks/${name}.yml`, import.meta.url));
  const args = ['-i', 'here,', '-c', 'local', '--extra-vars', JSON.stringify(variables), ...options, file];
  const env = { ...process.env, ANSIBLE_STDOUT_CALLBACK: 'ansible.posix.json', ANSIBLE_SHOW_CUSTOM_STATS: '1' };
  return new Promise((resolve, reject) => {
    execFile('ansible-playbook', args, { env, maxBuffer: 64 << 20 }, (_error, stdout, stderr) => {
      const parsed = reportShape.safeParse(stdout.startsWith('{') ? JSON.parse(stdout) : undefined);
      if (!parsed.success) return reject(new Error(`${stdout}\n${stderr}`));
      const { stats, custom_stats } = parsed.data;
      resolve({ ...stats.here!, sums: custom_stats.here, text: stdout });
    });
  });
}

describe.skipIf(missing.length > 0)(
  `shipped playbooks${missing.length > 0 ? ` (skipped: needs ${missing.join(', ')})` : ''}`,
  { timeout: 120_000 },
  () => {
    let folder: string;
    let heldOpen: number;
    beforeAll(async () => {
      folder = mkdtempSync('/tmp/dexops-playbooks-');
      for (const sub of ['clean', 'clean/deep', 'clean/.hidden', 'outside']) mkdirSync(join(folder, sub));
      for (const file of ['clean/old', 'clean/deep/old', 'clean/.hidden/lock', 'clean/open [*]', 'outside/precious'])
        writeFileSync(join(folder, file), 'x'.repeat(10_000));
      symlinkSync(join(folder, 'outside'), join(folder, 'clean/link'));
      heldOpen = openSync(join(folder, 'clean/open [*]'), 'r');
      await delay(1_100); // `find -mmin +0` wants a file older than a second
    });
    afterAll(() => {
      closeSync(heldOpen);
      rmSync(folder, { recursive: true });
    });

    it('cleanup_disk shows in check mode what would go, deletes just that, and then has nothing left to do', async () => {
      const variables = { cleanup_paths: [join(folder, 'clean')], temp_keep_days: 0 };
      const preview = await play('cleanup_disk', variables, '--check', '--diff');
      expect(preview).toMatchObject({ changed: 1, failures: 0, sums: { files: '2', listed_bytes: '20000' } });
      expect(existsSync(join(folder, 'clean/old'))).toBe(true);

      const real = await play('cleanup_disk', variables);
      expect(real).toMatchObject({ changed: 1, failures: 0, sums: { files: '2' } });
      expect(readdirSync(join(folder, 'clean')).sort()).toEqual(['.hidden', 'deep', 'link', 'open [*]']);
      expect(readdirSync(join(folder, 'clean/deep'))).toEqual([]);
      expect(existsSync(join(folder, 'clean/.hidden/lock'))).toBe(true);
      expect(existsSync(join(folder, 'outside/precious'))).toBe(true);

      expect(await play('cleanup_disk', variables)).toMatchObject({ changed: 0, failures: 0, sums: { files: '0' } });
    });

    it.each(['/', '/tmp', '/etc', '/home/alice', '/tmp/../etc', '/tmp/*', 'tmp/x', '-delete'])(
      'cleanup_disk refuses %s',
      async (path) => {
        expect(await play('cleanup_disk', { cleanup_paths: [path], temp_keep_days: 0 }, '--check')).toMatchObject({
          changed: 0,
          failures: 1,
        });
      },
    );

    it('cleanup_disk refuses a folder that is reached through a symbolic link', async () => {
      const { failures, text } = await play('cleanup_disk', {
        cleanup_paths: [join(folder, 'clean/link')],
        temp_keep_days: 0,
      });
      expect(failures).toBe(1);
      expect(text).toContain('is really');
      expect(existsSync(join(folder, 'outside/precious'))).toBe(true);
    });

    it('cleanup_disk, clear_cache and flush_dns can be previewed with their defaults', async () => {
      for (const name of ['cleanup_disk', 'clear_cache', 'flush_dns'])
        expect(await play(name, {}, '--check'), name).toMatchObject({ failures: 0 });
    });

    it.each(['x; rm -rf /', '../../etc/passwd', '-h', 'dbus', ''])('restart_service refuses %j', async (service) => {
      const { failures, text } = await play('restart_service', { service_name: service });
      expect(failures).toBe(1);
      expect(text).toContain('Refused');
    });

    it('restart_service says that an unknown service is not running', async () => {
      const { failures, text } = await play('restart_service', { service_name: 'dexops-no-such-service' });
      expect(failures).toBe(1);
      expect(text).toContain('dexops-no-such-service is not running after the restart');
    });
  },
);
