import { describe, expect, it } from 'vitest';
import { parseW32tm } from '../../../../src/adapters/collectors/windows/clockOffset.ts';
import { dateOf, numberOf, parseWindowsReport } from '../../../../src/adapters/collectors/windows/report.ts';
import { parseNetshInterfaces } from '../../../../src/adapters/collectors/windows/wireless.ts';
import { fixture } from '../../../helpers/fixture.ts';

it('reads Wi-Fi in whatever language Windows speaks', () => {
  expect(parseNetshInterfaces(fixture('windows/netshEnglish.txt'))).toEqual([
    { adapter: 'Wi-Fi', signalDbm: { value: -72 }, linkMbps: { value: 864.7 } },
  ]);
  expect(parseNetshInterfaces(fixture('windows/netshGerman.txt').replaceAll('\n', '\r\n'))).toEqual([
    { adapter: 'WLAN', signalDbm: { value: -55 }, linkMbps: { value: 300 } },
  ]);
  expect(parseNetshInterfaces('There is no wireless interface on the system.')).toEqual([]);
});

it('reads how far the clock is off', () => {
  expect(parseW32tm(fixture('windows/w32tm.txt'))).toEqual({ value: -2.5003482 });
  expect(parseW32tm('The service has not been started. (0x80070426)')).toHaveProperty('missing');
  expect(parseW32tm('ReferenceId: 0x4C4F434C (source name:  "LOCL")')).toHaveProperty('missing');
});

describe('the report', () => {
  const report = parseWindowsReport(
    'banner\r\n\uFEFF@@os {"name":"Windows 11"}\r\n@@battery {"error":"Not supported"}\r\n@@links []\r\n@@cpu {broken\r\n',
  );

  it('gives rows, or why there are none', () => {
    expect(report.row('os')).toEqual({ value: { name: 'Windows 11' } });
    expect(report.rows('battery')).toEqual({ missing: 'Windows refuses: Not supported' });
    expect(report.rows('links')).toEqual({ value: [] });
    expect(report.row('links')).toHaveProperty('missing');
    expect(report.rows('cpu')).toHaveProperty('missing');
    expect(report.rows('wifi')).toEqual({ missing: 'PowerShell did not get to it in time' });
  });

  it('takes numbers and times as they come', () => {
    expect([numberOf('18446744073709551615'), numberOf(''), numberOf(null), numberOf('x'), numberOf(true)]).toEqual([
      2 ** 64,
      null,
      null,
      null,
      null,
    ]);
    expect([dateOf(1795770000), dateOf(-5), dateOf(1e20)]).toEqual([new Date(1795770000000), null, null]);
  });
});
