/** The Ansible runner against stand-ins for ansible-playbook and ssh-keyscan: what they are given, and what is made of them. */
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createAnsibleRunner } from '../../../src/adapters/runners/ansible.ts';
import type { PlaybookJob } from '../../../src/core/ports/ports.ts';
import type { Endpoint } from '../../../src/domain/fleet/endpoint.ts';
import { endpointOf } from '../../helpers/facts.ts';
import { isAlive } from '../../helpers/isAlive.ts';

const KEY = Buffer.from('the host key of box-1').toString('base64');
const FINGERPRINT = `SHA256:${createHash('sha256').update(Buffer.from(KEY, 'base64')).digest('base64').replace(/=+$/, '')}`;
const OTHER = Buffer.from('another key').toString('base64');

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'dexops-runner-'));
  for (const sub of ['bin', 'keys', 'playbooks', 'seen']) mkdirSync(join(dir, sub));
  writeFileSync(join(dir, 'keys/id'), 'a key');
  writeFileSync(join(dir, 'playbooks/cleanup_disk.yml'), '[]');
  program('ssh-keyscan', `echo "# a comment"; echo "127.0.0.1 ssh-rsa ${OTHER}"; echo "127.0.0.1 ssh-ed25519 ${KEY}"`);
});
afterEach(() => rmSync(dir, { recursive: true }));

