/** Makes readings of what the PowerShell script found on a Windows machine. */
import { type ItemReading, measured, missing, type Reading } from '../../../domain/signals/reading.ts';
import { type Volume, volumeReadings } from '../../../domain/signals/volumes.ts';
import type { Counters } from '../counterHistory.ts';
import { hottest } from '../linux/heat.ts';
import { memoryUse } from '../linux/memory.ts';
import { type Battery, batteryCycles, batteryHealth, MAX_BATTERIES } from '../machine/batteries.ts';
import { batteryItems, faultItems, healthItems, wifiItems } from '../machine/items.ts';
import { carriesTraffic, isVpnName } from '../machine/links.ts';
import { countFaults, programName } from '../machine/programFaults.ts';
import { type Collected, measuredNumber } from '../readings.ts';
import { parseW32tm } from './clockOffset.ts';
import { dateOf, numberOf, type Row, textOf, type WindowsReport } from './report.ts';
import { parseNetshInterfaces } from './wireless.ts';

const DAY_MS = 24 * 3_600_000;

export interface WindowsContext {
  now: Date;
  services: readonly string[] | undefined;
}

/** Readings of the parts that ran. */
export function readWindows(report: WindowsReport, context: WindowsContext): Collected {
  return {
    ...(report.has('os') && readSystem(report, context)),
    ...(report.has('crashes') && readFaults(report, context.now)),
    ...(report.has('updates') && readCurrency(report, context.now)),
  };
}

/** What follows from a reading's value, or its reason. */
function andThen<A, B>(reading: Reading<A>, then: (value: A) => Reading<B>): Reading<B> {
  return 'missing' in reading ? reading : then(reading.value);
}

function readSystem(report: WindowsReport, { services }: WindowsContext): Collected {
  const os = report.row('os');
  const clock = report.row('clock');
  const wifi = report.row('wifi');
  return {
    cpuPct: andThen(report.row('cpu'), ({ busyPct }) =>
      measuredNumber(numberOf(busyPct), 'Windows reports no CPU use'),
    ),
    memoryPct: andThen(os, ({ memoryKb, freeKb }) =>
      memoryUse(numberOf(memoryKb) ?? 0, numberOf(freeKb) ?? undefined, 0, 0),
    ),
    commitPct: andThen(os, ({ commitLimitKb, commitFreeKb }) =>
      memoryUse(numberOf(commitLimitKb) ?? 0, numberOf(commitFreeKb) ?? undefined, 0, 0),
    ),
    bootedAt: andThen(os, ({ bootedAt }) => {
      const at = dateOf(bootedAt);
      return at ? measured(at) : missing('Windows reports no boot time');
    }),
    ...volumesOf(report),
    ...powerOf(report),
    ...heatOf(report),
    ...wifiItems(andThen(wifi, ({ text }) => measured(parseNetshInterfaces(textOf(text))))),
    vpnUp: vpnOf(report),
    servicesDown: servicesDown(report, services),
    rebootPending: andThen(report.row('reboot'), ({ servicing, update }) =>
      measured(servicing === true || update === true),
    ),
    clockOffsetS: andThen(clock, ({ text }) => parseW32tm(textOf(text))),
    logErrors: andThen(report.row('logErrors'), ({ count }) =>
      measuredNumber(numberOf(count), 'Windows counts no errors'),
    ),
  };
}

function volumesOf(report: WindowsReport): Collected {
  const rows = report.rows('volumes');
  if ('missing' in rows) return { diskPct: rows, diskFreeBytes: rows };
  return volumeReadings(rows.value.flatMap(filesystemOf));
}

/** Win32_LogicalDisk's kinds of drives. */
const MEDIA: Record<number, Volume['medium']> = { 2: 'removable', 3: 'fixed', 4: 'network', 5: 'optical', 6: 'memory' };

function filesystemOf({ volume, driveType, filesystem, sizeBytes, freeBytes }: Row): Volume[] {
  const size = numberOf(sizeBytes);
  const free = numberOf(freeBytes);
  if (size === null || free === null || size <= 0) return [];
  const type = textOf(filesystem) || 'NTFS';
  const medium = MEDIA[numberOf(driveType) ?? 0];
  return [{ mount: textOf(volume), type, medium, sizeBytes: size, freeBytes: free, availableBytes: free }];
}

function powerOf(report: WindowsReport): Collected {
  const rows = report.rows('battery');
  // Machines without a battery lack the classes altogether.
  if ('missing' in rows) {
    const none = missing('the machine has no battery, or its driver does not describe it');
    return { ...batteryItems(none), onBattery: none };
  }
  const batteries = rows.value.slice(0, MAX_BATTERIES).map(
    ({ name, full, design, cycles }, index): Battery => ({
      name: textOf(name).slice(0, 64) || `battery ${index}`,
      healthPct: batteryHealth(numberOf(full), numberOf(design)),
      cycles: batteryCycles(numberOf(cycles)),
    }),
  );
  const plugged = rows.value.map((row) => row.plugged).filter((value) => typeof value === 'boolean');
  return {
    ...batteryItems(measured(batteries)),
    onBattery: plugged.length === 0 ? missing('the machine has no battery') : measured(!plugged.includes(true)),
  };
}

