import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { Unreachable } from '../../../../src/adapters/collectors/readings.ts';
import {
  RARE_PROBES,
  REPORT_SCRIPT,
  readReport,
  SAMPLE_AGAIN,
} from '../../../../src/adapters/collectors/ssh/report.ts';
import {
  looksLikeWindows,
  readWindowsOutput,
  WINDOWS_PROBES,
} from '../../../../src/adapters/collectors/ssh/windowsLogin.ts';
import { fixture } from '../../../helpers/fixture.ts';

const now = new Date('2026-11-27T12:00:00Z');
const context = { now, services: undefined };

/** What the script prints for one source. */
const part = (name: string, text: string, code = 0): string => `\n@@${name}\n${text}\n@@=${name} ${code} \n`;
const reportOf = (system: string, always: string[], rare: string[] = []): string =>
  `Welcome to pc-7\n\n@@system ${system}\n${always.join('')}\n@@measured\n${rare.join('')}\n@@end\n`;

const df = `Filesystem     1024-blocks    Used Available Capacity Mounted on
/dev/sda2          1000000  800000    100000      89% /
tmpfs               100000  100000         0     100% /run
/dev/sdb1          2000000  100000   1900000       5% /mnt/my disk`;
const mounts = `/dev/sda2 / ext4 rw,relatime 0 0
tmpfs /run tmpfs rw,nosuid 0 0
/dev/sdb1 /mnt/my\\040disk ext4 rw 0 0`;

describe('a Linux report', () => {
  const always = [
    part('disks', df),
    part('inodes', df.replace('800000    100000', '990000     10000')),
    part('mounts', mounts),
    part('stat', 'cpu  100 0 100 700 100 0 0 20 0 0\nbtime 1770000000'),
    part('meminfo', 'MemTotal: 8000000 kB\nMemAvailable: 2000000 kB\nSwapTotal: 100 kB\nSwapFree: 25 kB'),
    part('units', 'cron.service loaded active running Regular jobs\ncups.service loaded failed failed Printing'),
    part('oneShots', ''),
    part('journal', 'entries 12'),
    part('newest', '{"PRIORITY":"6"}'),
    part('power', fixture('linux/powerSupply.txt')),
  ];

  it('is read by the same functions as this machine', () => {
    const { os, collected, counters } = readReport(reportOf('Linux', always), [], context);
    expect(os).toBe('linux');
    expect(collected).toMatchObject({
      memoryPct: { value: 75 },
      swapPct: { value: 75 },
      diskPct: {
        items: [
          { item: '/', value: expect.closeTo(88.89, 2) },
          { item: '/mnt/my disk' },
          { item: '/run', setAside: expect.any(String) },
        ],
      },
      servicesDown: { value: ['cups'] },
      logErrors: { value: 12 },
      bootedAt: { value: new Date(1.77e12) },
      onBattery: { value: true },
      batteryCycles: {
        items: [
          { item: 'BAT0', value: 312 },
          { item: 'BAT1', missing: expect.any(String) },
        ],
      },
    });
    expect(counters.get('cpu.steal')).toBe(0.2);
  });

  it('gives the rare figures only when they were due', () => {
    const rare = [
      part('analyze', fixture('linux/systemdAnalyze.txt')),
      part('coredumps', fixture('linux/coredumps.txt')),
    ];
    const { rare: read } = readReport(reportOf('Linux', always, rare), ['hourly'], context);
    expect(read).toMatchObject([
      { probe: { name: 'hourly' }, collected: { bootDurationS: { value: expect.closeTo(86.79, 2) } } },
    ]);
    expect(readReport(reportOf('Linux', always), [], context).rare).toEqual([]);
  });

  it('samples the processor a second time when asked', () => {
    const output = reportOf('Linux', always, [part('statAgain', 'cpu  150 0 125 775 150 0 0 20 0 0')]);
    const { counters, countersAgain } = readReport(output, [SAMPLE_AGAIN], context);
    expect((countersAgain?.get('cpu.total') ?? 0) - (counters.get('cpu.total') ?? 0)).toBeCloseTo(2, 5);
  });

  it('says that a journal may not be read, instead of calling it quiet', () => {
    const hint = 'Hint: You are currently not seeing messages from other users and the system.\nentries 0';
    const output = reportOf('Linux', [part('stat', 'btime 1'), part('journal', hint)]);
    expect(readReport(output, [], context).collected.logErrors).toEqual({
      missing: expect.stringContaining('systemd-journal'),
    });
  });
});

