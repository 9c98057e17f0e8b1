/** Machines that live through days and nights with the noise that real ones have: work hours, spikes, restarts, gaps and missing sensors. */
import type { ScanRecord } from '../../../src/domain/diagnosis/machineHistory.ts';
import { PERSONAS, type Persona } from '../../../src/domain/fleet/endpoint.ts';
import { declarationOf, SIGNAL_NAMES, type SignalName } from '../../../src/domain/signals/catalogue.ts';
import type { OsPlatform } from '../../../src/domain/signals/declaration.ts';
import type { AnyReading, Readings } from '../../../src/domain/signals/reading.ts';
import { sanitised, snapshotOf } from '../../../src/domain/signals/telemetry.ts';
import type { Draw } from './random.ts';

export const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** What one scan reads, before it becomes readings: numbers, flags, names, shares and programs. */
export interface Values {
  numbers: Partial<Record<SignalName, number>>;
  flags: Partial<Record<SignalName, boolean>>;
  names: Partial<Record<SignalName, string[]>>;
  dns: { count: number; of: number };
  bootedAtMs: number;
  programs: { cpu: Record<string, number>; memory: Record<string, number> };
  crashes: Record<string, number>;
  hangs: Record<string, number>;
}

export interface Machine {
  hostname: string;
  os: OsPlatform;
  persona: Persona;
  tags: Record<string, string>;
  hasWifi: boolean;
  hasVpn: boolean;
  hasBattery: boolean;
  isVirtual: boolean;
  missing: ReadonlySet<SignalName>;
  base: Record<
    'cpu' | 'memory' | 'disk' | 'latency' | 'gateway' | 'internet' | 'dns' | 'wifi' | 'heat' | 'errors' | 'boot',
    number
  >;
  timeZoneHours: number;
}

/** Changes what a scan reads. @param hours since the cause began */
export type Injection = (values: Values, hours: number, draw: Draw, machine: Machine) => void;

const SOMETIMES_MISSING: readonly SignalName[] = [
  'temperatureC',
  'throttleEvents',
  'diskFailing',
  'diskWearPct',
  'diskBusyPct',
  'batteryCycles',
  'bootDurationS',
  'wifiRateMbps',
  'gatewayJitterMs',
  'internetJitterMs',
  'updateAgeDays',
  'clockOffsetS',
  'jitterMs',
  'swapPagesPerS',
];
const MODELS = ['T14', 'X1', 'Latitude-7440', 'MBP-14'];
const SITES = ['Berlin', 'Lyon', 'Osaka', 'home'];

/** @param keep signals that the scenario needs to be measured */
export function machineOf(
  draw: Draw,
  hostname: string,
  os: OsPlatform,
  more: Partial<Machine> & { keep?: readonly SignalName[] } = {},
): Machine {
  const { keep = [], ...rest } = more;
  const missing = new Set(SOMETIMES_MISSING.filter((name) => !keep.includes(name) && draw.chance(0.15)));
  return {
    hostname,
    os,
    persona: draw.pick(PERSONAS),
    tags: { model: draw.pick(MODELS), site: draw.pick(SITES) },
    hasWifi: draw.chance(0.6),
    hasVpn: draw.chance(0.4),
    hasBattery: draw.chance(0.7),
    isVirtual: draw.chance(0.1),
    missing,
    base: {
      cpu: draw.between(4, 22),
      memory: draw.between(35, 68),
      disk: draw.between(30, 78),
      latency: draw.between(2, 30),
      gateway: draw.between(1, 5),
      internet: draw.between(8, 40),
      dns: draw.between(5, 40),
      wifi: draw.between(-62, -42),
      heat: draw.between(42, 62),
      errors: draw.between(0, 12),
      boot: draw.between(18, 70),
    },
    timeZoneHours: draw.pick([-5, 0, 1, 9]),
    ...rest,
  };
}

/** How busy people are at this hour of their day, 0–1. */
function busyness(atMs: number, timeZoneHours: number): number {
  const local = new Date(atMs + timeZoneHours * HOUR_MS);
  const hour = local.getUTCHours() + local.getUTCMinutes() / 60;
  const isWeekend = [0, 6].includes(local.getUTCDay());
  const work = Math.exp(-(((hour - 10.5) / 2.2) ** 2)) + Math.exp(-(((hour - 15) / 2.4) ** 2));
  return (isWeekend ? 0.15 : 1) * Math.min(1, work);
}

