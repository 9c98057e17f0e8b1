/** Since when, as people write it: always a time that has passed, on the writer's own clock. */
import { describe, expect, it } from 'vitest';
import { readSince } from '../../../src/domain/time/since.ts';

/** A Wednesday, 11:30 in Berlin. */
const NOW = new Date('2026-03-04T10:30:00Z');
const berlin = (text: string) => {
  const read = readSince(text, NOW, 'Europe/Berlin');
  return read.kind === 'at' ? read.at.toISOString().slice(0, 16) : read.reason;
};

describe('readSince', () => {
  it.each([
    ['today', '2026-03-03T23:00'],
    ['yesterday', '2026-03-02T23:00'],
    ['since Yesterday', '2026-03-02T23:00'],
    ['yesterday 14:00', '2026-03-03T13:00'],
    ['the day before yesterday', '2026-03-01T23:00'],
    ['Monday', '2026-03-01T23:00'],
    ['last wed', '2026-02-24T23:00'],
    ['wednesday', '2026-03-03T23:00'],
    ['wednesday 17:00', '2026-02-25T16:00'],
    ['this week', '2026-03-01T23:00'],
    ['last week', '2026-02-22T23:00'],
    ['last month', '2026-01-31T23:00'],
    ['this morning', '2026-03-04T08:00'],
    ['17:00', '2026-03-03T16:00'],
    ['9:00', '2026-03-04T08:00'],
    ['2 days', '2026-03-02T10:30'],
    ['2 days ago', '2026-03-02T10:30'],
    ['the last 24 hours', '2026-03-03T10:30'],
    ['an hour ago', '2026-03-04T09:30'],
    ['2026-02-01', '2026-01-31T23:00'],
    ['2026-02-01 09:00', '2026-02-01T08:00'],
    ['24 Dec', '2025-12-23T23:00'],
    ['2026-03-02T10:00:00+02:00', '2026-03-02T08:00'],
    // Of programs, which page through what is still to come.
    ['2030-01-01T00:00:00Z', '2030-01-01T00:00'],
  ])('%s', (text, at) => expect(berlin(text)).toBe(at));

  it.each(['soonish', '', '-1', '99', 'tomorrow', 'the 31st of Movember', '2026-13-40', '0000-01-01T00:00:00Z'])(
    '%j is no such time, and what is one is said',
    (text) => expect(berlin(text)).toMatch(/is not a time; write "yesterday"|from 1970 on/),
  );
});
