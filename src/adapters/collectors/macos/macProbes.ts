/** What is read of a Mac, and how often: System Information takes seconds, so it is asked rarely. */
import { measured, missing, type Reading } from '../../../domain/signals/reading.ts';
import { volumeReadings } from '../../../domain/signals/volumes.ts';
import { joinDf } from '../linux/mounts.ts';
import { batteryItems, faultItems, wifiItems } from '../machine/items.ts';
import { countFaults } from '../machine/programFaults.ts';
import { type Collected, measuredTimestamp } from '../readings.ts';
import { DAILY_S, HOURLY_S, type Probe } from '../sources/probe.ts';
import type { Source, Texts } from '../sources/source.ts';
import { parseSntp } from './clockOffset.ts';
import { parseDiagnosticReports, parseShutdownCauses } from './faultReports.ts';
import { macCpuPct, macMemoryPct, macSwapPages, macSwapPct, parseMacMounts } from './memory.ts';
import { parsePmsetBattery, parsePmsetThermal, parsePowerData } from './power.ts';
import { entriesOf } from './systemProfiler.ts';
import { lastInstalled, parseSoftwareUpdate } from './updates.ts';
import { parseAirPort } from './wireless.ts';

const DAY_MS = 24 * 3_600_000;
const NO_LEVEL = "macOS' unified log has no level that compares with errors elsewhere";

const command = (name: string, timeoutS: number, ...words: [string, ...string[]]): Source => ({
  name,
  command: words,
  timeoutS,
});

const MEMSIZE = command('memsize', 5, 'sysctl', '-n', 'hw.memsize');
const VM_STAT = command('vmStat', 5, 'vm_stat');
const SWAP = command('swap', 5, 'sysctl', '-n', 'vm.swapusage');
const BOOT = command('boot', 5, 'sysctl', '-n', 'kern.boottime');
const DISKS = command('disks', 5, 'df', '-lPk');
const INODES = command('inodes', 5, 'df', '-lPi');
const MOUNTS = command('mounts', 5, 'mount');
const BATTERY = command('battery', 5, 'pmset', '-g', 'batt');
const THERMAL = command('thermal', 5, 'pmset', '-g', 'therm');
const LAUNCHED = command('launched', 5, 'launchctl', 'list');
const LAUNCHED_SYSTEM = command('launchedSystem', 5, 'launchctl', 'print', 'system');

export const macVitals: Probe = {
  name: 'vitals',
  everyS: 0,
  sources: [MEMSIZE, VM_STAT, SWAP, BOOT, DISKS, INODES, MOUNTS, BATTERY, THERMAL, LAUNCHED, LAUNCHED_SYSTEM],
  read: (texts, { services }) => ({
    memoryPct: macMemoryPct(texts.text(MEMSIZE), texts.text(VM_STAT)),
    swapPct: macSwapPct(texts.text(SWAP)),
    ...volumeReadings(joinDf(texts.text(DISKS), texts.text(INODES), parseMacMounts(texts.text(MOUNTS)))),
    bootedAt: measuredTimestamp(
      Number(/sec = (\d+)/.exec(texts.text(BOOT))?.[1] ?? Number.NaN) || null,
      'the Mac reports no boot time',
    ),
    onBattery: parsePmsetBattery(texts.text(BATTERY)),
    throttleEvents: throttling(texts),
    servicesDown: servicesDown(`${texts.text(LAUNCHED)}\n${texts.text(LAUNCHED_SYSTEM)}`, services),
    logErrors: missing(NO_LEVEL),
    rebootPending: missing('macOS keeps no note that a restart is due'),
    bootDurationS: missing('macOS does not time its start'),
    temperatureC: missing("macOS shows its sensors to Apple's own tools only"),
  }),
  counters: (texts) => {
    const pages = macSwapPages(texts.text(VM_STAT));
    return new Map(pages === null ? [] : [['swap.pages', pages]]);
  },
};

function throttling(texts: Texts): Reading<number> {
  const isLimited = parsePmsetThermal(texts.text(THERMAL));
  return 'missing' in isLimited ? isLimited : measured(Number(isLimited.value));
}

/** Lines of `PID status label`, the PID being `-` or 0 for a service that does not run. */
function servicesDown(text: string, services: readonly string[] | undefined): Reading<string[]> {
  if (!services) return missing('list the services that should run in the options of this endpoint');
  const running = new Set<string>();
  for (const line of text.split('\n')) {
    const [, pid, label] = /^\s*(\d+)\s+\S+\s+(\S+)$/.exec(line) ?? [];
    if (label && Number(pid) > 0) running.add(label);
  }
  if (running.size === 0) return missing('launchctl lists no services for this login');
  return measured(services.filter((service) => !running.has(service)));
}

const TOP = command('top', 8, 'top', '-l', '2', '-n', '0', '-s', '1');

