/** What windows_exporter's metrics say about a machine; where a metric was renamed, both names are read. */
import type { ScanTarget } from '../../../domain/signals/telemetry.ts';
import { type Volume, volumeReadings } from '../../../domain/signals/volumes.ts';
import { type Measured, measured, measuredNumber, measuredTimestamp, missing } from '../readings.ts';
import { type Exporter, type Page, sumCpuTimes, usedPct } from './exporterReader.ts';

const NAME = 'windows_exporter';
const IDLE_MODES = new Set(['idle']);
/** Windows counts interrupts and deferred calls within privileged time as well. */
const MODES_COUNTED_TWICE = new Set(['dpc', 'interrupt']);

/** The newer name first. */
const TOTAL_MEMORY = ['windows_memory_physical_total_bytes', 'windows_cs_physical_memory_bytes'];
const AVAILABLE_MEMORY = ['windows_memory_available_bytes', 'windows_os_physical_memory_free_bytes'];
const BOOT_TIME = [
  'windows_system_boot_time_timestamp',
  'windows_system_boot_time_timestamp_seconds',
  'windows_system_system_up_time',
];

export const windowsExporter: Exporter = {
  name: NAME,
  defaultPort: 9182,
  wanted: new Set([
    ...TOTAL_MEMORY,
    ...AVAILABLE_MEMORY,
    ...BOOT_TIME,
    'windows_cpu_time_total',
    'windows_logical_disk_free_bytes',
    'windows_logical_disk_info',
    'windows_logical_disk_readonly',
    'windows_logical_disk_size_bytes',
    'windows_service_state',
  ]),
  cpuTimes: (page) => sumCpuTimes(page.all('windows_cpu_time_total'), IDLE_MODES, MODES_COUNTED_TWICE),
  read: (page, target) => ({
    memoryPct: measuredNumber(
      usedPct(page.value(...AVAILABLE_MEMORY), page.value(...TOTAL_MEMORY)),
      `${NAME} runs without its memory collector`,
    ),
    volumes: volumeReadings(volumes(page)),
    servicesDown: servicesDown(page, target),
    logErrors: missing(`${NAME} does not read event logs`),
    bootedAt: measuredTimestamp(page.value(...BOOT_TIME), `${NAME} reports no boot time`),
  }),
};

const MEDIA: Record<string, Volume['medium']> = {
  fixed: 'fixed',
  removable: 'removable',
  cdrom: 'optical',
  remote: 'network',
  ramdisk: 'memory',
};

function volumes(page: Page): Volume[] {
  const byVolume = (metric: string) => new Map(page.all(metric).map(({ labels, value }) => [labels.volume, value]));
  const freeBytes = byVolume('windows_logical_disk_free_bytes');
  const readOnly = byVolume('windows_logical_disk_readonly');
  const info = new Map(page.all('windows_logical_disk_info').map(({ labels }) => [labels.volume, labels]));
  return page.all('windows_logical_disk_size_bytes').flatMap(({ labels, value }) => {
    const free = freeBytes.get(labels.volume);
    if (free === undefined || !labels.volume) return [];
    const about = info.get(labels.volume);
    const medium = MEDIA[about?.type ?? ''];
    return {
      mount: labels.volume,
      type: about?.filesystem || 'NTFS',
      ...(medium && { medium }),
      ...(about?.volume_name !== undefined && { label: about.volume_name }),
      ...(readOnly.has(labels.volume) && { readOnly: readOnly.get(labels.volume) === 1 }),
      sizeBytes: value,
      freeBytes: free,
      availableBytes: free,
    };
  });
}

/** Windows starts and stops automatic services on demand, so only services that were listed can be called down. */
function servicesDown(page: Page, target: ScanTarget): Measured<string[]> {
  const { services } = target.options;
  if (!services) return missing('list the services that should run in the options of this endpoint');
  const samples = page.all('windows_service_state');
  if (samples.length === 0) return missing(`${NAME} runs without its service collector`);
  const running = new Set(
    samples
      .filter(({ labels, value }) => value === 1 && (labels.state === 'running' || labels.state === 'start pending'))
      .map(({ labels }) => labels.name?.toLowerCase()),
  );
  return measured(services.filter((service) => !running.has(service.toLowerCase())));
}
