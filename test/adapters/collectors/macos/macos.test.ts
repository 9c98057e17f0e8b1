import { expect, it } from 'vitest';
import { parseSntp } from '../../../../src/adapters/collectors/macos/clockOffset.ts';
import { parseDiagnosticReports, parseShutdownCauses } from '../../../../src/adapters/collectors/macos/faultReports.ts';
import {
  parsePmsetBattery,
  parsePmsetThermal,
  parsePowerData,
} from '../../../../src/adapters/collectors/macos/power.ts';
import { entriesOf } from '../../../../src/adapters/collectors/macos/systemProfiler.ts';
import { lastInstalled, parseSoftwareUpdate } from '../../../../src/adapters/collectors/macos/updates.ts';
import { parseAirPort } from '../../../../src/adapters/collectors/macos/wireless.ts';
import { fixture } from '../../../helpers/fixture.ts';

it("reads a Mac's battery and where its power comes from", () => {
  expect(parsePmsetBattery(fixture('macos/pmsetBattery.txt'))).toEqual({ value: true });
  expect(parsePmsetBattery("Now drawing from 'AC Power'\n")).toEqual({ missing: 'the Mac has no battery' });
  expect(parsePowerData(fixture('macos/powerData.txt'))).toEqual({
    value: [{ name: 'spbattery_information', healthPct: { value: 79 }, cycles: { value: 412 } }],
  });
  const older =
    '{"SPPowerDataType":[{"sppower_battery_health_info":{"sppower_battery_cycle_count":"x"},"sppower_battery_charge_info":{"sppower_battery_max_capacity":7000,"sppower_battery_design_capacity":5000}}]}';
  expect(parsePowerData(older)).toEqual({
    value: [
      {
        name: 'battery',
        healthPct: { missing: expect.stringContaining('140 %') },
        cycles: { missing: expect.any(String) },
      },
    ],
  });
  expect(parsePowerData('Usage: system_profiler')).toHaveProperty('missing');
});

it('sees that the processor is slowed down', () => {
  expect(parsePmsetThermal(fixture('macos/pmsetThermal.txt'))).toEqual({ value: true });
  expect(parsePmsetThermal('Note: No thermal warning level has been recorded')).toEqual({ value: false });
  expect(parsePmsetThermal('')).toHaveProperty('missing');
});

it("reads a Mac's Wi-Fi", () => {
  expect(parseAirPort(fixture('macos/airPort.txt'))).toEqual({
    value: [{ adapter: 'en0', signalDbm: { value: -71 }, linkMbps: { value: 351 } }],
  });
  expect(parseAirPort('')).toHaveProperty('missing');
});

it('tells crashes, hangs and panics apart by their reports', () => {
  const { crashes, hangs, panics } = parseDiagnosticReports(fixture('macos/diagnosticReports.txt'));
  expect(crashes.map(({ program }) => program)).toEqual(['Mail', 'Mail', 'Google Chrome Helper (Renderer)']);
  expect(hangs.map(({ program }) => program)).toEqual(['Finder']);
  expect(panics).toHaveLength(2);
  expect(parseShutdownCauses(fixture('macos/shutdownCauses.txt'))).toEqual([
    { at: new Date('2026-11-26T08:14:55Z'), cause: 'shutdown cause -62' },
  ]);
});

it('reads what Software Update noted', () => {
  expect(parseSoftwareUpdate(fixture('macos/softwareUpdate.txt'))).toEqual({
    updates: { value: 2 },
    securityUpdates: { value: 1 },
    checkedAt: { value: new Date('2026-11-26T08:00:00Z') },
  });
  expect(parseSoftwareUpdate('Domain … does not exist').updates).toHaveProperty('missing');
  const entries = entriesOf(fixture('macos/installHistory.txt'), 'SPInstallHistoryDataType');
  expect(lastInstalled(entries)).toEqual({ value: new Date('2026-11-19T05:01:00Z') });
  expect(lastInstalled(null)).toHaveProperty('missing');
});

it('knows how far the clock is off', () => {
  expect(parseSntp(fixture('macos/sntp.txt'))).toEqual({ value: -0.512345 });
  expect(parseSntp('sntp: timeout')).toHaveProperty('missing');
});
