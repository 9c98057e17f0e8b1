/** Writes pages as node_exporter would for a machine of given load; about 75 KB and 1,000 samples, most of them padding to skip. */

export interface SimulatedMachine {
  cores: number;
  cpuBusyPct: number;
  memoryUsedPct: number;
  diskUsedPct: number;
  bootedAt: Date;
  /** systemd units that failed; without the field the page has no systemd metrics. */
  failedUnits?: string[];
}

/** The page at a point in time; CPU counters have run since the boot at the machine's load. */
export function exporterPage(machine: SimulatedMachine, at: Date): string {
  return [
    cpuFamily(machine, at),
    memoryFamilies(machine),
    filesystemFamilies(machine),
    family('node_boot_time_seconds', 'gauge', [['', goFloat(machine.bootedAt.getTime() / 1000)]]),
    machine.failedUnits ? systemdFamily(machine.failedUnits) : '',
    PADDING,
  ].join('');
}

type Line = [labels: string, value: string];

function family(name: string, type: 'counter' | 'gauge', lines: Line[]): string {
  const samples = lines.map(([labels, value]) => `${name}${labels && `{${labels}}`} ${value}\n`).join('');
  return `# HELP ${name} Simulated: ${name.replaceAll('_', ' ')}.\n# TYPE ${name} ${type}\n${samples}`;
}

/** As Go prints floats in this format: large numbers in scientific notation. */
function goFloat(value: number): string {
  if (Math.abs(value) < 1e6) return String(Math.round(value * 100) / 100);
  return value.toExponential().replace(/e\+(\d)$/, 'e+0$1');
}

function cpuFamily({ cores, cpuBusyPct, bootedAt }: SimulatedMachine, at: Date): string {
  const uptimeS = (at.getTime() - bootedAt.getTime()) / 1000;
  const shares = {
    idle: 1 - cpuBusyPct / 100,
    iowait: 0,
    irq: 0,
    nice: 0,
    softirq: 0.05,
    steal: 0,
    system: 0.25,
    user: 0.7,
  };
  const lines = Array.from({ length: cores }, (_, core) =>
    Object.entries(shares).map(([mode, share]): Line => {
      const seconds = mode === 'idle' ? uptimeS * share : (uptimeS * share * cpuBusyPct) / 100;
      return [`cpu="${core}",mode="${mode}"`, seconds.toFixed(2)];
    }),
  );
  return family('node_cpu_seconds_total', 'counter', lines.flat());
}

const MEMORY_BYTES = 16 * 1024 ** 3;
const DISK_BYTES = 512 * 10 ** 9;

function memoryFamilies({ memoryUsedPct }: SimulatedMachine): string {
  const availableBytes = Math.round(MEMORY_BYTES * (1 - memoryUsedPct / 100));
  return (
    family('node_memory_MemAvailable_bytes', 'gauge', [['', goFloat(availableBytes)]]) +
    family('node_memory_MemTotal_bytes', 'gauge', [['', goFloat(MEMORY_BYTES)]])
  );
}

function filesystemFamilies({ diskUsedPct }: SimulatedMachine): string {
  const freeBytes = Math.round(DISK_BYTES * (1 - diskUsedPct / 100));
  const root = 'device="/dev/nvme0n1p2",fstype="ext4",mountpoint="/"';
  const boot = 'device="/dev/nvme0n1p1",fstype="vfat",mountpoint="/boot/efi"';
  const run = 'device="tmpfs",fstype="tmpfs",mountpoint="/run"';
  const columns: [string, Record<string, number>][] = [
    ['avail', { [root]: freeBytes, [boot]: 5.3e8, [run]: 0 }],
    ['free', { [root]: freeBytes, [boot]: 5.3e8, [run]: 0 }],
    ['size', { [root]: DISK_BYTES, [boot]: 5.36e8, [run]: 1.6e9 }],
  ];
  const sizes = columns.map(([column, bytes]) =>
    family(
      `node_filesystem_${column}_bytes`,
      'gauge',
      Object.entries(bytes).map(([mount, value]): Line => [mount, goFloat(value)]),
    ),
  );
  const flags = ['device_error', 'readonly'].map((flag) =>
    family(
      `node_filesystem_${flag}`,
      'gauge',
      [root, boot, run].map((mount): Line => [mount, '0']),
    ),
  );
  return [...sizes, ...flags].join('');
}

