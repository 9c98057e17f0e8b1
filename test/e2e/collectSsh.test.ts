import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCollectors } from '../../src/adapters/collectors/collectors.ts';
import type { CollectorOptions } from '../../src/domain/signals/telemetry.ts';
import { contextAt, memoryKnownHosts, targetOf } from '../helpers/collecting.ts';
import { fixture } from '../helpers/fixture.ts';
import { flatOf } from '../helpers/flatSnapshot.ts';
import { SSHD_MISSING, sshdBinary, startSshd, type TestSshd } from '../helpers/sshd.ts';

describe('the SSH collector at a real sshd', () => {
  let sshd: TestSshd | null = null;
  beforeAll(async () => {
    if (sshdBinary()) sshd = await startSshd();
  });
  afterAll(() => sshd?.stop());

  const running = (skip: (reason: string) => never): TestSshd => sshd ?? skip(SSHD_MISSING);

  async function look(
    { port, username, keysDir }: TestSshd,
    options: CollectorOptions = {},
    knownHosts = memoryKnownHosts(),
  ): Promise<ReturnType<typeof flatOf>> {
    const collectors = createCollectors({ ssh: { knownHosts, keysDir } });
    const target = targetOf('ssh', { port, username, privateKeyFile: 'id_ed25519', timeoutMs: 30_000, ...options });
    const snapshot = await collectors.collect(target, contextAt(new Date()));
    await collectors.close();
    return flatOf(snapshot);
  }

  it('measures the machine in one session', async ({ skip }) => {
    const snapshot = await look(running(skip));
    expect(snapshot).toMatchObject({
      reachable: true,
      cpuPct: expect.any(Number),
      memoryPct: expect.any(Number),
      diskPct: expect.any(Number),
      diskMount: expect.stringMatching(/^\//),
      latencyMs: expect.any(Number),
      packetLossPct: 0,
      bootedAt: expect.any(Date),
    });
  });

  it('remembers the first host key and refuses another one by name', async ({ skip }) => {
    const server = running(skip);
    const knownHosts = memoryKnownHosts();
    expect((await look(server, {}, knownHosts)).reachable).toBe(true);
    const first = server.hostKeySha256;
    expect(knownHosts.keys.get('host-1')).toBe(first);
    await server.changeHostKey();
    const changed = await look(server, {}, knownHosts);
    expect(changed.unreachableReason).toContain(
      `the SSH host key changed: ${first} is known, ${server.hostKeySha256} was shown`,
    );
    expect(knownHosts.keys.get('host-1')).toBe(first);
  });

  it('holds the host key against the one that was registered', async ({ skip }) => {
    const server = running(skip);
    const knownHosts = memoryKnownHosts();
    expect((await look(server, { hostKeySha256: server.hostKeySha256 }, knownHosts)).reachable).toBe(true);
    expect(knownHosts.keys.size).toBe(0);
    const wrong = `SHA256:${'A'.repeat(43)}`;
    expect((await look(server, { hostKeySha256: wrong })).unreachableReason).toMatch(/host key changed/);
  });

  it('names a refused login and does not remember that host', async ({ skip }) => {
    const server = running(skip);
    const knownHosts = memoryKnownHosts();
    const snapshot = await look(server, { privateKeyFile: 'stranger_ed25519' }, knownHosts);
    expect(snapshot.unreachableReason).toMatch(/login as .+ was refused.*authorized_keys/);
    expect(knownHosts.keys.size).toBe(0);
  });

  it('The pinned host key keeps its type, which is asked for first: an added key of another type is not a change', async ({
    skip,
  }) => {
    const server = running(skip);
    const knownHosts = memoryKnownHosts();
    const [first = ''] = await server.restart(['rsa']);
    expect((await look(server, {}, knownHosts)).reachable).toBe(true);
    expect(knownHosts.keys.get('host-1')).toBe(first);

    // A client that names no type gets the Ed25519 key from now on.
    const [added] = await server.restart(['ed25519', 'rsa']);
    expect(added).not.toBe(first);
    expect((await look(server, {}, knownHosts)).reachable).toBe(true);
    expect((await look(server, { hostKeySha256: first })).reachable).toBe(true);
    expect(knownHosts.keys.get('host-1')).toBe(first);

    // The pinned key is gone, whatever else is shown.
    await server.restart(['ed25519']);
    expect((await look(server, {}, knownHosts)).unreachableReason).toMatch(/the SSH host key changed/);
    expect((await look(server, { hostKeySha256: first })).unreachableReason).toMatch(/the SSH host key changed/);
  });

  it('tells a second factor from a key that is refused', async ({ skip }) => {
    const server = running(skip);
    await server.restart(
      ['ed25519'],
      ['AuthenticationMethods publickey,password', 'PasswordAuthentication yes', 'PermitRootLogin yes'],
    );
    const snapshot = await look(server);
    await server.restart(['ed25519']);
    expect(snapshot.unreachableReason).toMatch(/the key of .+ was accepted, but .+ wants a second factor as well/);
  });

  describe('with a login shell that is none of Unix', () => {
    /** What Windows' own shells answer to a program that is not there, in English and in German. */
    const POWERSHELL =
      "/bin/sh : The term '/bin/sh' is not recognized as the name of a cmdlet, function, or script file.";
    const CMD_GERMAN = 'Das System kann den angegebenen Pfad nicht finden.';

    /** Answers to each command as such a shell does; the report is what powershell.exe prints, where it is allowed. */
    async function shellOf(server: TestSshd, answer: string, report: string | null): Promise<void> {
      const shell = join(server.keysDir, 'shell.sh');
      const printed = join(server.keysDir, 'report.txt');
      await writeFile(printed, report ?? '');
      const script = [
        '#!/bin/sh',
        'case "$SSH_ORIGINAL_COMMAND" in',
        ...(report === null ? [] : [`powershell.exe*) cat > /dev/null; cat ${printed};;`]),
        `*) echo "${answer}" >&2; exit 1;;`,
        'esac',
      ];
      await writeFile(shell, `${script.join('\n')}\n`, { mode: 0o755 });
      await server.restart(['ed25519'], [`ForceCommand ${shell}`]);
    }

    it.for([
      ['PowerShell', POWERSHELL],
      ['cmd.exe in German', CMD_GERMAN],
    ] as const)('%s: Windows over SSH is measured by PowerShell', async ([, answer], { skip }) => {
      const server = running(skip);
      await shellOf(server, answer, fixture('windows/report.txt'));
      const snapshot = await look(server);
      await server.restart(['ed25519']);
      expect(snapshot).toMatchObject({ reachable: true, cpuPct: 12, memoryPct: 75, diskPct: 90, diskMount: 'C:' });
    });

    it('says what to do where PowerShell is not allowed', async ({ skip }) => {
      const server = running(skip);
      await shellOf(server, POWERSHELL, null);
      const snapshot = await look(server);
      await server.restart(['ed25519']);
      expect(snapshot.unreachableReason).toMatch(
        /the login shell runs neither \/bin\/sh nor powershell\.exe .*on Windows allow PowerShell to this login, on Linux give it a POSIX shell/,
      );
    });
  });

  it('is cut off when its time is up', async ({ skip }) => {
    const snapshot = await look(running(skip), { timeoutMs: 500 });
    expect(snapshot.unreachableReason).toBe('no complete answer within 0.5 s');
  });
});
