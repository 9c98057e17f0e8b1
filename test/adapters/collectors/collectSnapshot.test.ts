import { describe, expect, it } from 'vitest';
import { collectSnapshot } from '../../../src/adapters/collectors/collectSnapshot.ts';
import { complete, type Reader, Unreachable } from '../../../src/adapters/collectors/readings.ts';
import { SIGNAL_NAMES } from '../../../src/domain/signals/catalogue.ts';
import { measured, missing } from '../../../src/domain/signals/reading.ts';
import { contextAt, targetOf } from '../../helpers/collecting.ts';
import { flatOf } from '../../helpers/flatSnapshot.ts';

const now = new Date('2026-03-01T12:00:00Z');
const target = targetOf('local', { timeoutMs: 100 });
const never: Reader = () => new Promise(() => {});

describe('lookAt', () => {
  it('turns readings into a snapshot, clamped and rounded', async () => {
    const look: Reader = async () =>
      complete(
        {
          cpuPct: measured(100.4),
          memoryPct: measured(33.3333),
          diskPct: { items: [{ item: '/', value: 50 }] },
          latencyMs: measured(1.234),
          packetLossPct: missing('a firewall limits connections'),
          dnsFailures: measured({ count: 1, of: 3 }),
          servicesDown: measured([]),
          logErrors: measured(0),
          bootedAt: missing('unknown'),
        },
        'linux',
        () => 'not read',
      );
    expect(flatOf(await collectSnapshot(look, target, contextAt(now)))).toEqual({
      durationMs: expect.any(Number),
      reachable: true,
      unreachableReason: null,
      cpuPct: 100,
      memoryPct: 33.33,
      diskPct: 50,
      diskMount: '/',
      latencyMs: 1.23,
      packetLossPct: null,
      dnsFailures: 1,
      dnsLookups: 3,
      servicesDown: [],
      logErrors: 0,
      bootedAt: null,
      unmeasured: [
        { metric: 'packetLossPct', reason: 'a firewall limits connections' },
        { metric: 'bootedAt', reason: 'unknown' },
      ],
    });
  });

  it('ends a look that does not end by itself, and tells it to stop', async () => {
    let stopped = false;
    const look: Reader = (_, { signal }) => {
      signal.addEventListener('abort', () => {
        stopped = true;
      });
      return never(target, contextAt(now));
    };
    const snapshot = await collectSnapshot(look, target, contextAt(now));
    expect(snapshot).toMatchObject({ reachable: false, unreachableReason: 'no complete answer within 0.1 s' });
    expect(Object.values(snapshot.readings)).toEqual(SIGNAL_NAMES.map(() => ({ missing: 'endpoint not reachable' })));
    expect(stopped).toBe(true);
  });

  it('ends when the scan is cancelled, before or while it looks', async () => {
    const cancelled = contextAt(now, { signal: AbortSignal.abort() });
    expect((await collectSnapshot(never, target, cancelled)).unreachableReason).toBe('the scan was cancelled');
    const scan = new AbortController();
    const looking = collectSnapshot(never, target, contextAt(now, { signal: scan.signal }));
    scan.abort();
    expect((await looking).unreachableReason).toBe('the scan was cancelled');
  });

  it.each([
    [new Unreachable('gone'), 'gone'],
    [new TypeError('oops'), 'the collector failed: oops'],
  ])('turns %s into a reason', async (error, reason) => {
    const snapshot = await collectSnapshot(() => Promise.reject(error), target, contextAt(now));
    expect(snapshot).toMatchObject({ reachable: false, unreachableReason: reason });
  });
});