function heatOf(report: WindowsReport): Collected {
  const rows = report.rows('thermal');
  if ('missing' in rows || rows.value.length === 0) {
    const none = missing("the machine's firmware names no thermal zone");
    return { temperatureC: none, throttleEvents: none };
  }
  const celsius = rows.value.flatMap(({ deciKelvin }) => {
    const tenths = numberOf(deciKelvin);
    return tenths === null ? [] : [tenths / 10 - 273.15];
  });
  const limited = rows.value.filter(({ passiveLimitPct }) => (numberOf(passiveLimitPct) ?? 100) < 100);
  return { temperatureC: hottest(celsius), throttleEvents: measured(limited.length) };
}

function vpnOf(report: WindowsReport): NonNullable<Collected['vpnUp']> {
  const rows = report.rows('adapters');
  if ('missing' in rows) return rows;
  return {
    items: rows.value.flatMap(({ name, description }): ItemReading<boolean>[] =>
      isVpnName(textOf(name)) || isVpnName(textOf(description))
        ? [{ item: textOf(name) || textOf(description), value: true }]
        : [],
    ),
  };
}

function servicesDown(report: WindowsReport, services: readonly string[] | undefined): Reading<string[]> {
  if (!services) return missing('list the services that should run in the options of this endpoint');
  return andThen(report.rows('services'), (rows) => {
    const running = new Set(
      rows.filter(({ state }) => state === 'Running').map(({ name }) => textOf(name).toLowerCase()),
    );
    return measured(services.filter((service) => !running.has(service.toLowerCase())));
  });
}

/** Event 41: the machine started without a shutdown before; 1001: a bug check; 6008: the same, told by the event log. */
const SAME_RESTART_MS = 10 * 60_000;

function readFaults(report: WindowsReport, now: Date): Collected {
  const since = new Date(now.getTime() - DAY_MS);
  const faultsOf = (name: string): NonNullable<Collected['appCrashes']> => {
    const rows = report.rows(name);
    if ('missing' in rows) return rows;
    const faults = rows.value.flatMap(({ program, at }) => {
      const when = dateOf(at);
      return when ? [{ program: programName(textOf(program)), at: when }] : [];
    });
    return faultItems(countFaults(faults, since));
  };
  return {
    appCrashes: faultsOf('crashes'),
    appHangs: faultsOf('hangs'),
    unexpectedRestarts: andThen(report.rows('restarts'), (rows) => {
      const times = rows.flatMap(({ at }) => dateOf(at) ?? []).filter((at) => at >= since);
      const sorted = times.map((at) => at.getTime()).sort((a, b) => a - b);
      // One restart leaves up to three events within minutes.
      return measured(
        sorted.filter((at, index) => index === 0 || at - (sorted[index - 1] ?? 0) > SAME_RESTART_MS).length,
      );
    }),
    bootDurationS: andThen(report.row('boot'), ({ bootMs }) => {
      const milliseconds = numberOf(bootMs);
      return milliseconds && milliseconds > 0
        ? measured(milliseconds / 1000)
        : missing('Windows has not timed a start yet, as after a fast start or while the performance log is off');
    }),
    ...diskHealthOf(report),
  };
}

function diskHealthOf(report: WindowsReport): Collected {
  const rows = report.rows('diskHealth');
  if ('missing' in rows) return healthItems(rows);
  return healthItems(
    measured(
      rows.value.slice(0, 32).map(({ disk, health, wearPct }) => ({
        disk: textOf(disk).slice(0, 100) || 'disk',
        failing:
          health === 'Unhealthy' || health === 'Warning' || health === 'Healthy'
            ? measured(health !== 'Healthy')
            : missing('Windows does not know the health of this disk'),
        evidence: [],
        wearPct: measuredNumber(
          numberOf(wearPct),
          'the disk does not report its wear, or this login is no administrator',
        ),
      })),
    ),
  );
}

function readCurrency(report: WindowsReport, now: Date): Collected {
  const updates = report.row('updates');
  return {
    updatesPending: andThen(updates, (row) => measuredNumber(numberOf(row.updates), 'Windows Update gives no number')),
    securityUpdatesPending: andThen(updates, (row) =>
      measuredNumber(numberOf(row.securityUpdates), 'Windows Update gives no number'),
    ),
    updateAgeDays: andThen(updates, ({ lastInstalledAt }) => {
      const at = dateOf(lastInstalledAt);
      return at
        ? measured(Math.max(0, (now.getTime() - at.getTime()) / DAY_MS))
        : missing('Windows Update has no history of installed updates');
    }),
  };
}

const TICKS_100NS_PER_S = 1e7;

/** Counters since boot: disks and links. */
export function windowsCounters(report: WindowsReport): Counters {
  const counters: Counters = new Map();
  const disks = report.rows('diskActivity');
  for (const { disk, requests, requestTicks, ticksPerS, idle100ns, total100ns } of 'value' in disks
    ? disks.value
    : []) {
    const [count, ticks, perS, idle, total] = [requests, requestTicks, ticksPerS, idle100ns, total100ns].map(numberOf);
    if (count === null || count === undefined || !ticks || !perS || counters.size > 200) continue;
    const name = textOf(disk);
    counters.set(`disk.requests\t${name}`, count).set(`disk.requestTime\t${name}`, ticks / perS);
    if (idle != null && total != null) counters.set(`disk.busyTime\t${name}`, (total - idle) / TICKS_100NS_PER_S);
  }
  const links = report.rows('links');
  for (const { link, errors } of 'value' in links ? links.value : []) {
    const count = numberOf(errors);
    if (count !== null && carriesTraffic(textOf(link))) counters.set(`link.errors\t${textOf(link)}`, count);
  }
  return counters;
}
