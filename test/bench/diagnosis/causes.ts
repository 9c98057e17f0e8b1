/** Things that go wrong on machines, each with what it does to the signals: what a diagnosis has to find again. */
import type { SignalName } from '../../../src/domain/signals/catalogue.ts';
import type { OsPlatform } from '../../../src/domain/signals/declaration.ts';
import type { Injection, Machine, Values } from './machine.ts';

export interface InjectedCause {
  name: string;
  /** The declared causes that are right; most have one. */
  right: readonly string[];
  inject: Injection;
  os?: readonly OsPlatform[];
  machine?: Partial<Machine>;
  keep?: readonly SignalName[];
  /** How many hours ago it may have begun. */
  hoursAgo: readonly [number, number];
}

const add = (values: Values, name: SignalName, by: number, most = 100) => {
  values.numbers[name] = Math.min(most, (values.numbers[name] ?? 0) + by);
};
const atLeast = (values: Values, name: SignalName, least: number) => {
  values.numbers[name] = Math.max(values.numbers[name] ?? 0, least);
};
/** A loss that shows as whole probes of ten. */
const lose = (values: Values, share: number, ...names: SignalName[]) => {
  for (const name of names) values.numbers[name] = share;
};

const cpuHog =
  (program: string, share: number): Injection =>
  (v, _h, draw) => {
    atLeast(v, 'cpuPct', share + draw.normal() * 3);
    v.programs.cpu[program] = share - 6 + draw.normal() * 3;
    atLeast(v, 'cpuPressurePct', 35 + draw.normal() * 6);
    add(v, 'temperatureC', 15, 94);
  };
const memoryHog =
  (program: string, share: number): Injection =>
  (v, _h, draw) => {
    atLeast(v, 'memoryPct', 93 + draw.normal() * 1.5);
    atLeast(v, 'commitPct', 91 + draw.normal());
    v.programs.memory[program] = share + draw.normal() * 2;
    add(v, 'swapPct', 35, 99);
    add(v, 'swapPagesPerS', 350 + 80 * draw.normal(), 1e6);
    add(v, 'memoryPressurePct', 18 + 4 * draw.normal());
  };
const leak =
  (program: string, perHour: number): Injection =>
  (v, hours, draw) => {
    const grown = perHour * hours;
    v.numbers.memoryPct = Math.min(97, (v.numbers.memoryPct ?? 0) + grown);
    v.programs.memory[program] = Math.min(70, 6 + grown + draw.normal());
    if ((v.numbers.memoryPct ?? 0) > 92) add(v, 'swapPagesPerS', 200 + 40 * draw.normal(), 1e6);
  };
const slowDisk =
  (factor: number): Injection =>
  (v, _h, draw) => {
    v.numbers.diskLatencyMs = factor * (3 + Math.abs(draw.normal()));
    atLeast(v, 'iowaitPct', 30 + 6 * draw.normal());
    atLeast(v, 'diskBusyPct', 97 + draw.normal());
    atLeast(v, 'ioPressurePct', 35 + 6 * draw.normal());
  };
const lanTrouble =
  (ms: number, loss: number): Injection =>
  (v, _h, draw) => {
    add(v, 'gatewayLatencyMs', ms * Math.exp(0.3 * draw.normal()), 1e5);
    add(v, 'gatewayJitterMs', ms / 2, 1e5);
    for (const name of ['latencyMs', 'internetLatencyMs'] as const)
      add(v, name, ms * Math.exp(0.3 * draw.normal()), 1e5);
    for (const name of ['jitterMs', 'internetJitterMs'] as const) add(v, name, ms / 2, 1e5);
    if (loss > 0) lose(v, Math.max(0, loss + draw.normal() * 3), 'gatewayLossPct', 'packetLossPct', 'internetLossPct');
  };