/** One scan of a machine with nothing wrong. `days` is its age, by which its disk has grown. */
function healthyValues(machine: Machine, atMs: number, bootedAtMs: number, draw: Draw): Values {
  const { base } = machine;
  const busy = busyness(atMs, machine.timeZoneHours);
  const spiky = draw.chance(0.03 + 0.05 * busy);
  const cpu = Math.min(
    100,
    base.cpu + 25 * busy * draw() + Math.abs(draw.normal()) * 4 + (spiky ? draw.between(20, 75) : 0),
  );
  const memory = Math.min(93, base.memory + 12 * busy + draw.normal() * 2);
  const lag = Math.exp(0.25 * draw.normal()) * (draw.chance(0.02) ? draw.between(3, 12) : 1);
  const lossy = draw.chance(0.02) ? draw.pick([10, 20]) : 0;
  const io = Math.abs(draw.normal()) * 2 + (draw.chance(0.03) ? draw.between(10, 40) : 0);
  const browser = Math.min(memory * 0.45, 8 + 10 * busy + Math.abs(draw.normal()) * 2);
  const signal = base.wifi + draw.normal() * 3;
  const dayOfYear = atMs / DAY_MS;
  return {
    numbers: {
      cpuPct: cpu,
      iowaitPct: io,
      stealPct: machine.isVirtual ? Math.abs(draw.normal()) : 0,
      cpuPressurePct: Math.min(90, cpu * 0.2 + Math.abs(draw.normal()) * 2),
      memoryPct: memory,
      memoryPressurePct: Math.abs(draw.normal()) * 0.8,
      commitPct: Math.min(85, memory * 0.8 + draw.normal() * 2),
      swapPct: Math.max(0, 8 + draw.normal() * 4),
      swapPagesPerS: Math.max(0, draw.normal() * 15),
      diskPct: base.disk + 0.02 * (dayOfYear % 30) + draw.normal() * 0.1,
      diskFreeBytes: Math.round(5e9 * (100 - base.disk)),
      bootPct: 45,
      inodesPct: base.disk / 4 + draw.normal() * 0.1,
      ioPressurePct: io * 0.8,
      diskLatencyMs: Math.max(0.3, 3 + draw.normal() * 1.2 + (draw.chance(0.02) ? draw.between(20, 90) : 0)),
      diskBusyPct: Math.min(100, 4 + io * 2),
      diskWearPct: 12,
      batteryHealthPct: 88,
      batteryCycles: 240,
      temperatureC: base.heat + cpu * 0.25 + draw.normal() * 2,
      throttleEvents: 0,
      latencyMs: base.latency * lag,
      packetLossPct: lossy,
      jitterMs: base.latency * 0.2 * lag,
      gatewayLatencyMs: base.gateway * Math.exp(0.3 * draw.normal()),
      gatewayJitterMs: Math.abs(draw.normal()) * 1.2,
      gatewayLossPct: draw.chance(0.01) ? 10 : 0,
      internetLatencyMs: base.internet * lag,
      internetJitterMs: base.internet * 0.15 * lag,
      internetLossPct: draw.chance(0.02) ? 10 : 0,
      dnsMs: base.dns * Math.exp(0.35 * draw.normal()),
      wifiSignalDbm: signal,
      wifiRateMbps: Math.max(20, 12 * (signal + 80) + draw.normal() * 30),
      linkErrorsPerMin: draw.chance(0.03) ? draw.between(1, 8) : 0,
      logErrors: Math.max(
        0,
        base.errors + draw.normal() * Math.sqrt(base.errors + 1) + (draw.chance(0.02) ? draw.between(10, 60) : 0),
      ),
      rebootPendingDays: 0,
      bootDurationS: base.boot,
      unexpectedRestarts: 0,
      updatesPending: Math.floor((dayOfYear % 7) * 1.5),
      securityUpdatesPending: Math.floor((dayOfYear % 7) * 0.6),
      updateAgeDays: dayOfYear % 7,
      clockOffsetS: draw.normal() * 0.02,
    },
    flags: {
      diskFailing: false,
      onBattery: machine.hasBattery && draw.chance(0.15),
      vpnUp: machine.hasVpn && busy > 0.1,
      rebootPending: false,
    },
    names: { servicesDown: [], jobsFailed: [], readOnlyMounts: [] },
    dns: { count: draw.chance(0.01) ? 1 : 0, of: 4 },
    bootedAtMs,
    programs: {
      cpu: { browser: cpu * draw.between(0.2, 0.5), mail: cpu * 0.1, indexer: cpu * 0.05 },
      memory: { browser, chat: 5 + draw.normal() * 0.5, mail: 4 },
    },
    crashes: draw.chance(0.01) ? { mail: 1 } : {},
    hangs: {},
  };
}