it('reads a Mac', () => {
  const always = [
    part('memsize', '17179869184'),
    part(
      'vmStat',
      'Mach Virtual Memory Statistics: (page size of 16384 bytes)\nPages active: 262144.\nPages wired down: 131072.\nPages occupied by compressor: 131072.\nSwapins: 10.\nSwapouts: 20.',
    ),
    part('swap', 'total = 2048.00M  used = 512.00M  free = 1536.00M  (encrypted)'),
    part('boot', '{ sec = 1770000000, usec = 123456 } Mon Feb  2 02:40:00 2026'),
    part(
      'disks',
      'Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/disk3s1s1 494384795 10000000 20000000 34% /\n/dev/disk3s5 494384795 450000000 20000000 96% /System/Volumes/Data',
    ),
    part(
      'mounts',
      '/dev/disk3s1s1 on / (apfs, sealed, local, read-only, journaled)\n/dev/disk3s5 on /System/Volumes/Data (apfs, local, journaled, nobrowse)',
    ),
    part('top', 'CPU usage: 90.00% user, 9.00% sys, 1.00% idle\nCPU usage: 10.50% user, 9.50% sys, 80.00% idle'),
    part('battery', fixture('macos/pmsetBattery.txt')),
    part('thermal', fixture('macos/pmsetThermal.txt')),
    part('launched', '431\t0\tcom.example.vpn\n-\t78\tcom.example.backup'),
  ];
  const { os, collected, counters } = readReport(reportOf('Darwin', always), [], {
    now,
    services: ['com.example.vpn', 'com.example.backup'],
  });
  expect(os).toBe('macos');
  expect(collected).toMatchObject({
    cpuPct: { value: 20 },
    memoryPct: { value: 50 },
    swapPct: { value: 25 },
    diskPct: {
      items: expect.arrayContaining([
        expect.objectContaining({ item: '/System/Volumes/Data', value: expect.closeTo(95.74, 2) }),
      ]),
    },
    servicesDown: { value: ['com.example.backup'] },
    logErrors: { missing: expect.stringContaining('unified log') },
    bootedAt: { value: new Date(1.77e12) },
    onBattery: { value: true },
    throttleEvents: { value: 1 },
  });
  expect(counters.get('swap.pages')).toBe(30);
});

it.each([
  ['nothing', ''],
  ['a report that breaks off', '\n@@system Linux\n\n@@stat\ncpu 1'],
  ['another system', reportOf('Plan9', [])],
])('%s is no report', (_, output) => expect(() => readReport(output, [], context)).toThrow(Unreachable));

describe('a Windows login', () => {
  it.each([
    ["/bin/sh : The term '/bin/sh' is not recognized as the name of a cmdlet, function, script file", true],
    ['The system cannot find the path specified.\r\n', true],
    ["'/bin/sh' is not recognized as an internal or external command,", true],
    ['Das System kann den angegebenen Pfad nicht finden.\r\n', true],
    ['bash: line 1: /bin/sh: Permission denied', false],
    ['This account is currently not available.', true],
  ])('is known by its answer to /bin/sh: %s', (errors, expected) =>
    expect(looksLikeWindows('', errors)).toBe(expected),
  );

  it('is read as this machine would be, rare parts apart', () => {
    const { collected, rare, counters } = readWindowsOutput(fixture('windows/report.txt'), WINDOWS_PROBES, {
      now,
      services: ['Spooler', 'wuauserv'],
    });
    expect(collected).toMatchObject({
      cpuPct: { value: 12 },
      memoryPct: { value: 75 },
      commitPct: { value: 95 },
      diskPct: {
        items: [
          { item: 'C:', value: 90 },
          { item: 'D:', setAside: expect.any(String) },
        ],
      },
      servicesDown: { value: ['wuauserv'] },
      rebootPending: { value: true },
      onBattery: { value: true },
      batteryHealthPct: { items: [{ item: 'Battery 1', value: 80 }] },
      temperatureC: { value: expect.closeTo(58.85, 2) },
      throttleEvents: { value: 1 },
      vpnUp: { items: [{ item: 'Corp', value: true }] },
      logErrors: { value: 7 },
      wifiSignalDbm: { missing: expect.stringContaining('Windows refuses') },
    });
    expect(counters.get('disk.requests\t0 C:')).toBe(1000);
    expect(rare).toMatchObject([
      {
        probe: { name: 'faults' },
        collected: {
          appCrashes: { items: [{ item: 'Teams.exe', value: 2 }] },
          appHangs: { items: [] },
          unexpectedRestarts: { value: 1 },
          bootDurationS: { value: 41.5 },
          diskFailing: { items: [{ item: 'EXAMPLE SSD', value: false }] },
        },
      },
      {
        probe: { name: 'currency' },
        collected: { updatesPending: { missing: expect.stringContaining('0x8024402C') } },
      },
    ]);
  });
});

it('the script runs here as it would there, and reads nothing but what is due', (ctx) => {
  if (process.platform !== 'linux') ctx.skip('the script is run on Linux only');
  const run = (...names: string[]) =>
    spawnSync('/bin/sh', ['-s', '60', ...names], { input: REPORT_SCRIPT, encoding: 'utf8', timeout: 60_000 }).stdout;
  const output = run(SAMPLE_AGAIN);
  const report = readReport(output, [SAMPLE_AGAIN], context);
  expect(report.collected).toMatchObject({
    memoryPct: { value: expect.any(Number) },
    diskPct: { items: expect.any(Array) },
  });
  expect(report.countersAgain?.get('cpu.total')).toBeGreaterThan(report.counters.get('cpu.total') ?? 0);
  expect(output).toContain('@@end');
  expect(output).not.toContain('@@aptList');
  expect(RARE_PROBES.map(({ name }) => name)).toContain('daily');
});