/** Over SSH: on the machine itself the runtime knows the processor's times without starting a program. */
export const macProcessor: Probe = {
  name: 'processor',
  everyS: 0,
  sources: [TOP],
  read: (texts) => ({ cpuPct: macCpuPct(texts.text(TOP)) }),
};

const POWER = command('power', 15, 'system_profiler', 'SPPowerDataType', '-json');
const AIRPORT = command('airport', 20, 'system_profiler', 'SPAirPortDataType', '-json');
const REPORTS: Source = {
  name: 'reports',
  command: [
    'sh',
    '-c',
    'ls /Library/Logs/DiagnosticReports /Users/*/Library/Logs/DiagnosticReports 2>/dev/null; exit 0',
  ],
};
const SNTP = command('sntp', 8, 'sntp', '-t', '3', 'time.apple.com');

export const macHourly: Probe = {
  name: 'hourly',
  everyS: HOURLY_S,
  sources: [POWER, AIRPORT, REPORTS, SNTP],
  read(texts, { now }) {
    const { crashes, hangs } = parseDiagnosticReports(texts.text(REPORTS));
    const since = new Date(now.getTime() - DAY_MS);
    const sntp = texts.find(SNTP);
    return {
      ...batteryItems(parsePowerData(texts.text(POWER))),
      ...wifiItems(parseAirPort(texts.text(AIRPORT))),
      appCrashes: faultItems(countFaults(crashes, since)),
      appHangs: faultItems(countFaults(hangs, since)),
      clockOffsetS: sntp ? parseSntp(sntp.text) : missing('the Mac has no sntp'),
    };
  },
};

const UPDATES = command('updates', 5, 'defaults', 'read', '/Library/Preferences/com.apple.SoftwareUpdate');
const HISTORY = command('history', 15, 'system_profiler', 'SPInstallHistoryDataType', '-json');
const NVME = command('nvme', 15, 'system_profiler', 'SPNVMeDataType', '-json');
const CAUSES = command(
  'causes',
  30,
  'log',
  'show',
  '--last',
  '24h',
  '--style',
  'syslog',
  '--predicate',
  'eventMessage CONTAINS "Previous shutdown cause"',
);
/** Panics are read again here, beside the causes that the log names. */
const PANICS: Source = { ...REPORTS, name: 'panics' };

export const macDaily: Probe = {
  name: 'daily',
  everyS: DAILY_S / 4,
  sources: [UPDATES, HISTORY, NVME, CAUSES, PANICS],
  read(texts, { now }) {
    const { updates, securityUpdates, checkedAt } = parseSoftwareUpdate(texts.text(UPDATES));
    return {
      updatesPending: updates,
      securityUpdatesPending: securityUpdates,
      updateAgeDays: updateAge(
        checkedAt,
        lastInstalled(entriesOf(texts.text(HISTORY), 'SPInstallHistoryDataType')),
        now,
      ),
      ...diskHealth(texts),
      unexpectedRestarts: restarts(texts, now),
    };
  },
};

function updateAge(checked: Reading<Date>, installed: Reading<Date>, now: Date): Reading<number> {
  const times = [checked, installed].flatMap((reading) => ('value' in reading ? [reading.value.getTime()] : []));
  return times.length === 0
    ? missing('Software Update notes neither a check nor an installation')
    : measured(Math.max(0, (now.getTime() - Math.max(...times)) / DAY_MS));
}

function diskHealth(texts: Texts): Pick<Collected, 'diskFailing' | 'diskWearPct'> {
  const wear = missing('macOS does not show the wear of its disk');
  const controllers = entriesOf(texts.text(NVME), 'SPNVMeDataType');
  if (controllers === null)
    return { diskFailing: missing('system_profiler gives no data of disks'), diskWearPct: wear };
  const disks = controllers.flatMap(({ _items }) => (Array.isArray(_items) ? _items : []));
  return {
    diskFailing: {
      items: disks.slice(0, 16).map((disk) => {
        const status = typeof disk?.smart_status === 'string' ? disk.smart_status : '';
        const item = String(disk?.device_model ?? disk?._name ?? 'disk').slice(0, 100);
        return status === ''
          ? { item, missing: 'the disk does not judge its own health' }
          : { item, value: status !== 'Verified' };
      }),
    },
    diskWearPct: wear,
  };
}

/** A panic leaves a report and a cause: what lies within ten minutes of each other is one restart. */
function restarts(texts: Texts, now: Date): Reading<number> {
  const { panics } = parseDiagnosticReports(texts.text(PANICS));
  const causes = parseShutdownCauses(texts.text(CAUSES)).map(({ at }) => at);
  const sinceMs = now.getTime() - DAY_MS;
  const times = [...panics, ...causes].map((at) => at.getTime()).filter((ms) => ms >= sinceMs);
  const sorted = times.sort((a, b) => a - b);
  return measured(sorted.filter((ms, index) => index === 0 || ms - (sorted[index - 1] ?? 0) > 10 * 60_000).length);
}