export const INJECTED: readonly InjectedCause[] = [
  { name: 'a browser tab runs wild', right: ['program_uses_cpu'], inject: cpuHog('browser', 96), hoursAgo: [1, 30] },
  {
    name: 'a new agent uses all cores',
    right: ['program_uses_cpu'],
    inject: cpuHog('edr-agent', 90),
    hoursAgo: [1, 60],
  },
  {
    name: 'a virus scan runs',
    right: ['program_uses_cpu'],
    inject: (v, h, draw, m) => {
      cpuHog('av-scan', 85)(v, h, draw, m);
      atLeast(v, 'diskBusyPct', 92);
      add(v, 'diskLatencyMs', 30, 1e4);
    },
    hoursAgo: [1, 5],
  },
  {
    name: 'a build server load without one large program',
    right: ['processor_overloaded'],
    inject: (v, _h, draw) => {
      atLeast(v, 'cpuPct', 95 + draw.normal());
      atLeast(v, 'cpuPressurePct', 65 + 5 * draw.normal());
      v.programs.cpu = { cc1: 9, cc2: 9, ld: 8, make: 3, sh: 2 };
    },
    hoursAgo: [1, 10],
  },
  {
    name: 'a search indexer after an update',
    right: ['program_uses_cpu'],
    inject: (v, h, draw, m) => {
      v.numbers.updatesPending = 0;
      v.numbers.updateAgeDays = 0.1;
      cpuHog('indexer', 82)(v, h, draw, m);
    },
    hoursAgo: [2, 12],
  },
  {
    name: 'noisy neighbours of a virtual desktop',
    right: ['host_overloaded'],
    inject: (v, _h, draw) => {
      v.numbers.stealPct = 38 + 5 * draw.normal();
      add(v, 'cpuPressurePct', 40);
    },
    os: ['linux'],
    machine: { isVirtual: true },
    hoursAgo: [1, 40],
  },
  {
    name: 'a fan full of dust',
    right: ['overheating'],
    inject: (v, _h, draw) => {
      v.numbers.temperatureC = 97 + draw.normal();
      v.numbers.throttleEvents = Math.max(0, Math.round(14 + 4 * draw.normal()));
      add(v, 'cpuPct', 30);
    },
    keep: ['temperatureC', 'throttleEvents'],
    hoursAgo: [2, 100],
  },
  {
    name: 'heat that shuts it down',
    right: ['overheating'],
    inject: (v, h, draw) => {
      v.numbers.temperatureC = 99 + draw.normal();
      v.numbers.throttleEvents = 22;
      v.numbers.unexpectedRestarts = 1 + Math.min(2, Math.floor(h / 6));
    },
    keep: ['temperatureC', 'throttleEvents'],
    hoursAgo: [2, 20],
  },
  { name: 'a leak over a day', right: ['memory_leak'], inject: leak('teams', 1.8), hoursAgo: [24, 36] },
  { name: 'a fast leak', right: ['memory_leak'], inject: leak('node', 5), hoursAgo: [8, 12] },
  { name: 'a leak over days', right: ['memory_leak'], inject: leak('outlook', 0.6), hoursAgo: [72, 96] },
  {
    name: 'a program that opens a huge file',
    right: ['program_uses_memory'],
    inject: memoryHog('excel', 55),
    hoursAgo: [1, 8],
  },
  {
    name: 'a virtual machine started on a laptop',
    right: ['program_uses_memory'],
    inject: memoryHog('vmware-vmx', 48),
    hoursAgo: [1, 30],
  },
  {
    name: 'too many programs for the memory',
    right: ['memory_full'],
    inject: (v, _h, draw) => {
      atLeast(v, 'memoryPct', 96 + draw.normal() * 0.5);
      add(v, 'swapPct', 50, 97);
      add(v, 'swapPagesPerS', 500 + 90 * draw.normal(), 1e6);
      atLeast(v, 'memoryPressurePct', 25 + 3 * draw.normal());
      add(v, 'iowaitPct', 12);
      v.programs.memory = { a: 14, b: 13, c: 12, d: 11, e: 11 };
    },
    hoursAgo: [1, 12],
  },
  {
    name: 'the page file is too small',
    right: ['commit_limit'],
    inject: (v, _h, draw) => {
      v.numbers.commitPct = 97 + draw.normal() * 0.5;
    },
    os: ['windows'],
    hoursAgo: [1, 20],
  },
  {
    name: 'swap that fills',
    right: ['swapping'],
    inject: (v, _h, draw) => {
      v.numbers.swapPct = 96 + draw.normal();
      v.numbers.swapPagesPerS = 1500 + 200 * draw.normal();
      add(v, 'iowaitPct', 15);
    },
    keep: ['swapPagesPerS'],
    hoursAgo: [1, 20],
  },
  {
    name: 'a disk full of downloads',
    right: ['disk_full'],
    inject: (v, hours) => {
      v.numbers.diskPct = Math.min(98, (v.numbers.diskPct ?? 0) + hours * 4);
      v.numbers.diskFreeBytes = 4e9;
    },
    hoursAgo: [16, 40],
  },
  {
    name: 'a log that fills the disk at once',
    right: ['disk_full'],
    inject: (v, _h, draw) => {
      v.numbers.diskPct = 99;
      v.numbers.diskFreeBytes = 1e9;
      v.names.servicesDown = ['database.service'];
      v.numbers.logErrors = 90 + 10 * draw.normal();
    },
    hoursAgo: [1, 12],
  },
  {
    name: 'a cache of small files',
    right: ['inodes_exhausted'],
    inject: (v) => {
      v.numbers.inodesPct = 98;
      v.numbers.logErrors = 70;
    },
    os: ['linux'],
    hoursAgo: [1, 30],
  },
  {
    name: 'old kernels in /boot',
    right: ['boot_partition_full'],
    inject: (v) => {
      v.numbers.bootPct = 96;
    },
    os: ['linux'],
    hoursAgo: [4, 60],
  },
  {
    name: 'a volume that became read-only',
    right: ['volume_read_only'],
    inject: (v, _h, draw) => {
      v.names.readOnlyMounts = ['/home'];
      v.numbers.logErrors = 120 + 20 * draw.normal();
      v.crashes = { editor: 3 };
    },
    os: ['linux', 'macos'],
    hoursAgo: [1, 20],
  },
  {
    name: 'a dying disk',
    right: ['disk_failing'],
    inject: (v, h, draw, m) => {
      v.flags.diskFailing = true;
      slowDisk(40)(v, h, draw, m);
      v.numbers.logErrors = 60 + 10 * draw.normal();
    },
    keep: ['diskFailing'],
    hoursAgo: [2, 60],
  },
  { name: 'a slow disk', right: ['disk_slow'], inject: slowDisk(45), hoursAgo: [1, 40] },
  {
    name: 'a disk kept busy by a backup',
    right: ['disk_slow'],
    inject: (v, _h, draw) => {
      atLeast(v, 'diskBusyPct', 99);
      v.numbers.diskLatencyMs = 60 + 10 * draw.normal();
      atLeast(v, 'iowaitPct', 28);
    },
    keep: ['diskBusyPct'],
    hoursAgo: [1, 6],
  },
  {
    name: 'a worn out disk',
    right: ['disk_worn_out'],
    inject: (v) => {
      v.numbers.diskWearPct = 99;
    },
    keep: ['diskWearPct'],
    hoursAgo: [10, 100],
  },
  {
    name: 'a worn battery',
    right: ['battery_worn'],
    inject: (v) => {
      v.numbers.batteryHealthPct = 44;
    },
    machine: { hasBattery: true },
    hoursAgo: [10, 100],
  },
  {
    name: 'far from the access point',
    right: ['wifi_weak'],
    inject: (v, h, draw, m) => {
      v.numbers.wifiSignalDbm = -80 + 2 * draw.normal();
      v.numbers.wifiRateMbps = 10 + 3 * draw.normal();
      lanTrouble(60, 8)(v, h, draw, m);
    },
    machine: { hasWifi: true },
    hoursAgo: [1, 12],
  },
  {
    name: 'a crowded radio channel',
    right: ['wifi_slow', 'local_network'],
    inject: (v, h, draw, m) => {
      v.numbers.wifiRateMbps = 9 + 2 * draw.normal();
      lanTrouble(45, 3)(v, h, draw, m);
    },
    machine: { hasWifi: true },
    keep: ['wifiRateMbps'],
    hoursAgo: [1, 12],
  },
  {
    name: 'a broken cable',
    right: ['link_faulty'],
    inject: (v, h, draw, m) => {
      v.numbers.linkErrorsPerMin = 400 + 60 * draw.normal();
      lanTrouble(25, 10)(v, h, draw, m);
    },
    hoursAgo: [1, 40],
  },
  {
    name: 'an overloaded router at home',
    right: ['local_network'],
    inject: lanTrouble(90, 0),
    keep: ['gatewayJitterMs'],
    hoursAgo: [1, 12],
  },
  { name: 'packet loss to the gateway', right: ['local_network'], inject: lanTrouble(10, 25), hoursAgo: [1, 20] },
  {
    name: 'a line that is down by half',
    right: ['internet_line'],
    inject: (v, _h, draw) => {
      add(v, 'internetLatencyMs', 250 + 40 * draw.normal(), 1e5);
      add(v, 'internetJitterMs', 60, 1e5);
      lose(v, 12, 'internetLossPct');
      add(v, 'dnsMs', 150, 1e5);
    },
    hoursAgo: [1, 20],
  },
  {
    name: 'an internet outage',
    right: ['internet_line'],
    inject: (v) => {
      lose(v, 100, 'internetLossPct');
      v.dns = { count: 3, of: 4 };
    },
    hoursAgo: [0.5, 5],
  },
  {
    name: 'a slow VPN',
    right: ['path_to_company'],
    inject: (v, _h, draw) => {
      add(v, 'latencyMs', 220 + 30 * draw.normal(), 1e5);
      add(v, 'jitterMs', 40, 1e5);
    },
    machine: { hasVpn: true },
    hoursAgo: [1, 20],
  },
  {
    name: 'loss on the way to the company',
    right: ['path_to_company'],
    inject: (v, _h, draw) => {
      lose(v, Math.max(2, 15 + 4 * draw.normal()), 'packetLossPct');
    },
    hoursAgo: [1, 20],
  },
  {
    name: 'name servers that do not answer',
    right: ['dns_failing'],
    inject: (v, _h, draw) => {
      v.dns = { count: draw.pick([2, 3, 4]), of: 4 };
      add(v, 'dnsMs', 900, 1e5);
    },
    hoursAgo: [1, 20],
  },
  {
    name: 'slow names',
    right: ['dns_failing'],
    inject: (v, _h, draw) => {
      v.numbers.dnsMs = 700 + 80 * draw.normal();
    },
    hoursAgo: [1, 20],
  },
  {
    name: 'a service that stopped',
    right: ['service_down'],
    inject: (v, _h, draw) => {
      v.names.servicesDown = ['cups.service'];
      v.numbers.logErrors = 60 + 8 * draw.normal();
    },
    hoursAgo: [0.5, 60],
  },
  {
    name: 'blue screens after a driver',
    right: ['unexpected_restarts'],
    inject: (v, h) => {
      v.numbers.unexpectedRestarts = 1 + Math.floor(h / 8);
      v.numbers.updatesPending = 0;
      v.numbers.updateAgeDays = 0;
    },
    hoursAgo: [3, 20],
  },
  {
    name: 'a program that crashes',
    right: ['program_crashes'],
    inject: (v, h) => {
      v.crashes = { teams: 3 + Math.floor(h / 3) };
    },
    hoursAgo: [2, 20],
  },
  {
    name: 'a program that hangs',
    right: ['program_hangs'],
    inject: (v, h) => {
      v.hangs = { outlook: 3 + Math.floor(h / 3) };
    },
    os: ['windows', 'macos'],
    hoursAgo: [2, 20],
  },
  {
    name: 'a start that takes minutes',
    right: ['slow_start'],
    inject: (v) => {
      v.numbers.bootDurationS = 320;
    },
    keep: ['bootDurationS'],
    hoursAgo: [2, 60],
  },
  {
    name: 'a driver that fills the log',
    right: ['error_burst'],
    inject: (v, _h, draw) => {
      v.numbers.logErrors = 400 + 50 * draw.normal();
    },
    hoursAgo: [1, 60],
  },
  {
    name: 'a wrong clock',
    right: ['clock_wrong'],
    inject: (v, h) => {
      v.numbers.clockOffsetS = 90 + h;
    },
    keep: ['clockOffsetS'],
    hoursAgo: [1, 60],
  },
  {
    name: 'a job that fails',
    right: ['jobs_failing'],
    inject: (v) => {
      v.names.jobsFailed = ['backup.service'];
    },
    os: ['linux'],
    hoursAgo: [1, 60],
  },
  {
    name: 'a restart that waits for weeks',
    right: ['restart_overdue'],
    inject: (v, h) => {
      v.numbers.rebootPendingDays = 8 + h / 24;
    },
    os: ['linux', 'windows'],
    hoursAgo: [10, 100],
  },
  {
    name: 'an updater that is stuck',
    right: ['updates_stuck'],
    inject: (v, h) => {
      v.numbers.updateAgeDays = 40 + h / 24;
      v.numbers.securityUpdatesPending = 30;
    },
    keep: ['updateAgeDays'],
    hoursAgo: [10, 100],
  },
  {
    name: 'a VPN that went down',
    right: ['vpn_down'],
    inject: (v, _h) => {
      v.flags.vpnUp = false;
      lose(v, 100, 'packetLossPct');
    },
    machine: { hasVpn: true, timeZoneHours: 1 },
    hoursAgo: [0.5, 2],
  },
  {
    name: 'Wi-Fi that comes and goes',
    right: ['local_network', 'wifi_weak'],
    inject: (v, h, draw, m) => {
      if (draw.chance(0.6)) lanTrouble(30, 30)(v, h, draw, m);
    },
    machine: { hasWifi: true },
    hoursAgo: [3, 20],
  },
];
