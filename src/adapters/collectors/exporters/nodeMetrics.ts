/** The metrics of node_exporter (0.16 and later) and of its textfile scripts that are read, and what to do for more. */
import type { SignalName } from '../../../domain/signals/catalogue.ts';
import type { WantedMetrics } from './prometheusText.ts';

const NAME = 'node_exporter';

const MEMORY = ['MemAvailable', 'MemTotal', 'Hugetlb', 'SwapTotal', 'SwapFree'].map(
  (field) => `node_memory_${field}_bytes`,
);
/** macOS and the BSDs: pages by what they are used for. */
const PAGES = ['active', 'inactive', 'wired', 'compressed', 'free', 'laundry', 'total', 'size'].map(
  (kind) => `node_memory_${kind}_bytes`,
);
const FILESYSTEM = ['avail_bytes', 'device_error', 'free_bytes', 'readonly', 'size_bytes', 'files', 'files_free'].map(
  (field) => `node_filesystem_${field}`,
);
const DISK = ['reads_completed', 'writes_completed', 'read_time_seconds', 'write_time_seconds', 'io_time_seconds'].map(
  (field) => `node_disk_${field}_total`,
);
const POWER = [
  'info',
  'online',
  'cyclecount',
  'energy_full',
  'energy_full_design',
  'charge_full',
  'charge_full_design',
].map((field) => `node_power_supply_${field}`);

export const NODE_METRICS: WantedMetrics = new Map<string, 'all' | 'nonzero'>([
  ...[...MEMORY, ...PAGES, ...FILESYSTEM, ...DISK, ...POWER].map((name): [string, 'all'] => [name, 'all']),
  ...[
    'node_boot_time_seconds',
    'node_cpu_seconds_total',
    'node_cpu_package_throttles_total',
    'node_cpu_core_throttles_total',
    'node_hwmon_chip_names',
    'node_hwmon_temp_celsius',
    'node_memory_swap_total_bytes',
    'node_memory_swap_used_bytes',
    'node_memory_HugePages_Total',
    'node_memory_Hugepagesize_bytes',
    'node_network_receive_errs_total',
    'node_network_transmit_errs_total',
    'node_network_info',
    'node_pressure_cpu_waiting_seconds_total',
    'node_pressure_io_waiting_seconds_total',
    'node_pressure_memory_waiting_seconds_total',
    'node_thermal_zone_temp',
    'node_timex_offset_seconds',
    'node_timex_sync_status',
    'node_uname_info',
    'node_vmstat_pswpin',
    'node_vmstat_pswpout',
    'node_wifi_station_signal_dbm',
    'node_wifi_station_transmit_bits_per_second',
    'node_zfs_arc_c_min',
    'node_zfs_arc_size',
    // Scripts of the textfile collector, as Debian's prometheus-node-exporter-collectors has them.
    'node_reboot_required',
    'apt_upgrades_pending',
    'apt_package_cache_timestamp_seconds',
    'yum_upgrades_pending',
    'smartmon_device_smart_healthy',
    'nvme_percentage_used_ratio',
  ].map((name): [string, 'all'] => [name, 'all']),
  ['node_systemd_unit_state', 'nonzero'],
]);

const TEXTFILE = (script: string): string =>
  `${NAME} learns it from a script: install prometheus-node-exporter-collectors (${script}) with --collector.textfile.directory`;

/** What would add a signal to the page. */
const HINTS: Partial<Record<SignalName, string>> = {
  servicesDown: `${NAME} runs without --collector.systemd`,
  jobsFailed: `${NAME} runs without --collector.systemd`,
  wifiSignalDbm: `${NAME} shows no connected Wi-Fi: a laptop needs --collector.wifi`,
  wifiRateMbps: `${NAME} shows no connected Wi-Fi: a laptop needs --collector.wifi`,
  batteryHealthPct: 'the machine has no battery, or powersupplyclass is switched off',
  batteryCycles: 'the machine has no battery, or powersupplyclass is switched off',
  onBattery: 'the machine has no battery, or powersupplyclass is switched off',
  temperatureC: 'the machine shows no sensor, or thermal_zone and hwmon are switched off',
  throttleEvents: 'this processor does not count how often it is throttled',
  cpuPressurePct: 'the kernel keeps no pressure figures (psi=1), or the pressure collector is switched off',
  memoryPressurePct: 'the kernel keeps no pressure figures (psi=1), or the pressure collector is switched off',
  ioPressurePct: 'the kernel keeps no pressure figures (psi=1), or the pressure collector is switched off',
  clockOffsetS: `${NAME} reports no clock offset: its timex collector is switched off`,
  rebootPending: TEXTFILE('apt_info'),
  updatesPending: TEXTFILE('apt_info, yum'),
  securityUpdatesPending: TEXTFILE('apt_info'),
  updateAgeDays: TEXTFILE('apt_info'),
  diskFailing: TEXTFILE('smartmon'),
  diskWearPct: TEXTFILE('nvme_metrics'),
  logErrors: `${NAME} does not read logs`,
  dnsFailures: `${NAME} does not look up names`,
  dnsMs: `${NAME} does not look up names`,
  topCpuPct: `${NAME} does not look at single programs: the agent does`,
  topMemoryPct: `${NAME} does not look at single programs: the agent does`,
  appCrashes: `${NAME} does not see crashes: the agent does`,
  unexpectedRestarts: `${NAME} does not tell an expected restart from another: the agent does`,
  bootDurationS: `${NAME} does not time the start: the agent does`,
};

const OTHERWISE = /^(gateway|internet)/;

export function whyNotOnNodePage(name: SignalName): string {
  if (OTHERWISE.test(name)) return `${NAME} measures no path from the machine: the agent does`;
  return HINTS[name] ?? `${NAME} reports no such figure on this machine`;
}
