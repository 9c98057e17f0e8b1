/** What node_exporter's metrics (Linux, macOS, the BSDs) say about a machine. */
import type { OsPlatform } from '../../../domain/signals/declaration.ts';
import { measured, missing, type Reading } from '../../../domain/signals/reading.ts';
import type { ScanTarget } from '../../../domain/signals/telemetry.ts';
import { type Volume, volumeReadings } from '../../../domain/signals/volumes.ts';
import type { Counters } from '../counterHistory.ts';
import { isPhysicalDisk } from '../linux/diskActivity.ts';
import { memoryUse, swapUse } from '../linux/memory.ts';
import { carriesTraffic } from '../machine/links.ts';
import { type Collected, measuredTimestamp } from '../readings.ts';
import { type UnitStates, unitReadings } from '../systemdUnits.ts';
import { addProcessorTimes, type Exporter, type Page } from './exporterReader.ts';
import { hardwareReadings } from './nodeHardware.ts';
import { NODE_METRICS, whyNotOnNodePage } from './nodeMetrics.ts';

const NAME = 'node_exporter';
const IDLE_MODES = new Set(['idle', 'iowait']);

export const nodeExporter: Exporter = {
  name: NAME,
  defaultPort: 9100,
  wanted: NODE_METRICS,
  osOf,
  counters,
  read: (page, target, now) => ({
    ...memoryReadings(page),
    ...volumeReadings(filesystems(page)),
    ...services(page, target),
    ...hardwareReadings(page),
    bootedAt: measuredTimestamp(page.value('node_boot_time_seconds'), `${NAME} reports no boot time`),
    ...currency(page, now),
  }),
  why: whyNotOnNodePage,
};

/** Older versions name the kernel on Linux only; a Mac shows itself by its memory. */
function osOf(page: Page): OsPlatform {
  const sysname = page.all('node_uname_info')[0]?.labels.sysname;
  if (sysname === 'Darwin' || page.value('node_memory_compressed_bytes') !== null) return 'macos';
  return sysname === 'Linux' || page.value('node_memory_MemTotal_bytes') !== null ? 'linux' : 'other';
}

function memoryReadings(page: Page): Collected {
  const bytes = (field: string): number | null => page.value(`node_memory_${field}_bytes`);
  const swapUsed = page.value('node_memory_swap_used_bytes');
  const swapTotal = bytes('SwapTotal') ?? page.value('node_memory_swap_total_bytes');
  const swapFree = bytes('SwapFree') ?? (swapTotal !== null && swapUsed !== null ? swapTotal - swapUsed : null);
  return { memoryPct: memoryPct(page), swapPct: swapUse(swapTotal, swapFree) };
}

function memoryPct(page: Page): Reading<number> {
  const bytes = (field: string): number | null => page.value(`node_memory_${field}_bytes`);
  const total = bytes('MemTotal');
  if (total !== null) {
    const arc = Math.max(0, (page.value('node_zfs_arc_size') ?? 0) - (page.value('node_zfs_arc_c_min') ?? 0));
    const pool = bytes('Hugetlb') ?? (page.value('node_memory_HugePages_Total') ?? 0) * (bytes('Hugepagesize') ?? 0);
    return memoryUse(total, bytes('MemAvailable') ?? undefined, arc, pool);
  }
  // macOS and the BSDs have no figure for available memory: active, wired and compressed pages are what programs hold.
  const held = bytes('total') === null ? ['active', 'wired', 'laundry'] : ['active', 'wired', 'compressed'];
  const all = bytes('total') ?? bytes('size');
  const parts = held.map(bytes).filter((part) => part !== null);
  if (!all || parts.length < 2) return missing(`${NAME} reports no memory use`);
  return memoryUse(all, all - parts.reduce((sum, part) => sum + part, 0), 0, 0);
}