export interface Life {
  /** When the last scan is. */
  nowMs: number;
  days: number;
  intervalMinutes: number;
  /** What goes wrong, and how many hours ago it began. */
  cause?: { inject: Injection; hoursAgo: number };
}

/** Every scan of a machine's last days, oldest first. */
export function liveThrough(machine: Machine, { nowMs, days, intervalMinutes, cause }: Life, draw: Draw): ScanRecord[] {
  const scans: ScanRecord[] = [];
  const step = intervalMinutes * 60_000;
  let bootedAtMs = nowMs - days * DAY_MS - DAY_MS;
  for (let atMs = nowMs - days * DAY_MS; atMs <= nowMs; atMs += step) {
    // Once in a while it is restarted, and once in a while it misses a scan.
    if (draw.chance(0.25 / (DAY_MS / step))) bootedAtMs = atMs - 60_000;
    if (atMs < nowMs && draw.chance(0.03)) continue;
    const values = healthyValues(machine, atMs, bootedAtMs, draw);
    const hours = cause ? cause.hoursAgo - (nowMs - atMs) / HOUR_MS : -1;
    if (cause && hours >= 0) cause.inject(values, hours, draw, machine);
    scans.push(recordOf(machine, values, atMs));
  }
  return scans;
}

const ITEMS: Partial<Record<SignalName, string>> = {
  diskPct: '/',
  diskFreeBytes: '/',
  bootPct: '/boot',
  inodesPct: '/',
  diskLatencyMs: 'nvme0',
  diskBusyPct: 'nvme0',
  diskFailing: 'nvme0',
  diskWearPct: 'nvme0',
  batteryHealthPct: 'BAT0',
  batteryCycles: 'BAT0',
  wifiSignalDbm: 'wlan0',
  wifiRateMbps: 'wlan0',
  linkErrorsPerMin: 'eth0',
  vpnUp: 'tun0',
};

function recordOf(machine: Machine, values: Values, atMs: number): ScanRecord {
  const given: Partial<Record<SignalName, AnyReading>> = {};
  for (const name of SIGNAL_NAMES) {
    if (!isThere(machine, name)) continue;
    const value = readOf(values, name);
    const item = ITEMS[name];
    if (value !== undefined) given[name] = item === undefined ? { value } : { items: [{ item, value }] };
  }
  const items = (of: Record<string, number>) => ({
    items: Object.entries(of)
      .sort((a, b) => b[1] - a[1])
      .slice(0, 5)
      .map(([item, value]) => ({ item, value: Math.min(100, Math.max(0, value)) })),
  });
  given.topCpuPct = items(values.programs.cpu);
  given.topMemoryPct = items(values.programs.memory);
  given.appCrashes = items(values.crashes);
  if (isThere(machine, 'appHangs')) given.appHangs = items(values.hangs);
  const target = {
    hostname: machine.hostname,
    ipAddress: null,
    osPlatform: machine.os,
    collector: 'push' as const,
    options: {},
  };
  return sanitised(snapshotOf(target, new Date(atMs), 20, given as Partial<Readings>));
}

const ONLY_LINUX: readonly SignalName[] = ['stealPct'];

function isThere({ os, hasWifi, hasVpn, hasBattery, isVirtual, missing }: Machine, name: SignalName): boolean {
  if (!declarationOf(name).platforms.includes(os) || missing.has(name)) return false;
  if (name.startsWith('wifi')) return hasWifi;
  if (name.startsWith('battery') || name === 'onBattery') return hasBattery;
  if (name === 'vpnUp') return hasVpn;
  return !ONLY_LINUX.includes(name) || isVirtual || os === 'linux';
}

function readOf(
  values: Values,
  name: SignalName,
): number | boolean | string[] | Date | { count: number; of: number } | undefined {
  if (name === 'dnsFailures') return values.dns;
  if (name === 'bootedAt') return new Date(values.bootedAtMs);
  return values.numbers[name] ?? values.flags[name] ?? values.names[name];
}
