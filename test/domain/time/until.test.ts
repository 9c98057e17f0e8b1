import { describe, expect, test } from 'vitest';
import { readDuration } from '../../../src/domain/time/duration.ts';
import { isTimeZone, localTime, timestampOf, timeText } from '../../../src/domain/time/localTime.ts';
import { readUntil } from '../../../src/domain/time/until.ts';

const BERLIN = 'Europe/Berlin';
/** Saturday, 28 November 2026, 02:10 in Berlin. */
const NOW = new Date('2026-11-28T01:10:00Z');

function until(text: string, timeZone = BERLIN, now = NOW): string {
  const read = readUntil(text, now, timeZone);
  if (read.kind === 'at') return timeText(read.at, timeZone).replace(` ${timeZone}`, '');
  return read.kind === 'cleared' ? 'cleared' : read.reason;
}

describe('until', () => {
  test.each([
    ['tomorrow 9:00', 'Sun 2026-11-29 09:00'],
    ['until tomorrow 9:00', 'Sun 2026-11-29 09:00'],
    ['Tomorrow at 9am', 'Sun 2026-11-29 09:00'],
    ['9am tomorrow', 'Sun 2026-11-29 09:00'],
    ['tomorrow', 'Sun 2026-11-29 09:00'],
    ['tomorrow morning', 'Sun 2026-11-29 09:00'],
    ['tomorrow noon', 'Sun 2026-11-29 12:00'],
    ['the day after tomorrow 17:30', 'Mon 2026-11-30 17:30'],
    ['until Monday 9:00', 'Mon 2026-11-30 09:00'],
    ['mon 9:00', 'Mon 2026-11-30 09:00'],
    ['Monday', 'Mon 2026-11-30 09:00'],
    ['next Monday at 8.30', 'Mon 2026-11-30 08:30'],
    ['next week', 'Mon 2026-11-30 09:00'],
    ['today 17:00', 'Sat 2026-11-28 17:00'],
    ['tonight', 'Sat 2026-11-28 18:00'],
    ['noon', 'Sat 2026-11-28 12:00'],
    ['midnight', 'Sun 2026-11-29 00:00'],
    ['17:30', 'Sat 2026-11-28 17:30'],
    // Passed already today, so it is tomorrow's.
    ['1:30', 'Sun 2026-11-29 01:30'],
    // Saturday 9:00 is still ahead; Saturday 1:00 has passed.
    ['Saturday', 'Sat 2026-11-28 09:00'],
    ['saturday 1:00', 'Sat 2026-12-05 01:00'],
    ['next saturday', 'Sat 2026-12-05 09:00'],
    ['2026-11-30', 'Mon 2026-11-30 09:00'],
    ['2026-11-30 14:15', 'Mon 2026-11-30 14:15'],
    ['2026-11-30T14:15', 'Mon 2026-11-30 14:15'],
    ['2026-11-30T14:15:00Z', 'Mon 2026-11-30 15:15'],
    ['2026-11-30t14:15:00+05:30', 'Mon 2026-11-30 09:45'],
    ['30 Nov 9:00', 'Mon 2026-11-30 09:00'],
    ['Nov 30th, 2026 at 9 pm', 'Mon 2026-11-30 21:00'],
    ['30.11. 9:00', 'Mon 2026-11-30 09:00'],
    ['3 Jan', 'Sun 2027-01-03 09:00'],
    ['30m', 'Sat 2026-11-28 02:40'],
    ['for 4 hours', 'Sat 2026-11-28 06:10'],
    ['4h', 'Sat 2026-11-28 06:10'],
    ['1d 12h', 'Sun 2026-11-29 14:10'],
    ['1.5 hours', 'Sat 2026-11-28 03:40'],
    ['an hour', 'Sat 2026-11-28 03:10'],
    ['2 weeks', 'Sat 2026-12-12 02:10'],
    ['until it clears', 'cleared'],
    ['it clears', 'cleared'],
    ['until the problem is over', 'cleared'],
    ['until_clear', 'cleared'],
  ])('%s', (text, expected) => {
    expect(until(text)).toBe(expected);
  });

  test.each([
    '4',
    'soon',
    '25:00',
    '9:75',
    'blue monday',
    'tomorrow tomorrow',
    '31 Feb',
    '',
    '13pm',
    '5 parsecs',
    '0m',
  ])('reads nothing into "%s"', (text) => {
    expect(readUntil(text, NOW, BERLIN).kind).toBe('unreadable');
  });

  test('says what can be written instead, and what is over', () => {
    expect(until('someday')).toMatch(/^"someday" is not a time; write "tomorrow 9:00"/);
    expect(until('2026-11-27 09:00')).toBe('"2026-11-27 09:00" is in the past');
    expect(until('today 1:00')).toBe('"today 1:00" is in the past');
  });

  test('is of the zone of whoever writes', () => {
    const berlin = readUntil('tomorrow 9:00', NOW, BERLIN);
    const tokyo = readUntil('tomorrow 9:00', NOW, 'Asia/Tokyo');
    const newYork = readUntil('tomorrow 9:00', NOW, 'America/New_York');
    expect([berlin, tokyo, newYork]).toEqual([
      { kind: 'at', at: new Date('2026-11-29T08:00:00Z') },
      { kind: 'at', at: new Date('2026-11-29T00:00:00Z') },
      // There it is still Friday evening.
      { kind: 'at', at: new Date('2026-11-28T14:00:00Z') },
    ]);
  });

  test('keeps the clock over a change of daylight saving', () => {
    const evening = new Date('2026-10-24T18:00:00Z');
    expect(readUntil('tomorrow 9:00', evening, BERLIN)).toEqual({ kind: 'at', at: new Date('2026-10-25T08:00:00Z') });
    // A length of time is one, whatever the clock does.
    expect(readUntil('24h', evening, BERLIN)).toEqual({ kind: 'at', at: new Date('2026-10-25T18:00:00Z') });
  });
});

describe('local time', () => {
  test('goes both ways around the year, but the hour that comes twice', () => {
    const wrong: string[] = [];
    for (const zone of [BERLIN, 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kolkata', 'UTC']) {
      for (let ms = Date.UTC(2026, 0, 1); ms < Date.UTC(2027, 0, 1); ms += 5 * 3_600_000) {
        const at = new Date(ms);
        const again = timestampOf(localTime(at, zone), zone);
        if (again.getTime() !== ms && ms - again.getTime() > 3_600_000) wrong.push(`${zone} ${at.toISOString()}`);
        if (timeText(again, zone) !== timeText(at, zone)) wrong.push(`${zone} ${at.toISOString()}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  test('takes the first of a time that comes twice, and goes on from one that never comes', () => {
    const autumn = { year: 2026, month: 10, day: 25, hour: 2, minute: 30 };
    expect(timestampOf(autumn, BERLIN).toISOString()).toBe('2026-10-25T00:30:00.000Z');
    const spring = { year: 2026, month: 3, day: 29, hour: 2, minute: 30 };
    expect(timestampOf(spring, BERLIN).toISOString()).toBe('2026-03-29T01:30:00.000Z');
  });

  test('knows which zones there are', () => {
    expect([isTimeZone(BERLIN), isTimeZone('UTC'), isTimeZone('Mars/Olympus'), isTimeZone('')]).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });
});

test('a length of time needs its unit', () => {
  expect(['30m', '2h', '1 day', '1h30m', '1 hour and 30 minutes', '90'].map(readDuration)).toEqual([
    1_800_000,
    7_200_000,
    86_400_000,
    5_400_000,
    5_400_000,
    null,
  ]);
});