function filesystems(page: Page): Volume[] {
  const byMount = (metric: string): Map<string, number> =>
    new Map(
      page
        .all(`node_filesystem_${metric}`)
        .map(({ labels, value }) => [`${labels.device}\n${labels.mountpoint}`, value]),
    );
  const available = byMount('avail_bytes');
  const free = byMount('free_bytes');
  const readOnly = byMount('readonly');
  const faulty = byMount('device_error');
  const inodes = byMount('files');
  const freeInodes = byMount('files_free');
  return page.all('node_filesystem_size_bytes').flatMap(({ labels, value }) => {
    const key = `${labels.device}\n${labels.mountpoint}`;
    const availableBytes = available.get(key);
    if (availableBytes === undefined || faulty.get(key) === 1) return [];
    return {
      mount: labels.mountpoint ?? '',
      type: labels.fstype ?? '',
      device: labels.device,
      readOnly: readOnly.has(key) ? readOnly.get(key) === 1 : undefined,
      sizeBytes: value,
      freeBytes: free.get(key) ?? availableBytes,
      availableBytes,
      inodes: inodes.get(key),
      freeInodes: freeInodes.get(key),
    };
  });
}

function services(page: Page, target: ScanTarget): Collected {
  const states: UnitStates = new Map();
  const oneShots = new Set<string>();
  for (const { labels, value } of page.all('node_systemd_unit_state')) {
    if (value !== 1 || !labels.name || !labels.state) continue;
    states.set(labels.name, labels.state);
    if (labels.type === 'oneshot') oneShots.add(labels.name);
  }
  return states.size === 0 ? {} : unitReadings(states, oneShots, target.options.services);
}

function counters(page: Page): Counters {
  const counters: Counters = new Map();
  addProcessorTimes(counters, page.all('node_cpu_seconds_total'), IDLE_MODES);
  for (const kind of ['cpu', 'memory', 'io'] as const) {
    const seconds = page.value(`node_pressure_${kind}_waiting_seconds_total`);
    if (seconds !== null) counters.set(`pressure.${kind}`, seconds);
  }
  const pagesIn = page.value('node_vmstat_pswpin');
  const pagesOut = page.value('node_vmstat_pswpout');
  if (pagesIn !== null && pagesOut !== null) counters.set('swap.pages', pagesIn + pagesOut);
  const throttles = [...page.all('node_cpu_package_throttles_total'), ...page.all('node_cpu_core_throttles_total')];
  if (throttles.length > 0)
    counters.set(
      'throttled',
      throttles.reduce((sum, { value }) => sum + value, 0),
    );
  addDisks(counters, page);
  addLinks(counters, page);
  return counters;
}

function addDisks(counters: Counters, page: Page): void {
  const of = (metric: string): Map<string, number> => page.byLabel(`node_disk_${metric}_total`, 'device');
  const [reads, writes] = [of('reads_completed'), of('writes_completed')];
  const [readS, writeS, busyS] = [of('read_time_seconds'), of('write_time_seconds'), of('io_time_seconds')];
  for (const [disk, read] of reads) {
    if (!isPhysicalDisk(disk)) continue;
    counters.set(`disk.requests\t${disk}`, read + (writes.get(disk) ?? 0));
    counters.set(`disk.requestTime\t${disk}`, (readS.get(disk) ?? 0) + (writeS.get(disk) ?? 0));
    const busy = busyS.get(disk);
    if (busy !== undefined) counters.set(`disk.busyTime\t${disk}`, busy);
  }
}

function addLinks(counters: Counters, page: Page): void {
  const sent = page.byLabel('node_network_transmit_errs_total', 'device');
  for (const [link, received] of page.byLabel('node_network_receive_errs_total', 'device')) {
    if (carriesTraffic(link)) counters.set(`link.errors\t${link}`, received + (sent.get(link) ?? 0));
  }
}

/** Updates and restarts as Debian's and Fedora's textfile scripts write them. */
function currency(page: Page, now: Date): Collected {
  const apt = page.all('apt_upgrades_pending');
  const yum = page.value('yum_upgrades_pending');
  const lookedForS = page.value('apt_package_cache_timestamp_seconds');
  const reboot = page.value('node_reboot_required');
  const ofSecurity = apt.filter(({ labels }) => /security/i.test(labels.origin ?? ''));
  const sum = (samples: { value: number }[]): number => samples.reduce((total, { value }) => total + value, 0);
  return {
    ...(apt.length > 0 && { updatesPending: measured(sum(apt)), securityUpdatesPending: measured(sum(ofSecurity)) }),
    ...(apt.length === 0 && yum !== null && { updatesPending: measured(yum) }),
    ...(lookedForS && { updateAgeDays: measured(Math.max(0, (now.getTime() / 1000 - lookedForS) / 86_400)) }),
    ...(reboot !== null && { rebootPending: measured(reboot > 0) }),
  };
}
