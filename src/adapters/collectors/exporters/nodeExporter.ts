/** What node_exporter's metrics (Linux, macOS; names as of 0.16 and later) say about a machine. */
import type { ScanTarget } from '../../../domain/signals/telemetry.ts';
import { type Volume, volumeReadings } from '../../../domain/signals/volumes.ts';
import { type Measured, measured, measuredNumber, measuredTimestamp, missing } from '../readings.ts';
import { downUnits, type UnitStates } from '../systemdUnits.ts';
import type { CpuTimes } from './cpuHistory.ts';
import { type Exporter, type Page, sumCpuTimes, usedPct } from './exporterReader.ts';

const NAME = 'node_exporter';
const IDLE_MODES = new Set(['idle', 'iowait']);
const IOWAIT = 'iowait';

export const nodeExporter: Exporter = {
  name: NAME,
  defaultPort: 9100,
  wanted: new Set([
    'node_boot_time_seconds',
    'node_cpu_seconds_total',
    'node_filesystem_avail_bytes',
    'node_filesystem_device_error',
    'node_filesystem_files',
    'node_filesystem_files_free',
    'node_memory_SwapFree_bytes',
    'node_memory_SwapTotal_bytes',
    'node_filesystem_free_bytes',
    'node_filesystem_readonly',
    'node_filesystem_size_bytes',
    'node_memory_MemAvailable_bytes',
    'node_memory_MemTotal_bytes',
    'node_memory_active_bytes',
    'node_memory_compressed_bytes',
    'node_memory_total_bytes',
    'node_memory_wired_bytes',
    'node_systemd_unit_state',
  ]),
  cpuTimes: (page) => sumCpuTimes(page.all('node_cpu_seconds_total'), IDLE_MODES),
  iowaitTimes: (page) => sumIowait(page),
  read: (page, target) => ({
    memoryPct: measuredNumber(linuxMemoryPct(page) ?? macMemoryPct(page), `${NAME} reports no memory use`),
    volumes: volumeReadings(volumes(page)),
    further: { swapPct: swapUse(page), jobsFailed: jobsFailed(page) },
    servicesDown: servicesDown(page, target),
    logErrors: missing(`${NAME} does not read logs`),
    bootedAt: measuredTimestamp(page.value('node_boot_time_seconds'), `${NAME} reports no boot time`),
  }),
};

function linuxMemoryPct(page: Page): number | null {
  return usedPct(page.value('node_memory_MemAvailable_bytes'), page.value('node_memory_MemTotal_bytes'));
}

/** macOS has no figure for available memory; active, wired and compressed pages are what programs hold. */
function macMemoryPct(page: Page): number | null {
  const heldBytes = ['active', 'wired', 'compressed'].map((kind) => page.value(`node_memory_${kind}_bytes`));
  const totalBytes = page.value('node_memory_total_bytes');
  if (!totalBytes || heldBytes.includes(null)) return null;
  return (100 * heldBytes.reduce<number>((sum, bytes) => sum + (bytes ?? 0), 0)) / totalBytes;
}

function volumes(page: Page): Volume[] {
  const byMount = (metric: string): Map<string, number> =>
    new Map(page.all(metric).map(({ labels, value }) => [`${labels.device}\n${labels.mountpoint}`, value]));
  const available = byMount('node_filesystem_avail_bytes');
  const free = byMount('node_filesystem_free_bytes');
  const readOnly = byMount('node_filesystem_readonly');
  const faulty = byMount('node_filesystem_device_error');
  const files = byMount('node_filesystem_files');
  const filesFree = byMount('node_filesystem_files_free');
  return page.all('node_filesystem_size_bytes').flatMap(({ labels, value }) => {
    const key = `${labels.device}\n${labels.mountpoint}`;
    const availableBytes = available.get(key);
    if (availableBytes === undefined || faulty.get(key) === 1) return [];
    return {
      mount: labels.mountpoint ?? '',
      type: labels.fstype ?? '',
      ...(labels.device !== undefined && { device: labels.device }),
      ...(readOnly.has(key) && { readOnly: readOnly.get(key) === 1 }),
      ...(files.has(key) &&
        filesFree.has(key) && {
          inodes: { total: files.get(key) ?? 0, free: filesFree.get(key) ?? 0 },
        }),
      sizeBytes: value,
      freeBytes: free.get(key) ?? availableBytes,
      availableBytes,
    };
  });
}

/** CPU times in which only waiting for disks counts as busy; null where the mode is not reported. */
function sumIowait(page: Page): CpuTimes | null {
  const samples = page.all('node_cpu_seconds_total');
  const modes = new Set(samples.map(({ labels }) => labels.mode ?? ''));
  return modes.delete(IOWAIT) ? sumCpuTimes(samples, modes) : null;
}

/** One-shot units that failed; where units have no type, none can be told apart. */
function jobsFailed(page: Page): Measured<string[]> {
  const samples = page.all('node_systemd_unit_state');
  if (!samples.some(({ labels }) => labels.type)) return missing(`${NAME} does not say which units are one-shot`);
  const failed = samples.filter(({ labels, value }) => isOneShot(labels) && labels.state === 'failed' && value === 1);
  return measured(failed.map(({ labels }) => (labels.name ?? '').replace(/\.service$/, '')).sort());
}

const isOneShot = ({ type }: Record<string, string>): boolean => type === 'oneshot';

function swapUse(page: Page): Measured<number> {
  const totalBytes = page.value('node_memory_SwapTotal_bytes');
  if (totalBytes === 0) return missing('it has no swap');
  return measuredNumber(usedPct(page.value('node_memory_SwapFree_bytes'), totalBytes), `${NAME} reports no swap`);
}

function servicesDown(page: Page, target: ScanTarget): Measured<string[]> {
  const samples = page.all('node_systemd_unit_state');
  if (samples.length === 0) return missing(`${NAME} runs without --collector.systemd`);
  const states: UnitStates = new Map();
  for (const { labels, value } of samples) {
    // Without a list of services a one-shot unit that failed is no outage.
    if (isOneShot(labels) && !target.options.services) continue;
    if (value === 1 && labels.name && labels.state) states.set(labels.name, labels.state);
  }
  return measured(downUnits(states, target.options.services));
}
