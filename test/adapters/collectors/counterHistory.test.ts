import { describe, expect, it } from 'vitest';
import {
  type Counters,
  counterReadings,
  createCounterHistory,
  processorShares,
} from '../../../src/adapters/collectors/counterHistory.ts';

const at = (minutes: number) => new Date(Date.UTC(2026, 0, 1, 0, minutes));
const times = (idleS: number, totalS: number, waits?: { iowaitS: number; stealS: number }): Counters => {
  const counters: Counters = new Map([
    ['cpu.idle', idleS],
    ['cpu.total', totalS],
  ]);
  return waits ? counters.set('cpu.iowait', waits.iowaitS).set('cpu.steal', waits.stealS) : counters;
};

/** The CPU's share between two samples a quarter of an hour apart. */
function busyPct(before: Counters, after: Counters): number | null {
  const history = createCounterHistory();
  history.riseSince('a', before, at(0));
  const rise = history.riseSince('a', after, at(15));
  const cpuPct = rise && processorShares(rise)?.cpuPct;
  return cpuPct && 'value' in cpuPct ? cpuPct.value : null;
}

describe("the processor's shares", () => {
  it('are busy time, waiting for disks and time taken by the host', () => {
    const history = createCounterHistory();
    history.riseSince('a', times(100, 200, { iowaitS: 10, stealS: 0 }), at(0));
    const rise = history.riseSince('a', times(130, 240, { iowaitS: 30, stealS: 4 }), at(1));
    expect(rise && processorShares(rise)).toEqual({
      cpuPct: { value: 25 },
      iowaitPct: { value: 50 },
      stealPct: { value: 10 },
    });
  });

  it.each([
    ['after a reboot', times(500, 900), times(5, 9)],
    ['after a reset that the total has outgrown', times(500, 600), times(10, 700)],
    ['when idle time outran all time', times(0, 100), times(60, 110)],
    ['between samples too close to tell', times(10, 20), times(10, 20.1)],
  ])('are unknown %s', (_, before, after) => expect(busyPct(before, after)).toBeNull());

  it('forgive an idle counter that steps back a little', () => {
    expect(busyPct(times(100, 200), times(99.98, 202))).toBe(100);
  });
});

describe('the history', () => {
  it('starts again after hours of silence and when the clock was set back', () => {
    const history = createCounterHistory();
    expect(history.riseSince('a', times(0, 0), at(0))).toBeNull();
    expect(history.riseSince('a', times(0, 0), at(200))).toBeNull();
    expect(history.riseSince('a', times(0, 0), at(100))).toBeNull();
    expect(history.riseSince('a', times(0, 0), at(101))?.elapsedS).toBe(60);
  });

  it('forgets the endpoint that was scanned longest ago', () => {
    const history = createCounterHistory(2);
    for (const name of ['a', 'b', 'a', 'c']) history.riseSince(name, times(0, 10), at(0));
    expect(['a', 'b', 'c'].map((name) => history.knows(name))).toEqual([true, false, true]);
  });
});

describe('readings of counters', () => {
  const sample = (factor: number): Counters =>
    new Map([
      ['pressure.io', 2 * factor],
      ['swap.pages', 600 * factor],
      ['throttled', 3 * factor],
      ['disk.requests\tsda', 100 * factor],
      ['disk.requestTime\tsda', 0.5 * factor],
      ['disk.busyTime\tsda', 30 * factor],
      ['link.errors\teth0', 10 * factor],
    ]);

  it('are rates since the previous scan', () => {
    const history = createCounterHistory();
    expect(counterReadings(sample(1), history.riseSince('a', sample(1), at(0)))).toMatchObject({
      swapPagesPerS: { missing: expect.stringContaining('two samples') },
      diskLatencyMs: { items: [{ item: 'sda', missing: expect.any(String) }] },
    });
    expect(counterReadings(sample(2), history.riseSince('a', sample(2), at(1)))).toEqual({
      ioPressurePct: { value: expect.closeTo(3.33, 2) },
      swapPagesPerS: { value: 10 },
      throttleEvents: { value: 3 },
      diskLatencyMs: { items: [{ item: 'sda', value: 5 }] },
      diskBusyPct: { items: [{ item: 'sda', value: 50 }] },
      linkErrorsPerMin: { items: [{ item: 'eth0', value: 10 }] },
    });
  });

  it('of counters that were reset are missing with that reason, never negative', () => {
    const history = createCounterHistory();
    history.riseSince('a', sample(5), at(0));
    const readings = Object.values(counterReadings(sample(1), history.riseSince('a', sample(1), at(1))));
    expect(readings).toHaveLength(6);
    expect(JSON.stringify(readings).match(/was reset/g)).toHaveLength(6);
  });
});
