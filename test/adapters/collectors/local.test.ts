import { freemem, totalmem, uptime } from 'node:os';
import { describe, expect, it } from 'vitest';
import { collectSnapshot } from '../../../src/adapters/collectors/collectSnapshot.ts';
import { createLocalReader } from '../../../src/adapters/collectors/local.ts';
import { ownProbes } from '../../../src/adapters/collectors/machineProbes.ts';
import { contextAt, targetOf } from '../../helpers/collecting.ts';
import { startDroppingPort } from '../../helpers/droppingPort.ts';
import { flatOf } from '../../helpers/flatSnapshot.ts';
import { WELL } from '../../helpers/machines.ts';

const target = targetOf('local', {});
/** What every scan reads; the tools that are asked rarely take seconds, and have tests of their own. */
const vitals = ownProbes().filter(({ everyS }) => everyS === 0);

describe('the local collector', () => {
  it('measures this machine, and accounts for every metric', async () => {
    const look = createLocalReader({ nameServers: () => [], gateway: async () => '127.0.0.1' }, vitals);
    const snapshot = flatOf(await collectSnapshot(look, target, contextAt(new Date())));
    expect(snapshot.reachable).toBe(true);
    expect(snapshot.cpuPct).toBeGreaterThanOrEqual(0);
    expect(snapshot.memoryPct).toBeGreaterThan(0);
    expect(snapshot.memoryPct).toBeLessThanOrEqual(100 * (1 - freemem() / totalmem()) + 5);
    expect(snapshot.diskPct).toBeGreaterThan(0);
    expect(snapshot.diskMount).toMatch(/^(\/|[A-Z]:)/);
    expect(snapshot).toMatchObject({ latencyMs: expect.any(Number), packetLossPct: 0 });
    expect(Date.now() - (snapshot.bootedAt?.getTime() ?? 0)).toBeCloseTo(uptime() * 1000, -4);
    const unmeasured = snapshot.unmeasured.map(({ metric }) => metric);
    for (const [metric, value] of Object.entries(snapshot)) {
      if (metric in WELL && !['diskMount', 'dnsLookups'].includes(metric))
        expect([metric, value === null]).toEqual([metric, unmeasured.includes(metric)]);
    }
    expect(snapshot.unmeasured.every(({ reason }) => reason.length > 10)).toBe(true);
  });

  it('takes CPU use since the last look without waiting for a second sample', async () => {
    const look = createLocalReader({ nameServers: () => [], gateway: async () => null }, vitals);
    const first = flatOf(await collectSnapshot(look, target, contextAt(new Date())));
    const second = flatOf(await collectSnapshot(look, target, contextAt(new Date())));
    expect(second.cpuPct).toEqual(expect.any(Number));
    // The first look sleeps a second between its two samples; the second has nothing to wait for.
    expect(second.durationMs).toBeLessThan(first.durationMs);
  });

  it('says why there is no network quality', async () => {
    const look = createLocalReader({ nameServers: () => ['127.0.0.1:1'], gateway: async () => null }, vitals);
    const snapshot = flatOf(await collectSnapshot(look, target, contextAt(new Date())));
    expect(snapshot.unmeasured).toContainEqual({
      metric: 'latencyMs',
      reason: 'there is no default gateway and no name server outside this machine',
    });
    expect(snapshot).toMatchObject({ dnsFailures: snapshot.dnsLookups });
  });

  it('leaves no socket, timer or process behind where the gateway drops its probes', async (ctx) => {
    if (process.platform !== 'linux') ctx.skip('only Linux drops connections that exceed the backlog');
    const dropping = await startDroppingPort();
    try {
      const held = (): string[] =>
        process.getActiveResourcesInfo().filter((kind) => /TCP|UDP|Timeout|Process|Pipe|DNS/.test(kind));
      const countOf = (kinds: string[], kind: string): number => kinds.filter((each) => each === kind).length;
      const before = held();
      const gateway = `127.0.0.1:${dropping.port}`;
      const look = createLocalReader({ nameServers: () => [], gateway: async () => gateway }, vitals);
      const snapshot = flatOf(await collectSnapshot(look, target, contextAt(new Date())));
      expect(snapshot.unmeasured).toContainEqual({
        metric: 'packetLossPct',
        reason: `none of the machine's network peers answers TCP probes (${gateway})`,
      });
      // A program's handle closes some turns after its output has ended.
      for (let turn = 0; turn < 100 && held().length > before.length; turn++) {
        await new Promise((next) => setImmediate(next));
      }
      // Timers of earlier tests may end meanwhile.
      const left = held();
      expect(left.filter((kind) => countOf(left, kind) > countOf(before, kind))).toEqual([]);
    } finally {
      dropping.close();
    }
  });
});