const UNIT_STATES = ['activating', 'active', 'deactivating', 'failed', 'inactive'];

function systemdFamily(failedUnits: string[]): string {
  const units = ['ssh.service', 'cron.service', 'systemd-journald.service', ...failedUnits];
  const lines = units.flatMap((unit) => {
    const current = failedUnits.includes(unit) ? 'failed' : 'active';
    return UNIT_STATES.map(
      (state): Line => [`name="${unit}",state="${state}",type="simple"`, state === current ? '1' : '0'],
    );
  });
  return family('node_systemd_unit_state', 'gauge', lines);
}

/** Families of the kinds that fill a real page, none of which any collector reads. */
const PADDING = [
  ...names(
    'node_network',
    ['receive', 'transmit'],
    ['bytes', 'packets', 'errs', 'drop', 'fifo', 'compressed', 'multicast', 'frame'],
    'total',
  ).map((name) =>
    family(name, 'counter', labelled('device', ['lo', 'eth0', 'wlan0', 'docker0', 'veth1a2b3c4', 'tun0'])),
  ),
  ...names('node_disk', ['read', 'write', 'discard', 'flush'], ['bytes', 'time_seconds', 'ops', 'merged'], 'total').map(
    (name) => family(name, 'counter', labelled('device', ['nvme0n1', 'nvme0n1p1', 'nvme0n1p2', 'dm-0', 'dm-1'])),
  ),
  ...names(
    'node_netstat',
    ['Tcp', 'TcpExt', 'Udp', 'Ip', 'Icmp', 'Icmp6'],
    ['InSegs', 'OutSegs', 'InErrs', 'RetransSegs', 'CurrEstab', 'ActiveOpens', 'PassiveOpens'],
    'count',
  ).map((name) => family(name, 'gauge', [['', '8.273645e+06']])),
  ...names(
    'node_memory',
    ['Active', 'Inactive', 'Dirty', 'Slab', 'Mapped', 'Hugepages', 'Swap', 'Vmalloc', 'Cached'],
    ['anon', 'file', 'total', 'free', 'used'],
    'kept_bytes',
  ).map((name) => family(name, 'gauge', [['', '1.234567168e+09']])),
  ...names('node_vmstat', ['pg', 'ps', 'oom'], ['fault', 'majfault', 'pgin', 'pgout', 'steal'], 'events').map((name) =>
    family(name, 'counter', [['', '4.5678e+07']]),
  ),
  family('node_cpu_scaling_frequency_hertz', 'gauge', labelled('cpu', counted(16))),
  family('node_schedstat_running_seconds_total', 'counter', labelled('cpu', counted(16))),
  ...['duration_seconds', 'success'].map((name) =>
    family(`node_scrape_collector_${name}`, 'gauge', labelled('collector', counted(46))),
  ),
  ...['go_memstats', 'process', 'promhttp'].flatMap((prefix) =>
    counted(20).map((index) => family(`${prefix}_internal_figure_${index}`, 'gauge', [['', '1.048576e+06']])),
  ),
  family('node_hwmon_temp_celsius', 'gauge', labelled('chip="platform_coretemp_0",sensor', counted(40))),
  family('node_softnet_processed_total', 'counter', labelled('cpu', counted(16))),
  family('node_interrupts_total', 'counter', labelled('cpu="0",devices="pci-msi",info="edge",type', counted(120))),
].join('');

function names(prefix: string, groups: string[], kinds: string[], suffix: string): string[] {
  return groups.flatMap((group) => kinds.map((kind) => `${prefix}_${group}_${kind}_${suffix}`));
}

function labelled(label: string, values: string[]): Line[] {
  return values.map((value): Line => [`${label}="${value}"`, '9.87654321e+08']);
}

function counted(length: number): string[] {
  return Array.from({ length }, (_, index) => String(index));
}
