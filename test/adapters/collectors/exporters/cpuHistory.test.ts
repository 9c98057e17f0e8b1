import { describe, expect, it } from 'vitest';
import { busyPct, createCpuHistory } from '../../../../src/adapters/collectors/exporters/cpuHistory.ts';

const at = (minutes: number) => new Date(Date.UTC(2026, 0, 1, 0, minutes));

describe('busyPct', () => {
  it('is the share that was not idle', () => {
    expect(busyPct({ idleS: 100, totalS: 200 }, { idleS: 130, totalS: 240 })).toBe(25);
  });

  it.each([
    ['after a reboot', { idleS: 500, totalS: 900 }, { idleS: 5, totalS: 9 }],
    ['after a reset that the total has outgrown', { idleS: 500, totalS: 600 }, { idleS: 10, totalS: 700 }],
    ['when idle time outran all time', { idleS: 0, totalS: 100 }, { idleS: 60, totalS: 110 }],
    ['between samples too close to tell', { idleS: 10, totalS: 20 }, { idleS: 10, totalS: 20.1 }],
  ])('is unknown %s', (_, before, after) => expect(busyPct(before, after)).toBeNull());

  it('forgives an idle counter that steps back a little', () => {
    expect(busyPct({ idleS: 100, totalS: 200 }, { idleS: 99.98, totalS: 202 })).toBe(100);
  });
});

describe('the CPU history', () => {
  it('needs a first look, then gives the share since the last one', () => {
    const history = createCpuHistory();
    expect(history.pctSince('a', { idleS: 0, totalS: 100 }, at(0))).toBeNull();
    expect(history.pctSince('a', { idleS: 50, totalS: 200 }, at(15))).toBe(50);
    expect(history.pctSince('a', { idleS: 140, totalS: 300 }, at(30))).toBe(10);
  });

  it('starts again after a reset and after hours of silence', () => {
    const history = createCpuHistory();
    history.pctSince('a', { idleS: 400, totalS: 500 }, at(0));
    expect(history.pctSince('a', { idleS: 1, totalS: 2 }, at(15))).toBeNull();
    expect(history.pctSince('a', { idleS: 2, totalS: 4 }, at(30))).toBe(50);
    expect(history.pctSince('a', { idleS: 900, totalS: 1000 }, at(200))).toBeNull();
  });

  it('forgets the endpoint that was looked at longest ago', () => {
    const history = createCpuHistory(2);
    for (const name of ['a', 'b', 'a', 'c']) history.pctSince(name, { idleS: 0, totalS: 10 }, at(0));
    expect(history.pctSince('a', { idleS: 0, totalS: 20 }, at(1))).toBe(100);
    expect(history.pctSince('b', { idleS: 0, totalS: 20 }, at(1))).toBeNull();
  });
});