function program(name: string, script: string): void {
  writeFileSync(join(dir, 'bin', name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(dir, 'bin', name), 0o755);
}
/** Keeps everything it can see, then prints the report. */
function ansible(report: object | string, exitCode = 0): void {
  writeFileSync(join(dir, 'report'), typeof report === 'string' ? report : JSON.stringify(report));
  program(
    'ansible-playbook',
    `printf '%s\\n' "$@" > ${dir}/seen/args; env > ${dir}/seen/env; cp * ${dir}/seen/; cat ${dir}/report; exit ${exitCode}`,
  );
}
const seen = (file: string) => readFileSync(join(dir, 'seen', file), 'utf8');
const report = (...tasks: [name: string, result: object][]) => ({
  plays: [{ tasks: tasks.map(([name, result]) => ({ task: { name }, hosts: { endpoint: result } })) }],
  stats: {},
  custom_stats: { endpoint: { files: '2', freed_bytes: '20480' } },
});

const BOX = endpointOf({ hostname: 'box-1', options: { port: 2222, username: 'admin', privateKeyFile: 'id' } });
const runner = (path = `${join(dir, 'bin')}:/usr/bin:/bin`, known: string | null = FINGERPRINT) =>
  createAnsibleRunner({
    playbooksDir: join(dir, 'playbooks'),
    keysDir: join(dir, 'keys'),
    knownHostKey: async () => known,
    env: { PATH: path },
  });
const job = (more: Partial<PlaybookJob> = {}): PlaybookJob => ({
  endpoint: BOX,
  playbook: 'cleanup_disk',
  variables: {},
  dryRun: false,
  ...more,
});
const run = (more: Partial<PlaybookJob> = {}, signal = new AbortController().signal) => runner().run(job(more), signal);

describe('what is run', () => {
  test('names one host, its key, and variables that are no templates', async () => {
    ansible(report(['Do it', { changed: true, stdout: 'done' }]));
    const { ok, reason, tasks, stats } = await run({
      variables: { service_name: '{{ lookup("pipe", "id") }}', paths: ['/mnt/a'], days: 0 },
    });
    expect({ ok, reason, tasks, stats }).toEqual({
      ok: true,
      reason: null,
      tasks: [{ name: 'Do it', status: 'changed', message: 'done', durationMs: null }],
      stats: { files: '2', freed_bytes: '20480' },
    });
    expect(JSON.parse(seen('variables.json'))).toEqual({
      service_name: { __ansible_unsafe: '{{ lookup("pipe", "id") }}' },
      paths: [{ __ansible_unsafe: '/mnt/a' }],
      days: 0,
    });
    const inventory = JSON.parse(seen('inventory.json'));
    expect(Object.keys(inventory.all.hosts)).toEqual(['endpoint']);
    expect(inventory.all.hosts.endpoint).toMatchObject({
      ansible_host: '127.0.0.1',
      ansible_port: 2222,
      ansible_user: 'admin',
      ansible_ssh_private_key_file: join(dir, 'keys/id'),
      ansible_ssh_common_args: expect.stringContaining('-o StrictHostKeyChecking=yes'),
    });
    expect(seen('known_hosts')).toBe(`endpoint ssh-ed25519 ${KEY}\n`);
    expect(seen('args')).not.toContain('--check');
    expect(seen('args').trim().split('\n').at(-1)).toBe(join(dir, 'playbooks/cleanup_disk.yml'));
  });

  test('knows nothing of the environment of the service', async () => {
    ansible(report());
    await run();
    expect(seen('env')).not.toMatch(/VITEST|NODE_ENV|npm_/);
  });

  test('as a preview is Ansible in check mode', async () => {
    ansible(report());
    await run({ dryRun: true });
    expect(seen('args')).toContain('--check\n--diff\n');
  });

  test('on Windows speaks PowerShell, and on this machine needs no SSH', async () => {
    ansible(report());
    await run({ endpoint: { ...BOX, osPlatform: 'windows' } });
    expect(seen('inventory.json')).toContain('"ansible_shell_type":"powershell"');
    await run({ endpoint: { ...BOX, collector: 'local', options: {} } });
    expect(JSON.parse(seen('inventory.json'))).toEqual({
      all: { hosts: { endpoint: { ansible_connection: 'local' } } },
    });
  });

  test('leaves nothing behind', async () => {
    ansible(report());
    await run();
    const workDir = /^PWD=(.*)$/m.exec(seen('env'))?.[1] as string;
    expect(workDir).toContain('dexops-run-');
    expect(existsSync(workDir)).toBe(false);
  });
});

describe('what is not run', () => {
  const refusal = async (attempt: Promise<{ ok: boolean; reason: string | null }>) => {
    const { ok, reason } = await attempt;
    expect(ok).toBe(false);
    expect(existsSync(join(dir, 'seen/args'))).toBe(false);
    return reason;
  };
  beforeEach(() => ansible(report()));

  test.each(['../../etc/passwd', '/etc/passwd', 'cleanup_disk.yml', 'linked', 'nowhere', '', 'x/y'])(
    'the playbook %j',
    async (playbook) => {
      symlinkSync('/etc/passwd', join(dir, 'playbooks/linked.yml'));
      expect(await refusal(run({ playbook }))).toContain('there is no playbook named');
      expect(await runner().blockingReason(BOX, playbook)).toContain('there is no playbook named');
    },
  );

  test('anything without Ansible', async () => {
    const empty = join(dir, 'playbooks');
    expect(await runner(empty).blockingReason(BOX, 'cleanup_disk')).toBe(
      'Ansible is not installed where this service runs',
    );
  });

  test.each([
    [
      'a machine with another host key',
      () => runner(undefined, 'SHA256:other').run(job(), new AbortController().signal),
      'host key changed',
    ],
    [
      'a machine whose host key nobody knows',
      () => runner(undefined, null).run(job(), new AbortController().signal),
      'host key is not known',
    ],
    ['a machine without a login', () => run({ endpoint: { ...BOX, options: {} } }), 'no SSH user name and key'],
    [
      'with a key outside of the folder',
      () => run({ endpoint: { ...BOX, options: { ...BOX.options, privateKeyFile: '../bin/ansible-playbook' } } }),
      'not a file in the SSH key directory',
    ],
    [
      'on a cloud metadata address',
      () => run({ endpoint: { ...BOX, ipAddress: '169.254.169.254' } as Endpoint }),
      'which is refused',
    ],
  ])('%s', async (_name, attempt, reason) => expect(await refusal(attempt())).toContain(reason));

  test('a machine that shows no key', async () => {
    program('ssh-keyscan', 'exit 1');
    expect(await refusal(run())).toContain('no SSH server answers at 127.0.0.1 port 2222');
  });
});

describe('a run that does not end well', () => {
  test('says which task failed, and why', async () => {
    ansible(
      report(['One', { changed: false }], ['Two', { failed: true, msg: 'no space', stderr: 'x'.repeat(5000) }]),
      2,
    );
    const { ok, reason, tasks } = await run();
    expect({ ok, statuses: tasks.map(({ status }) => status) }).toEqual({ ok: false, statuses: ['ok', 'failed'] });
    expect(reason).toMatch(/^Two: no space/);
    expect(tasks[1]?.message.length).toBeLessThanOrEqual(1000);
  });

  test('says that the machine could not be reached', async () => {
    ansible(report(['Gather', { unreachable: true, msg: 'Host key verification failed.' }]), 4);
    expect(await run()).toMatchObject({ ok: false, reason: 'not reachable: Host key verification failed.' });
  });

  test.each([
    ['nothing', ''],
    ['a traceback', 'Traceback (most recent call last): boom'],
    ['half a report', '{"plays": ['],
  ])('with %s printed says so', async (_name, text) => {
    ansible(text, 1);
    expect(await run()).toMatchObject({ ok: false, reason: expect.stringContaining('no report (exit code 1)') });
  });

  test('because it was stopped takes all its processes along', async () => {
    program('ansible-playbook', `sleep 300 & echo $! > ${dir}/seen/child; wait`);
    const stop = new AbortController();
    const running = run({}, stop.signal);
    await expect.poll(() => existsSync(join(dir, 'seen/child')) && seen('child'), { timeout: 8000 }).toMatch(/\d/);
    stop.abort();
    expect(await running).toMatchObject({ ok: false, reason: 'it was stopped while it ran' });
    const child = Number(seen('child'));
    for (let tries = 0; tries < 50 && isAlive(child); tries++) await delay(50);
    expect(isAlive(child)).toBe(false);
  });
});
