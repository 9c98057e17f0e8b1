/** What every scan of a Linux machine reads: small files of the kernel, and systemd's list of units. */
import { measured, missing } from '../../../domain/signals/reading.ts';
import type { Counters } from '../counterHistory.ts';
import { batteryItems, wifiItems } from '../machine/items.ts';
import { parseProcNetDev } from '../machine/links.ts';
import { type Collected, measuredTimestamp } from '../readings.ts';
import type { Probe } from '../sources/probe.ts';
import type { Source, Texts } from '../sources/source.ts';
import { LIST_UNITS_ARGS, ONE_SHOT_ARGS, parseOneShots, parseUnits, unitReadings } from '../systemdUnits.ts';
import { parseDiskstats } from './diskActivity.ts';
import { readTemperature, throttleCount } from './heat.ts';
import { readLinuxMemory } from './memory.ts';
import { readPowerSupplies } from './power.ts';
import { NO_PRESSURE, parsePressureTotal } from './pressure.ts';
import { parseBootTime, parseProcStat } from './processor.ts';
import { linkStates } from './vpn.ts';
import { mergeWifi, parseIwLinks, parseNmcliWifi, parseProcWireless } from './wireless.ts';

const file = (name: string, ...files: string[]): Source => ({ name, files });
const files = (name: string, ...patterns: string[]): Source => ({ name, files: patterns, withPaths: true });

const STAT = file('stat', '/proc/stat');
const MEMINFO = file('meminfo', '/proc/meminfo');
const ARC = file('arc', '/proc/spl/kstat/zfs/arcstats');
const PRESSURE_CPU = file('pressureCpu', '/proc/pressure/cpu');
const PRESSURE_MEMORY = file('pressureMemory', '/proc/pressure/memory');
const PRESSURE_IO = file('pressureIo', '/proc/pressure/io');
const VMSTAT = file('vmstat', '/proc/vmstat');
const DISKSTATS = file('diskstats', '/proc/diskstats');
const NET_DEV = file('netDev', '/proc/net/dev');
const WIRELESS = file('wireless', '/proc/net/wireless');
const LINK_STATES = files('linkStates', '/sys/class/net/*/operstate');
const POWER = files('power', '/sys/class/power_supply/*/uevent');
const ZONES = files('zones', '/sys/class/thermal/thermal_zone*/temp');
const SENSORS = files('sensors', '/sys/class/hwmon/hwmon*/name', '/sys/class/hwmon/hwmon*/temp*_input');
const THROTTLE = files('throttle', '/sys/devices/system/cpu/cpu*/thermal_throttle/*_throttle_count');
const UNITS: Source = { name: 'units', command: ['systemctl', ...LIST_UNITS_ARGS] };
const ONE_SHOTS: Source = { name: 'oneShots', command: ['systemctl', ...ONE_SHOT_ARGS] };
/** `iw` wants a device's name, so a constant script goes over those that have a radio; NetworkManager where there is no `iw`. */
const IW: Source = {
  name: 'iw',
  command: [
    'sh',
    '-c',
    'ls -d /sys/class/net/*/phy80211 >/dev/null 2>&1 || exit 0; if command -v iw >/dev/null; then cd /sys/class/net && for device in *; do [ -e "$device/phy80211" ] && echo "@$device" && iw dev "$device" link; done; else nmcli -t -f ACTIVE,DEVICE,SIGNAL,RATE device wifi list --rescan no; fi',
  ],
};

export const linuxVitals: Probe = {
  name: 'vitals',
  everyS: 0,
  sources: [
    STAT,
    MEMINFO,
    ARC,
    PRESSURE_CPU,
    PRESSURE_MEMORY,
    PRESSURE_IO,
    VMSTAT,
    DISKSTATS,
    NET_DEV,
    WIRELESS,
  ].concat([LINK_STATES, POWER, ZONES, SENSORS, THROTTLE, UNITS, ONE_SHOTS, IW]),
  read: (texts, { services }) => ({
    ...readLinuxMemory(texts.text(MEMINFO), texts.text(ARC)),
    bootedAt: measuredTimestamp(parseBootTime(texts.text(STAT)), 'the machine reports no boot time'),
    temperatureC: readTemperature(texts.text(ZONES), texts.text(SENSORS)),
    throttleEvents: missing('this processor does not count how often it is throttled'),
    ...pressureReasons(texts),
    ...powerReadings(texts),
    ...wifiReadings(texts),
    vpnUp: linkStates(texts.text(LINK_STATES)),
    ...unitReadings(parseUnits(texts.text(UNITS)), parseOneShots(texts.text(ONE_SHOTS)), services),
  }),
  counters: readCounters,
};

/** Without pressure files there is nothing to count; the figures then say why. */
function pressureReasons(texts: Texts): Collected {
  if (texts.text(PRESSURE_CPU) !== '') return {};
  const none = missing(NO_PRESSURE);
  return { cpuPressurePct: none, memoryPressurePct: none, ioPressurePct: none };
}

function powerReadings(texts: Texts): Collected {
  const { batteries, onBattery } = readPowerSupplies(texts.text(POWER));
  return { onBattery, ...batteryItems(measured(batteries)) };
}

const wifiReadings = (texts: Texts): Collected =>
  wifiItems(
    measured(
      mergeWifi(parseProcWireless(texts.text(WIRELESS)), parseIwLinks(texts.text(IW)), parseNmcliWifi(texts.text(IW))),
    ),
  );

function readCounters(texts: Texts): Counters {
  const counters: Counters = new Map();
  const times = parseProcStat(texts.text(STAT));
  if (times) {
    counters.set('cpu.idle', times.idleS).set('cpu.total', times.totalS);
    counters.set('cpu.iowait', times.iowaitS).set('cpu.steal', times.stealS);
  }
  const pressures = [
    ['pressure.cpu', PRESSURE_CPU],
    ['pressure.memory', PRESSURE_MEMORY],
    ['pressure.io', PRESSURE_IO],
  ] as const;
  for (const [name, source] of pressures) {
    const micros = parsePressureTotal(texts.text(source));
    if (micros !== null) counters.set(name, micros / 1e6);
  }
  const [, pagesIn] = /^pswpin (\d+)$/m.exec(texts.text(VMSTAT)) ?? [];
  const [, pagesOut] = /^pswpout (\d+)$/m.exec(texts.text(VMSTAT)) ?? [];
  if (pagesIn && pagesOut) counters.set('swap.pages', Number(pagesIn) + Number(pagesOut));
  const throttled = throttleCount(texts.text(THROTTLE));
  if (throttled !== null) counters.set('throttled', throttled);
  for (const [disk, { requests, requestMs, busyMs }] of parseDiskstats(texts.text(DISKSTATS))) {
    counters.set(`disk.requests\t${disk}`, requests);
    counters.set(`disk.requestTime\t${disk}`, requestMs / 1000).set(`disk.busyTime\t${disk}`, busyMs / 1000);
  }
  for (const [link, { errors }] of parseProcNetDev(texts.text(NET_DEV))) counters.set(`link.errors\t${link}`, errors);
  return counters;
}
