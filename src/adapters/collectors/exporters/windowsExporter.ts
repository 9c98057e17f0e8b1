/** What windows_exporter's metrics say about a machine; where a metric was renamed (0.2x, 0.30, 0.31), all names are read. */
import type { SignalName } from '../../../domain/signals/catalogue.ts';
import { measured, missing, type Reading } from '../../../domain/signals/reading.ts';
import type { ScanTarget } from '../../../domain/signals/telemetry.ts';
import { type Volume, volumeReadings } from '../../../domain/signals/volumes.ts';
import type { Counters } from '../counterHistory.ts';
import { hottest } from '../linux/heat.ts';
import { memoryUse, swapUse } from '../linux/memory.ts';
import { carriesTraffic } from '../machine/links.ts';
import { type Collected, measuredNumber, measuredTimestamp } from '../readings.ts';
import { addProcessorTimes, type Exporter, type Page, usedPct } from './exporterReader.ts';

const NAME = 'windows_exporter';
const IDLE_MODES = new Set(['idle']);
/** Windows counts interrupts and deferred calls within privileged time as well. */
const MODES_COUNTED_TWICE = new Set(['dpc', 'interrupt']);

/** The newer name first. */
const TOTAL_MEMORY = [
  'windows_memory_physical_total_bytes',
  'windows_cs_physical_memory_bytes',
  'windows_os_visible_memory_bytes',
];
const AVAILABLE_MEMORY = [
  'windows_memory_available_bytes',
  'windows_memory_physical_free_bytes',
  'windows_os_physical_memory_free_bytes',
];
const COMMITTED = 'windows_memory_committed_bytes';
const COMMIT_LIMIT = 'windows_memory_commit_limit';
const PAGE_FILE_LIMIT = ['windows_pagefile_limit_bytes', 'windows_os_paging_limit_bytes'];
const PAGE_FILE_FREE = ['windows_pagefile_free_bytes', 'windows_os_paging_free_bytes'];
const PAGES_READ = 'windows_memory_swap_pages_read_total';
const PAGES_WRITTEN = 'windows_memory_swap_pages_written_total';
const BOOT_TIME = [
  'windows_system_boot_time_timestamp',
  'windows_system_boot_time_timestamp_seconds',
  'windows_system_system_up_time',
];
const UPDATES = ['windows_updates_pending_info', 'windows_update_pending_info', 'windows_updates_pending'];
const UPDATES_SCRAPED = ['windows_updates_scrape_timestamp_seconds', 'windows_update_scrape_timestamp_seconds'];
const CLOCK_OFFSET = 'windows_time_computed_time_offset_seconds';
const ZONE_TEMPERATURE = 'windows_thermalzone_temperature_celsius';
const ZONE_LIMIT = 'windows_thermalzone_percent_passive_limit';
const LINK_ERRORS = ['windows_net_packets_received_errors_total', 'windows_net_packets_outbound_errors_total'];
const DISK = ['reads_total', 'writes_total', 'read_seconds_total', 'write_seconds_total'].map(
  (field) => `windows_logical_disk_${field}`,
);
const VOLUMES = ['free_bytes', 'size_bytes', 'readonly', 'info'].map((field) => `windows_logical_disk_${field}`);

const NAMES = [
  ...TOTAL_MEMORY,
  ...AVAILABLE_MEMORY,
  COMMITTED,
  COMMIT_LIMIT,
  ...PAGE_FILE_LIMIT,
  ...PAGE_FILE_FREE,
  PAGES_READ,
  PAGES_WRITTEN,
  ...BOOT_TIME,
  ...UPDATES,
  ...UPDATES_SCRAPED,
  CLOCK_OFFSET,
  ZONE_TEMPERATURE,
  ZONE_LIMIT,
  ...LINK_ERRORS,
  ...DISK,
  ...VOLUMES,
  'windows_cpu_time_total',
];

/** What would add a signal to the page. */
const HINTS: Partial<Record<SignalName, string>> = {
  memoryPct: `${NAME} runs without its memory collector`,
  commitPct: `${NAME} runs without its memory collector`,
  swapPct: `${NAME} runs without its pagefile collector`,
  swapPagesPerS: `${NAME} runs without its memory collector`,
  temperatureC: `${NAME} runs without its thermalzone collector, or the firmware names no zone`,
  throttleEvents: `${NAME} runs without its thermalzone collector, or the firmware names no zone`,
  clockOffsetS: `${NAME} runs without its time collector`,
  updatesPending: `${NAME} runs without its update collector`,
  securityUpdatesPending: `${NAME} runs without its update collector`,
  updateAgeDays: `${NAME} does not tell when updates were last installed: the agent does`,
  diskLatencyMs: `${NAME} runs without its logical_disk collector`,
  linkErrorsPerMin: `${NAME} runs without its net collector`,
  logErrors: `${NAME} does not read event logs`,
  dnsFailures: `${NAME} does not look up names`,
  dnsMs: `${NAME} does not look up names`,
};

export const windowsExporter: Exporter = {
  name: NAME,
  defaultPort: 9182,
  wanted: new Map<string, 'all' | 'nonzero'>([
    ...NAMES.map((name): [string, 'all'] => [name, 'all']),
    ['windows_service_state', 'nonzero'],
  ]),
  osOf: () => 'windows',
  counters,
  read: (page, target) => ({
    ...memoryReadings(page),
    ...volumeReadings(volumes(page)),
    servicesDown: servicesDown(page, target),
    bootedAt: measuredTimestamp(page.value(...BOOT_TIME), `${NAME} reports no boot time`),
    ...heat(page),
    ...updates(page),
    ...(page.value(CLOCK_OFFSET) !== null && { clockOffsetS: measuredNumber(page.value(CLOCK_OFFSET), '') }),
  }),
  why: (name) => HINTS[name] ?? `${NAME} has no such figure: the agent does`,
};

