import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCollectors } from '../../src/adapters/collectors/collectors.ts';
import type { CollectorOptions } from '../../src/domain/signals/telemetry.ts';
import { contextAt, memoryKnownHosts, targetOf } from '../helpers/collecting.ts';
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

  it('is cut off when its time is up', async ({ skip }) => {
    const snapshot = await look(running(skip), { timeoutMs: 500 });
    expect(snapshot.unreachableReason).toBe('no complete answer within 0.5 s');
  });
});
