import { describe, expect, it } from 'vitest';
import { isPhysicalDisk, parseDiskstats } from '../../../../src/adapters/collectors/linux/diskActivity.ts';
import { memoryUse, readLinuxMemory, swapUse } from '../../../../src/adapters/collectors/linux/memory.ts';
import { parsePressureTotal } from '../../../../src/adapters/collectors/linux/pressure.ts';
import { parseBootTime, parseProcStat } from '../../../../src/adapters/collectors/linux/processor.ts';
import { parsePidStat } from '../../../../src/adapters/collectors/linux/processSamples.ts';
import { parseProcNetDev, vpnInterfaces } from '../../../../src/adapters/collectors/machine/links.ts';
import { topPrograms } from '../../../../src/adapters/collectors/machine/topProcesses.ts';
import { fixture } from '../../../helpers/fixture.ts';

describe('processor times', () => {
  it('tell waiting for disks and time taken by the host from use', () => {
    const times = parseProcStat(fixture('linux/procStat.txt'));
    expect(times).toEqual({
      idleS: expect.closeTo(21553.71 + 14.88, 1),
      totalS: expect.closeTo(24181.53, 1),
      iowaitS: 14.88,
      stealS: 0,
    });
    expect(parseBootTime(fixture('linux/procStat.txt'))).toBe(1795808654);
  });

  it('are none in another text', () => {
    expect(parseProcStat('')).toBeNull();
    expect(parseProcStat('cpu  a b c d')).toBeNull();
    expect(parseProcStat('cpu  1 2')).toBeNull();
    expect(parseBootTime('btime soon')).toBeNull();
  });
});

describe('memory', () => {
  it('is what programs can have, and there may be no swap', () => {
    expect(readLinuxMemory(fixture('linux/meminfo.txt'))).toEqual({
      memoryPct: { value: expect.closeTo(17.04, 2) },
      swapPct: { missing: 'the machine has no swap' },
    });
  });

  it("leaves ZFS' cache and reserved huge pages out of use", () => {
    const meminfo = 'MemTotal: 16000000 kB\nMemAvailable: 4000000 kB\nHugepagesize: 2048 kB\nHugetlb: 0 kB\n';
    const arcstats = `5 1 0x01 147 39984 1 2\nname type data\nc_min 4 ${1_000_000 * 1024}\nsize 4 ${7_000_000 * 1024}\n`;
    expect(readLinuxMemory(meminfo, arcstats).memoryPct).toEqual({ value: expect.closeTo(37.5, 5) });
    const huge = 'MemTotal: 16000000 kB\nMemAvailable: 2000000 kB\nHugetlb: 8000000 kB\n';
    expect(readLinuxMemory(huge).memoryPct).toEqual({ value: 75 });
  });

  it.each([
    [{ totalKb: 100, availableKb: 101 }, /more available memory than it has/],
    [{ totalKb: 0, availableKb: 0 }, /no available memory/],
    [{ totalKb: 100, availableKb: undefined }, /no available memory/],
  ])('that contradicts itself is no measurement: %o', ({ totalKb, availableKb }, reason) => {
    expect(memoryUse(totalKb, availableKb, 0, 0)).toEqual({ missing: expect.stringMatching(reason) });
  });

  it('never counts swap as negative', () => {
    expect(swapUse(100, 25)).toEqual({ value: 75 });
    expect(swapUse(100, 125)).toEqual({ missing: expect.stringContaining('more free swap') });
  });
});

it('reads pressure where the kernel keeps it', () => {
  expect(parsePressureTotal(fixture('linux/pressureCpu.txt'))).toBeGreaterThan(0);
  expect(parsePressureTotal('')).toBeNull();
});

describe('disk counters', () => {
  it('are those of physical disks', () => {
    expect([...parseDiskstats(fixture('linux/diskstats.txt')).keys()]).toEqual(['vda']);
    expect(['sda', 'nvme0n1', 'nvme0n12', 'mmcblk0', 'xvdb'].filter(isPhysicalDisk)).toHaveLength(5);
    expect(['sda1', 'nvme0n1p2', 'mmcblk0p1', 'dm-0', 'md127', 'sr0', 'loop3'].filter(isPhysicalDisk)).toEqual([]);
  });
});

describe('network interfaces', () => {
  it('count errors of the real ones', () => {
    expect([...parseProcNetDev(fixture('linux/netDev.txt')).keys()]).toEqual(['eth0']);
    const columns = '  eth1: 10 100 3 0 0 0 0 0 20 200 4 0 0 0 0 0';
    expect(parseProcNetDev(columns).get('eth1')).toEqual({ packets: 300, errors: 7 });
  });

  it('that are a VPN carry an address of more than this link', () => {
    const info = (address: string) => [
      { address, family: 'IPv4' as const, netmask: '', mac: '', internal: false, cidr: null },
    ];
    const interfaces = {
      en0: info('192.0.2.9'),
      utun0: info('fe80::1'),
      utun4: info('10.8.0.2'),
      'Corp VPN': info('10.9.0.2'),
    };
    expect(vpnInterfaces(interfaces)).toEqual(['Corp VPN', 'utun4']);
  });
});

describe('programs', () => {
  it('are named without path and arguments, whatever stands in the name', () => {
    const line = '42 (a) b (c)) S 1 1 1 0 -1 0 0 0 0 0 150 50 0 0 20 0 1 0 777 1000000 256 0';
    expect(parsePidStat(line)).toEqual({ pid: 42, startedAt: 777, name: 'a) b (c)', cpuS: 2, memoryBytes: 1_048_576 });
    expect(parsePidStat('2 (kthreadd) S 0 0 0 0 -1 0 0 0 0 0 0 3 0 0 20 0 1 0 0 0 0 0')).toBeNull();
    expect(parsePidStat('')).toBeNull();
  });

  it('are summed over their processes; one that took a number over starts anew', () => {
    const process = (pid: number, startedAt: number, name: string, cpuS: number) => ({
      pid,
      startedAt,
      name,
      cpuS,
      memoryBytes: 10 * pid,
    });
    const before = [process(1, 0, 'tab', 10), process(2, 0, 'tab', 10), process(3, 0, 'mail', 500)];
    const now = [process(1, 0, 'tab', 40), process(2, 0, 'tab', 40), process(3, 9, 'editor', 30)];
    expect(topPrograms(before, now, 60, 2).byCpu).toEqual([
      { program: 'tab', cpuPct: 50, memoryBytes: 30 },
      { program: 'editor', cpuPct: 25, memoryBytes: 30 },
    ]);
    expect(topPrograms([], now, 0, 2)).toMatchObject({
      byCpu: [],
      byMemory: [{ program: 'tab' }, { program: 'editor' }],
    });
  });
});