function memoryReadings(page: Page): Collected {
  const total = page.value(...TOTAL_MEMORY);
  const available = page.value(...AVAILABLE_MEMORY);
  const committed = page.value(COMMITTED);
  const limit = page.value(COMMIT_LIMIT);
  const committedPct = committed === null ? null : usedPct(limit === null ? null : limit - committed, limit);
  const free = PAGE_FILE_FREE.map((name) => sumOf(page, name)).find((bytes) => bytes !== null) ?? null;
  const size = PAGE_FILE_LIMIT.map((name) => sumOf(page, name)).find((bytes) => bytes !== null) ?? null;
  return {
    ...(total !== null && available !== null && { memoryPct: memoryUse(total, available, 0, 0) }),
    ...(committedPct !== null && { commitPct: measured(committedPct) }),
    ...(size !== null && { swapPct: swapUse(size, free) }),
  };
}

/** The sum over a metric's samples, as of several page files; null without any. */
function sumOf(page: Page, name: string): number | null {
  const samples = page.all(name);
  return samples.length === 0 ? null : samples.reduce((sum, { value }) => sum + value, 0);
}

/** The exporter's words for what a volume lies on. */
const MEDIA: Record<string, Volume['medium']> = {
  fixed: 'fixed',
  removable: 'removable',
  cdrom: 'optical',
  remote: 'network',
  ramdisk: 'memory',
};

function volumes(page: Page): Volume[] {
  const free = page.byLabel('windows_logical_disk_free_bytes', 'volume');
  const readOnly = page.byLabel('windows_logical_disk_readonly', 'volume');
  const info = new Map(page.all('windows_logical_disk_info').map(({ labels }) => [labels.volume, labels]));
  return page.all('windows_logical_disk_size_bytes').flatMap(({ labels, value }): Volume[] => {
    const mount = labels.volume ?? '';
    const freeBytes = free.get(mount);
    if (freeBytes === undefined || mount === '') return [];
    const about = info.get(mount);
    return [
      {
        mount,
        type: about?.filesystem || 'NTFS',
        medium: MEDIA[about?.type ?? ''],
        label: about?.volume_name,
        readOnly: readOnly.has(mount) ? readOnly.get(mount) === 1 : undefined,
        sizeBytes: value,
        freeBytes,
        availableBytes: freeBytes,
      },
    ];
  });
}

/** Windows starts and stops automatic services on demand, so only services that were listed can be called down. */
function servicesDown(page: Page, target: ScanTarget): Reading<string[]> {
  const { services } = target.options;
  if (!services) return missing('list the services that should run in the options of this endpoint');
  const samples = page.all('windows_service_state');
  if (samples.length === 0) return missing(`${NAME} runs without its service collector`);
  const running = new Set(
    samples
      .filter(({ labels, value }) => value === 1 && /^(running|start pending)$/.test(labels.state ?? ''))
      .map(({ labels }) => labels.name?.toLowerCase()),
  );
  return measured(services.filter((service) => !running.has(service.toLowerCase())));
}

function heat(page: Page): Collected {
  const zones = page.all(ZONE_TEMPERATURE);
  const limits = page.all(ZONE_LIMIT);
  return {
    ...(zones.length > 0 && { temperatureC: hottest(zones.map(({ value }) => value)) }),
    // A limit below 100 % means that the zone slows the processor down now.
    ...(limits.length > 0 && { throttleEvents: measured(limits.filter(({ value }) => value < 100).length) }),
  };
}

function updates(page: Page): Collected {
  const pending = UPDATES.map((name) => page.all(name)).find((samples) => samples.length > 0) ?? [];
  // Without a pending update there is no sample either: the time of the search tells the two apart.
  if (pending.length === 0 && page.value(...UPDATES_SCRAPED) === null) return {};
  const forSecurity = pending.filter(
    ({ labels }) => /security|definition/i.test(labels.category ?? '') || labels.severity,
  );
  return { updatesPending: measured(pending.length), securityUpdatesPending: measured(forSecurity.length) };
}

function counters(page: Page): Counters {
  const found: Counters = new Map();
  addProcessorTimes(found, page.all('windows_cpu_time_total'), IDLE_MODES, MODES_COUNTED_TWICE);
  const read = page.value(PAGES_READ);
  const written = page.value(PAGES_WRITTEN);
  if (read !== null && written !== null) found.set('swap.pages', read + written);
  const of = (field: string): Map<string, number> => page.byLabel(`windows_logical_disk_${field}`, 'volume');
  const [reads, writes, readS, writeS] = [
    of('reads_total'),
    of('writes_total'),
    of('read_seconds_total'),
    of('write_seconds_total'),
  ];
  for (const [volume, count] of reads) {
    if (!/^[A-Z]:$/i.test(volume)) continue;
    found.set(`disk.requests\t${volume}`, count + (writes.get(volume) ?? 0));
    found.set(`disk.requestTime\t${volume}`, (readS.get(volume) ?? 0) + (writeS.get(volume) ?? 0));
  }
  const [received, sent] = LINK_ERRORS.map((name) => page.byLabel(name, 'nic'));
  for (const [nic, errors] of received ?? []) {
    if (carriesTraffic(nic)) found.set(`link.errors\t${nic}`, errors + (sent?.get(nic) ?? 0));
  }
  return found;
}
