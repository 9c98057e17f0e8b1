/** Self-healing against a real sshd with the real Ansible, on this machine's loopback address. */
import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { PROJECT_DIR } from '../../src/projectDir.ts';
import { alert, delivery } from '../helpers/deliveries.ts';
import { findBinary } from '../helpers/findBinary.ts';
import { freePort } from '../helpers/freePort.ts';
import { API_KEY, startTestService, type TestService } from '../helpers/service.ts';
import { sshdBinary, startSshd, type TestSshd } from '../helpers/sshd.ts';

const missing = [
  ...(process.platform === 'linux' ? [] : ['Linux']),
  ...(process.getuid?.() === 0 ? [] : ['root']),
  ...(findBinary('ansible-playbook') ? [] : ['ansible-playbook (apt-get install ansible)']),
  ...(sshdBinary() ? [] : ['sshd (apt-get install openssh-server)']),
];
const POLL = { timeout: 150_000, interval: 500 };

type Json = Record<string, any>;

describe.skipIf(missing.length > 0)(
  `healing over SSH${missing.length > 0 ? ` (skipped: needs ${missing.join(', ')})` : ''}`,
  { timeout: 300_000 },
  () => {
    let sshd: TestSshd;
    let folder: string;
    let service: TestService | null = null;
    beforeAll(async () => {
      // No machine has this locale: Ansible refuses to start in it.
      vi.stubEnv('LANG', 'tlh_QO.UTF-8');
      vi.stubEnv('LC_ALL', 'tlh_QO.UTF-8');
      sshd = await startSshd();
      folder = mkdtempSync(join(tmpdir(), 'dexops-healing-'));
    });
    afterEach(async () => {
      await service?.stop();
      service = null;
    });
    afterAll(async () => {
      vi.unstubAllEnvs();
      await sshd?.stop();
      rmSync(folder, { recursive: true, force: true });
    });

    /** A configuration folder whose map says what this test needs. */
    function withMap(map: string): string {
      const dir = mkdtempSync(join(folder, 'config-'));
      cpSync(join(PROJECT_DIR, 'config'), dir, { recursive: true });
      writeFileSync(join(dir, 'dex_remediation_map.yaml'), map);
      return dir;
    }
    const settings = (map: string) => ({
      RUNBOOKS_DIR: join(PROJECT_DIR, 'runbooks'),
      SSH_KEYS_DIR: sshd.keysDir,
      CONFIG_DIR: withMap(map),
      DEX_SELF_HEALING_ENABLED: 'true',
      WEBHOOK_REQUIRE_AUTH: 'false',
    });
    const box = () => ({
      hostname: 'box-1',
      ip_address: '127.0.0.1',
      collector: 'ssh',
      os_platform: 'linux',
      options: { port: sshd.port, username: sshd.username, private_key_file: 'id_ed25519', timeout_ms: 30_000 },
    });
    async function scan(running: TestService) {
      const { body } = await running.call('POST', '/api/v1/dex/endpoints/box-1/scan');
      await expect
        .poll(async () => (await running.call('GET', `/api/v1/runs/${body.run_id}`)).body.status, POLL)
        .toBe('completed');
    }
    const alertNamed = async (running: TestService, name: string): Promise<Json> =>
      (await running.call('GET', `/api/v1/dex/alerts?name=${name}&status=all`)).body.alerts[0];

    test('a full disk is cleaned after a yes, and the rescan ends the alert', async ({ skip }) => {
      const mount = mkdtempSync('/mnt/dexops-disk-');
      const image = join(folder, 'disk.img');
      execFileSync('truncate', ['-s', '20M', image]);
      try {
        execFileSync('mkfs.ext4', ['-q', '-m', '0', image], { stdio: 'ignore' });
        execFileSync('mount', ['-o', 'loop', image, mount], { stdio: 'ignore' });
      } catch {
        rmSync(mount, { recursive: true });
        skip('no small file system can be mounted here');
      }
      try {
        service = await startTestService(
          settings(`
remediation_map:
  DiskFull:
    action: ansible
    playbook: cleanup_disk
    requires_approval: true
    variables: { cleanup_paths: ["{{ labels.mountpoint }}"], temp_keep_days: 0 }
`),
        );
        const { call } = service;
        await call('POST', '/api/v1/dex/endpoints', box());
        const freeKb = Number(execFileSync('df', ['-Pk', mount], { encoding: 'utf8' }).trim().split(/\s+/).at(-3));
        writeFileSync(join(mount, 'junk'), Buffer.alloc((freeKb - 200) * 1024, 'x'));
        await delay(1_200); // the playbook takes files that are older than a second
        await scan(service);
        await expect.poll(async () => (await alertNamed(service!, 'DiskFull'))?.status, POLL).toBe('pending_approval');
        expect(existsSync(join(mount, 'junk'))).toBe(true);

        const [approval] = (await call('GET', '/api/v1/approvals')).body.approvals;
        expect(approval.plan.variables).toEqual({ cleanup_paths: [mount], temp_keep_days: 0 });
        const decided = await call('POST', `/api/v1/approvals/${approval.approval_id}/decide`, { decision: 'approve' });
        expect(decided.status).toBe(200);
        await expect.poll(async () => (await alertNamed(service!, 'DiskFull')).status, POLL).toBe('resolved');
        expect(await alertNamed(service, 'DiskFull')).toMatchObject({ resolution: 'auto' });
        expect(readdirSync(mount)).toEqual(['lost+found']);

        const { remediation_run_id } = await alertNamed(service, 'DiskFull');
        const run = (await call('GET', `/api/v1/runs/${remediation_run_id}`)).body;
        expect(run.result.stats).toMatchObject({ files: '1' });
        expect(run.steps).toContainEqual(
          expect.objectContaining({ name: 'Delete old temporary files', status: 'changed' }),
        );
      } finally {
        execFileSync('umount', [mount]);
        rmSync(mount, { recursive: true });
      }
    });

    test('a stopped service comes back, and LANG and LC_ALL are not handed on: `C.UTF-8`', async () => {
      const name = `dexops-test-${process.pid}`;
      const script = `/etc/init.d/${name}`;
      const pidFile = join(folder, 'service.pid');
      writeFileSync(
        script,
        `#!/bin/sh
### BEGIN INIT INFO
# Provides: ${name}
# Default-Start:
# Default-Stop:
### END INIT INFO
up() { [ -f ${pidFile} ] && kill -0 "$(cat ${pidFile})" 2>/dev/null; }
case "$1" in
  start) up || { setsid sleep 600 </dev/null >/dev/null 2>&1 & echo $! > ${pidFile}; } ;;
  stop) up && kill "$(cat ${pidFile})"; rm -f ${pidFile} ;;
  restart) "$0" stop; "$0" start ;;
  status) up ;;
esac
`,
      );
      chmodSync(script, 0o755);
      const isUp = () => {
        try {
          execFileSync(script, ['status']);
          return true;
        } catch {
          return false;
        }
      };
      try {
        service = await startTestService(
          settings(`
remediation_map:
  ServiceDown:
    action: restart
    service: "{{ labels.service }}"
    requires_approval: false
    variables: { service_manager: sysvinit }
`),
        );
        const { call } = service;
        await call('POST', '/api/v1/dex/endpoints', box());
        await scan(service); // learns the host key
        expect(isUp()).toBe(false);
        const startsAt = new Date().toISOString();
        const down = { host: 'box-1', name: 'ServiceDown', labels: { service: name }, startsAt };
        await call('POST', '/api/v1/webhooks/alertmanager', delivery(alert(down)));
        const remediation = async (): Promise<Json> =>
          (await call('GET', '/api/v1/dex/remediations')).body.remediations[0];
        await expect.poll(async () => (await remediation())?.status, POLL).toMatch(/verifying|failed|not_fixed/);
        expect(await remediation()).toMatchObject({ status: 'verifying', variables: { service_name: name } });
        expect(isUp()).toBe(true);

        const endsAt = new Date().toISOString();
        await call(
          'POST',
          '/api/v1/webhooks/alertmanager',
          delivery(alert({ ...down, status: 'resolved', endsAt } as object)),
        );
        expect(await alertNamed(service, 'ServiceDown')).toMatchObject({ status: 'resolved', resolution: 'auto' });
      } finally {
        execFileSync(script, ['stop']);
        rmSync(script);
      }
    });

    test('a machine with another host key is left alone', async () => {
      service = await startTestService(
        settings('remediation_map: { DiskFull: { action: ansible, playbook: flush_dns, requires_approval: false } }'),
      );
      const { call } = service;
      await call('POST', '/api/v1/dex/endpoints', box());
      await scan(service);
      await sshd.changeHostKey();
      await call('POST', '/api/v1/webhooks/alertmanager', delivery(alert({ host: 'box-1', name: 'DiskFull' })));
      await expect.poll(async () => (await alertNamed(service!, 'DiskFull'))?.status, POLL).toBe('needs_human');
      const [remediation] = (await call('GET', '/api/v1/dex/remediations')).body.remediations;
      expect(remediation).toMatchObject({ status: 'failed', reason: expect.stringContaining('host key changed') });
    });

    test('killed while a playbook runs, it is not repeated and the alert is with a person', async () => {
      const runbooks = join(folder, 'runbooks');
      const marks = join(folder, 'marks');
      mkdirSync(join(runbooks, 'playbooks'), { recursive: true });
      writeFileSync(
        join(runbooks, 'playbooks/slow.yml'),
        `
- name: Slow
  hosts: all
  gather_facts: false
  tasks:
    - name: Leave a mark
      ansible.builtin.lineinfile: { path: ${marks}, line: "{{ lookup('pipe', 'date +%s%N') }}", create: true }
    - name: Take long
      ansible.builtin.command: { argv: [sleep, "6"] }
    - name: Leave another mark
      ansible.builtin.lineinfile: { path: ${marks}, line: "went on", create: true }
`,
      );
      const port = await freePort();
      const env = {
        PATH: process.env.PATH,
        ...settings('remediation_map: { SlowTrouble: { action: ansible, playbook: slow, requires_approval: false } }'),
        RUNBOOKS_DIR: runbooks,
        DATA_DIR: join(folder, 'data'),
        PORT: String(port),
        HOST: '127.0.0.1',
        API_KEY,
        LLM_PROVIDER: '',
        DEX_REGISTER_SELF: 'false',
        LOG_LEVEL: 'CRITICAL',
      };
      const call = async (method: string, path: string, body?: unknown): Promise<Json> => {
        const response = await fetch(`http://127.0.0.1:${port}${path}`, {
          method,
          headers: { 'X-API-Key': API_KEY, 'Content-Type': 'application/json' },
          ...(body !== undefined && { body: JSON.stringify(body) }),
        });
        return response.json() as Promise<Json>;
      };
      const start = async () => {
        const child = spawn(process.execPath, [resolve('src/main.ts')], { env, stdio: 'ignore' });
        await expect
          .poll(
            () =>
              call('GET', '/health').then(
                () => true,
                () => false,
              ),
            POLL,
          )
          .toBe(true);
        return child;
      };
      const ended = (child: ReturnType<typeof spawn>) => new Promise((done) => child.once('exit', done));
      const marksLeft = () => (existsSync(marks) ? readFileSync(marks, 'utf8').trim().split('\n').length : 0);

      let child = await start();
      try {
        await call('POST', '/api/v1/dex/endpoints', box());
        await call('POST', '/api/v1/dex/endpoints/box-1/scan');
        await expect
          .poll(async () => (await call('GET', '/api/v1/dex/endpoints/box-1')).endpoint.last_seen_at, POLL)
          .not.toBe(null);
        await call('POST', '/api/v1/webhooks/alertmanager', delivery(alert({ host: 'box-1', name: 'SlowTrouble' })));
        await expect.poll(marksLeft, POLL).toBe(1);
        const dead = ended(child);
        child.kill('SIGKILL');
        await dead;

        child = await start();
        const state = async () => {
          const [remediation] = (await call('GET', '/api/v1/dex/remediations')).remediations;
          const [found] = (await call('GET', '/api/v1/dex/alerts?name=SlowTrouble')).alerts;
          const run = await call('GET', `/api/v1/runs/${remediation.run_id}`);
          return [remediation.status, run.status, found.status];
        };
        await expect.poll(state, POLL).toEqual(['interrupted', 'interrupted', 'needs_human']);
        await delay(10_000); // by now a second run, and the first one going on unwatched, would have left a mark
        expect(marksLeft()).toBe(1);
      } finally {
        const dead = ended(child);
        child.kill('SIGTERM');
        await dead;
      }
    });
  },
);
