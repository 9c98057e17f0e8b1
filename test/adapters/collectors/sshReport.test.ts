import { describe, expect, it } from 'vitest';
import { readReport } from '../../../src/adapters/collectors/ssh/sshReport.ts';

const linux = `@@os
Linux
@@disks
Filesystem     1024-blocks    Used Available Capacity Mounted on
/dev/sda2          1000000  800000    100000      89% /
tmpfs               100000  100000         0     100% /run
/dev/sdb1          2000000  100000   1900000       5% /mnt/my disk
/dev/loop0           50000   50000         0     100% /snap/core
@@cpu
cpu  100 0 100 700 100 0 0 0 0 0
cpu  150 0 125 775 150 0 0 0 0 0
@@memory
MemTotal:       8000000 kB
MemFree:         100000 kB
MemAvailable:   2000000 kB
@@mounts
/dev/sda2 / ext4 rw,relatime 0 0
tmpfs /run tmpfs rw,nosuid 0 0
/dev/sdb1 /mnt/my\\040disk ext4 rw 0 0
/dev/loop0 /snap/core squashfs ro,nodev 0 0
@@boot
btime 1770000000
@@units
cron.service loaded active running Regular jobs
cups.service loaded failed failed Printing @@end
@@journal
entries 12
@@newest
{"PRIORITY":"6"}
@@end
`;

const mac = `@@os
Darwin
@@disks
Filesystem     1024-blocks      Used Available Capacity Mounted on
/dev/disk3s1s1   494384795  10000000  20000000      34% /
/dev/disk3s5     494384795 450000000  20000000      96% /System/Volumes/Data
/dev/disk5s1          9000      9000         0     100% /Volumes/Installer 2 (x)
@@cpu
CPU usage: 90.00% user, 9.00% sys, 1.00% idle
CPU usage: 10.50% user, 9.50% sys, 80.00% idle
@@memory
17179869184
Mach Virtual Memory Statistics: (page size of 16384 bytes)
Pages free:                                5000.
Pages active:                            262144.
Pages inactive:                          262144.
Pages speculative:                         1000.
Pages wired down:                        131072.
Pages occupied by compressor:            131072.
@@mounts
/dev/disk3s1s1 on / (apfs, sealed, local, read-only, journaled)
/dev/disk3s5 on /System/Volumes/Data (apfs, local, journaled, nobrowse)
/dev/disk5s1 on /Volumes/Installer 2 (x) (hfs, local, nodev, nosuid, read-only)
@@boot
{ sec = 1770000000, usec = 123456 } Mon Feb  2 02:40:00 2026
@@services
PID\tStatus\tLabel
431\t0\tcom.example.vpn
-\t78\tcom.example.backup
\t       0      - \tcom.example.idle
\t     310      - \tcom.example.daemon
@@end
`;

describe('readReport', () => {
  it('reads a Linux machine', () => {
    expect(readReport(linux, undefined)).toEqual({
      cpuPct: { value: expect.closeTo(37.5, 5) },
      memoryPct: { value: 75 },
      disk: { value: { usedPct: expect.closeTo(88.89, 2), mount: '/' } },
      servicesDown: { value: ['cups'] },
      logErrors: { value: 12 },
      bootedAt: { value: new Date(1.77e12) },
    });
    expect(readReport(linux, ['cron', 'nginx']).servicesDown).toEqual({ value: ['nginx'] });
  });

  it('reads a Mac', () => {
    expect(
      readReport(mac, ['com.example.vpn', 'com.example.backup', 'com.example.daemon', 'com.example.idle']),
    ).toEqual({
      cpuPct: { value: 20 },
      memoryPct: { value: 50 },
      disk: { value: { usedPct: expect.closeTo(95.74, 2), mount: '/System/Volumes/Data' } },
      servicesDown: { value: ['com.example.backup', 'com.example.idle'] },
      logErrors: { missing: expect.stringContaining('unified log') },
      bootedAt: { value: new Date(1.77e12) },
    });
    expect(readReport(mac, undefined).servicesDown).toEqual({ missing: expect.stringContaining('list the services') });
  });

  it.each(['8640000000001', '253402300800', '0'])('takes a boot %s s after 1970 for no boot time', (seconds) => {
    const report = `@@os\nLinux\n@@boot\nbtime ${seconds}\n@@end\n`;
    expect(readReport(report, []).bootedAt).toEqual({ missing: 'the endpoint reports no boot time' });
  });

  it('names what a bare machine does not show', () => {
    const bare = '@@os\nLinux\n@@units\n@@no-units\n@@end\n';
    const missing = { missing: expect.any(String) };
    expect(readReport(bare, ['cron'])).toEqual({
      cpuPct: missing,
      memoryPct: missing,
      disk: missing,
      servicesDown: missing,
      logErrors: missing,
      bootedAt: missing,
    });
  });

  it.each([
    ['', /complete report/],
    ['This account is currently not available.\n', /complete report/],
    [linux.slice(0, 300), /complete report/],
    ['@@os\nFreeBSD\n@@end\n', /it is FreeBSD/],
  ])('refuses %j', (output, reason) => expect(() => readReport(output, undefined)).toThrow(reason));
});
