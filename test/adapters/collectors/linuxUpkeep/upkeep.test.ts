import { describe, expect, it } from 'vitest';
import {
  parseChronyTracking,
  parseNtpqOffset,
  parseTimesyncStatus,
} from '../../../../src/adapters/collectors/linuxUpkeep/clockOffset.ts';
import { parseCoredumps } from '../../../../src/adapters/collectors/linuxUpkeep/coredumps.ts';
import {
  parseLastRestarts,
  parsePstore,
  parseSystemdAnalyze,
  readPendingReboot,
  unexpectedRestarts,
} from '../../../../src/adapters/collectors/linuxUpkeep/startup.ts';
import {
  parseAptCheck,
  parseAptHistory,
  parseAptUpgradable,
  parseDnfUpdates,
  parseRpmInstallTimes,
} from '../../../../src/adapters/collectors/linuxUpkeep/updates.ts';
import { countFaults, programName } from '../../../../src/adapters/collectors/machine/programFaults.ts';
import { fixture } from '../../../helpers/fixture.ts';

describe('the start', () => {
  it('took as long as systemd says', () => {
    expect(parseSystemdAnalyze(fixture('linux/systemdAnalyze.txt'))).toEqual({ value: expect.closeTo(86.793, 3) });
    expect(parseSystemdAnalyze(fixture('linux/systemdAnalyzeOffline.txt'))).toEqual({
      missing: 'the machine was not started by systemd',
    });
    expect(parseSystemdAnalyze('Bootup is not yet finished (…)')).toEqual({ missing: 'the machine is still starting' });
    expect(parseSystemdAnalyze('Startup finished in 1s = 20h')).toHaveProperty('missing');
  });

  it('that no shutdown came before was unexpected; a panic names the cause of the one after it', () => {
    const starts = parseLastRestarts(fixture('linux/lastReboots.txt'));
    expect(starts.map(({ at }) => at.toISOString())).toEqual(['2026-11-26T07:02:11.000Z', '2026-11-24T07:01:55.000Z']);
    const panics = parsePstore(`/var/lib/systemd/pstore/${Date.parse('2026-11-26T06:59:00Z') / 1000}/dmesg.txt\n`);
    expect(unexpectedRestarts(panics, starts, new Date('2026-11-25T00:00:00Z'))).toEqual([
      { at: new Date('2026-11-26T06:59:00Z'), cause: 'kernel panic' },
    ]);
  });

  it('is due again where the distribution notes it', () => {
    expect(readPendingReboot('1795770000 /run/reboot-required\n', null, true)).toEqual({
      value: { pending: true, since: new Date(1795770000000) },
    });
    expect(readPendingReboot('', null, true)).toEqual({ value: { pending: false, since: null } });
    expect(readPendingReboot('', 1, false)).toEqual({ value: { pending: true, since: null } });
    expect(readPendingReboot('', null, false)).toHaveProperty('missing');
  });
});

describe('crashes', () => {
  it('are counted by program', () => {
    const dumps = parseCoredumps(fixture('linux/coredumps.txt'), '');
    expect(dumps).toHaveProperty('value');
    const faults = 'value' in dumps ? dumps.value : [];
    expect(countFaults(faults, new Date(1795700000000))).toEqual([{ program: 'firefox', count: 2 }]);
  });

  it('are not known where there is no journal, and none where there is', () => {
    expect(parseCoredumps('', fixture('linux/coredumpctlNone.txt'))).toEqual({
      missing: expect.stringContaining('no journal'),
    });
    expect(parseCoredumps('', 'No coredumps found.')).toEqual({ value: [] });
    expect(parseCoredumps('[{"time":', '')).toHaveProperty('missing');
    expect(parseCoredumps('[1, null, {"exe": 5}]', '')).toEqual({ value: [] });
  });

  it('of more programs than fit are one line', () => {
    const at = new Date();
    const faults = Array.from({ length: 500 }, (_, i) => ({ program: `p${i % 100}`, at }));
    const counted = countFaults(faults, new Date(0));
    expect(counted).toHaveLength(21);
    expect(counted.at(-1)).toEqual({ program: 'other programs', count: 400 });
    expect(programName('C:\\Program Files\\App\\a\u0007pp.exe')).toBe('app.exe');
  });
});

describe('updates', () => {
  it('pending, and which of them are for security', () => {
    expect(parseAptUpgradable(fixture('linux/aptUpgradable.txt'))).toEqual({
      value: { updates: 9, securityUpdates: 5 },
    });
    expect(parseAptUpgradable('E: Could not open lock file')).toHaveProperty('missing');
    expect(parseAptCheck('12;3')).toEqual({ value: { updates: 12, securityUpdates: 3 } });
    expect(parseDnfUpdates(fixture('linux/dnfUpgrades.txt'), fixture('linux/dnfAdvisories.txt'))).toEqual({
      value: { updates: 3, securityUpdates: 2 },
    });
    expect(parseDnfUpdates('Error: Cache-only enabled but no cache for updates', '')).toHaveProperty('missing');
  });

  it('last went through when a history says so', () => {
    expect(parseAptHistory(fixture('linux/aptHistory.txt'))).toEqual({ value: new Date('2026-11-27T23:03:42') });
    expect(parseAptHistory('Start-Date: x\nUpgrade: a\nError: b\nEnd-Date: 2026-11-27  23:03:42')).toHaveProperty(
      'missing',
    );
    expect(parseRpmInstallTimes('1795770000\n1795780000\n')).toEqual({ value: new Date(1795780000000) });
  });
});

describe('the clock', () => {
  it('is ahead by what its time service says', () => {
    expect(parseChronyTracking(fixture('linux/chronycTracking.txt'))).toEqual({ value: 0 });
    const slow = 'C0000201,192.0.2.1,3,1795820778.88,2.500000000,0,0,0,0,0,0.01,0.01,64.2,Normal';
    expect(parseChronyTracking(slow)).toEqual({ value: -2.5 });
    expect(parseChronyTracking(slow.replace('Normal', 'Not synchronised'))).toHaveProperty('missing');
    expect(parseChronyTracking(fixture('linux/chronycOffline.txt'))).toEqual({ missing: 'chronyd does not run' });
    expect(parseTimesyncStatus(fixture('linux/timesyncStatus.txt'))).toEqual({ value: expect.closeTo(0.001512, 6) });
    expect(parseNtpqOffset('stratum=2, offset=1500.5')).toEqual({ value: -1.5005 });
    expect(parseNtpqOffset('stratum=16, offset=0')).toHaveProperty('missing');
  });
});
