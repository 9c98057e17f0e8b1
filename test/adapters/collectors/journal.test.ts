import { describe, expect, it } from 'vitest';
import { journalErrors, logSpanS } from '../../../src/adapters/collectors/journal.ts';

describe('journalErrors', () => {
  it('counts the entries of a journal that can be read, none included', () => {
    expect(journalErrors(7, true, '')).toEqual({ value: 7 });
    expect(journalErrors(0, true, '')).toEqual({ value: 0 });
  });

  it('does not take a journal that it may not read, or that is not kept, for a quiet one', () => {
    const hint = 'Hint: You are currently not seeing messages from other users and the system.';
    expect(journalErrors(0, true, hint)).toEqual({ missing: expect.stringContaining('systemd-journal') });
    expect(journalErrors(0, false, 'No journal files were found.')).toEqual({
      missing: expect.stringContaining('no journal'),
    });
  });
});

describe('logSpanS', () => {
  const now = new Date('2026-01-02T00:00:00Z');
  it('is the time since the previous scan, 15 minutes without one and a day at most', () => {
    expect(logSpanS(now, null)).toBe(900);
    expect(logSpanS(now, new Date('2026-01-01T23:50:00.500Z'))).toBe(600);
    expect(logSpanS(now, new Date('2025-12-01T00:00:00Z'))).toBe(86_400);
    expect(logSpanS(now, new Date('2026-01-02T00:00:05Z'))).toBe(1);
  });
});
