import { describe, expect, it } from 'vitest';
import { readTemperature, throttleCount } from '../../../../src/adapters/collectors/linux/heat.ts';
import { readPowerSupplies } from '../../../../src/adapters/collectors/linux/power.ts';
import {
  mergeWifi,
  parseIwLinks,
  parseNmcliWifi,
  parseProcWireless,
} from '../../../../src/adapters/collectors/linux/wireless.ts';
import { batteryCycles, batteryHealth } from '../../../../src/adapters/collectors/machine/batteries.ts';
import { readSmart } from '../../../../src/adapters/collectors/machine/smart.ts';
import { wifiSignal } from '../../../../src/adapters/collectors/machine/wifi.ts';
import { fixture } from '../../../helpers/fixture.ts';

describe('batteries', () => {
  it("are the machine's own, each with what it knows", () => {
    expect(readPowerSupplies(fixture('linux/powerSupply.txt'))).toEqual({
      batteries: [
        { name: 'BAT0', healthPct: { value: 76 }, cycles: { value: 312 } },
        {
          name: 'BAT1',
          healthPct: { missing: 'the battery reports 140 % of its design charge, which no battery has' },
          cycles: { missing: 'the battery does not count its cycles' },
        },
      ],
      onBattery: { value: true },
    });
    expect(readPowerSupplies('')).toEqual({ batteries: [], onBattery: { missing: 'the machine has no battery' } });
  });

  it.each([
    [50, 0],
    [-1, 50],
    [null, 50],
    [Number.NaN, 50],
  ])('%s of %s is no health', (full, design) => {
    expect(batteryHealth(full, design)).toHaveProperty('missing');
  });

  it('that are new hold a little more than they promise', () => {
    expect(batteryHealth(52, 50)).toEqual({ value: 100 });
    expect(batteryCycles(65_535)).toHaveProperty('missing');
    expect(batteryCycles(-3)).toHaveProperty('missing');
  });
});

describe('temperature', () => {
  it('is that of processor and board; a sensor out of its senses and the disks do not count', () => {
    expect(readTemperature(fixture('linux/thermalZones.txt'), fixture('linux/hwmon.txt'))).toEqual({ value: 72 });
    expect(readTemperature('', '')).toEqual({ missing: expect.stringContaining('no temperature sensor') });
    expect(readTemperature('/sys/class/thermal/thermal_zone0/temp:-274000', '')).toHaveProperty('missing');
  });

  it('throttling is counted where the processor counts it', () => {
    expect(throttleCount(fixture('linux/throttle.txt'))).toBe(7);
    expect(throttleCount('')).toBeNull();
  });
});

describe('Wi-Fi', () => {
  it('is put together from what is there', () => {
    const fromKernel = parseProcWireless(fixture('linux/procWireless.txt'));
    expect(fromKernel).toEqual([
      { adapter: 'wlp2s0', signalDbm: { value: -62 }, linkMbps: { missing: expect.any(String) } },
    ]);
    const fromIw = parseIwLinks(fixture('linux/iwLinks.txt'));
    expect(mergeWifi(fromKernel, fromIw)).toEqual([
      { adapter: 'wlp2s0', signalDbm: { value: -62 }, linkMbps: { value: 866.7 } },
    ]);
    expect(parseNmcliWifi(fixture('linux/nmcliWifi.txt'))).toEqual([
      { adapter: 'wlp2s0', signalDbm: { value: -64 }, linkMbps: { value: 540 } },
    ]);
  });

  it.each([0, 20, -256, Number.NaN])('%s dBm is no signal', (dbm) => {
    expect(wifiSignal(dbm)).toHaveProperty('missing');
  });
});

describe("disks' own health", () => {
  it('of NVMe: failing with its evidence, worn past its endurance', () => {
    expect(readSmart(fixture('smart/nvme.txt'))).toEqual({
      value: [
        {
          disk: '/dev/nvme0 (EXAMPLE 512GB)',
          failing: { value: true },
          evidence: ['the disk predicts its own failure', 'critical warning 0x4', '7 media errors'],
          wearPct: { value: 100 },
        },
        { disk: '/dev/nvme1', failing: { value: false }, evidence: [], wearPct: { value: 3 } },
      ],
    });
  });

  it('of ATA: sectors that wait to be remapped count though the disk calls itself healthy', () => {
    expect(readSmart(fixture('smart/ata.txt'))).toEqual({
      value: [
        {
          disk: '/dev/sda',
          failing: { value: true },
          evidence: ['16 sectors waiting to be remapped'],
          wearPct: { missing: expect.stringContaining('magnetic') },
        },
        { disk: '/dev/sdb', failing: { value: false }, evidence: [], wearPct: { value: 12 } },
      ],
    });
  });

  it('is named as missing with what smartctl says', () => {
    expect(readSmart(fixture('smart/smartUnsupported.txt'))).toEqual({
      missing: 'smartctl: /dev/vda: Unable to detect device type',
    });
    expect(readSmart('{ "half": ')).toEqual({ missing: 'smartctl gives no report' });
  });
});
