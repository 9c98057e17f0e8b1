/** The one script that an SSH scan runs on the endpoint, and the reading of what it prints. */

import { type Volume, volumeReadings } from '../../domain/signals/volumes.ts';
import { busyPct, type CpuTimes } from './exporters/cpuHistory.ts';
import { journalArgs, journalErrors, NEWEST_ENTRY_ARGS } from './journal.ts';
import {
  type Measured,
  measured,
  measuredNumber,
  measuredTimestamp,
  missing,
  type Readings,
  Unreachable,
} from './readings.ts';
import { downUnits, LIST_UNITS_ARGS, parseUnits } from './systemdUnits.ts';

/**
 * POSIX sh for Linux and macOS, fed to `/bin/sh -s SECONDS` so that the login shell does not matter; `$1` is how much
 * log to read. It is constant: nothing of an endpoint's options is ever put into it. It only reads, prints sections
 * under `@@name` lines, and takes a second, in which it samples the CPU twice.
 */
export const REPORT_SCRIPT = `
LC_ALL=C; export LC_ALL
PATH=$PATH:/usr/sbin:/sbin:/usr/bin:/bin; export PATH
section() { printf '@@%s\\n' "$1"; }
section os; uname -s
section disks; df -lPk 2>/dev/null || df -Pk 2>/dev/null
case $(uname -s) in
Linux)
  section cpu; head -n 1 /proc/stat; sleep 1; head -n 1 /proc/stat
  section memory; cat /proc/meminfo
  section mounts; cat /proc/mounts
  section boot; grep btime /proc/stat
  if command -v systemctl >/dev/null; then
    section units; systemctl ${LIST_UNITS_ARGS.join(' ')} 2>/dev/null || echo '@@no-units'
  fi
  if command -v journalctl >/dev/null; then
    section journal
    journalctl ${journalArgs('"$1"').join(' ')} 2>&1 | awk '/^\\{/ { n++; next } { print } END { print "entries", n + 0 }'
    section newest; journalctl ${NEWEST_ENTRY_ARGS.join(' ')} 2>/dev/null
  fi ;;
Darwin)
  section cpu; top -l 2 -n 0 -s 1 | grep 'CPU usage'
  section memory; sysctl -n hw.memsize; vm_stat
  section mounts; mount
  section boot; sysctl -n kern.boottime
  section services; launchctl list; launchctl print system 2>/dev/null ;;
esac
section end
`;

/** Turns the script's output into readings; throws `Unreachable` when it is not that. */
export function readReport(output: string, services: readonly string[] | undefined): Omit<Readings, 'network' | 'dns'> {
  const sections = splitSections(output);
  if (!sections.has('end')) throw new Unreachable('the login answered, but not with a complete report');
  const system = sections.get('os')?.trim();
  if (system === 'Linux') return readLinux(sections, services);
  if (system === 'Darwin') return readMac(sections, services);
  throw new Unreachable(`this collector reads Linux and macOS; the endpoint says it is ${(system ?? '').slice(0, 40)}`);
}

type Sections = Map<string, string>;

function splitSections(output: string): Sections {
  const sections: Sections = new Map();
  for (const part of `\n${output}`.split('\n@@').slice(1)) {
    const [name = '', ...lines] = part.split('\n');
    sections.set(name.trim(), lines.join('\n'));
  }
  return sections;
}

function readLinux(sections: Sections, services: readonly string[] | undefined): ReturnType<typeof readReport> {
  const [before, after] = (sections.get('cpu') ?? '').trim().split('\n').map(parseProcStat);
  const memory = sections.get('memory') ?? '';
  const availableKb = numberAfter(memory, /^MemAvailable:\s+(\d+)/m);
  const totalKb = numberAfter(memory, /^MemTotal:\s+(\d+)/m);
  const bootedAtS = numberAfter(sections.get('boot') ?? '', /^btime (\d+)/m);
  const units = sections.has('no-units') ? null : parseUnits(sections.get('units') ?? '');
  const journal = sections.get('journal');
  return {
    cpuPct: measuredNumber(before && after && busyPct(before, after), 'the endpoint shows no /proc/stat'),
    memoryPct:
      availableKb === null || !totalKb
        ? missing('the endpoint reports no available memory')
        : measured(100 * (1 - availableKb / totalKb)),
    volumes: volumeReadings(joinMounts(sections, parseProcMounts)),
    servicesDown: units?.size ? measured(downUnits(units, services)) : missing('the endpoint does not run systemd'),
    logErrors:
      journal === undefined
        ? missing('the endpoint has no journalctl')
        : journalErrors(
            numberAfter(journal, /^entries (\d+)$/m) ?? 0,
            (sections.get('newest') ?? '').startsWith('{'),
            journal,
          ),
    bootedAt: bootTime(bootedAtS),
  };
}

function readMac(sections: Sections, services: readonly string[] | undefined): ReturnType<typeof readReport> {
  const idlePct = numberAfter((sections.get('cpu') ?? '').trim().split('\n')[1] ?? '', /([\d.]+)% idle/);
  return {
    cpuPct: measuredNumber(idlePct === null ? null : 100 - idlePct, 'top gave no second CPU sample'),
    memoryPct: macMemoryPct(sections.get('memory') ?? ''),
    volumes: volumeReadings(joinMounts(sections, parseMacMounts)),
    servicesDown: macServicesDown(sections.get('services') ?? '', services),
    logErrors: missing("macOS' unified log has no level that compares with errors elsewhere"),
    bootedAt: bootTime(numberAfter(sections.get('boot') ?? '', /sec = (\d+)/)),
  };
}

function numberAfter(text: string, pattern: RegExp): number | null {
  const [, digits] = pattern.exec(text) ?? [];
  return digits === undefined ? null : Number(digits);
}

const bootTime = (unixS: number | null): Measured<Date> =>
  measuredTimestamp(unixS, 'the endpoint reports no boot time');

/** `cpu user nice system idle iowait irq softirq steal guest guest_nice` in ticks of 10 ms; guest is part of user. */
function parseProcStat(line: string): CpuTimes {
  const ticks = line.trim().split(/\s+/).slice(1, 9).map(Number);
  const [, , , idle = 0, iowait = 0] = ticks;
  return { idleS: (idle + iowait) / 100, totalS: ticks.reduce((sum, tick) => sum + tick, 0) / 100 };
}

/** Programs hold active, wired and compressed pages; the rest can be handed out. */
function macMemoryPct(text: string): Measured<number> {
  const totalBytes = numberAfter(text, /^(\d+)$/m);
  const pageBytes = numberAfter(text, /page size of (\d+) bytes/);
  const pages = ['active', 'wired down', 'occupied by compressor'].map((kind) =>
    numberAfter(text, new RegExp(`^Pages ${kind}:\\s+(\\d+)`, 'm')),
  );
  if (!totalBytes || !pageBytes || pages.includes(null)) return missing('the endpoint reports no memory use');
  return measured((100 * pageBytes * pages.reduce<number>((sum, count) => sum + (count ?? 0), 0)) / totalBytes);
}

/** Lines of `PID status label`, the PID being `-` or 0 for a service that does not run. */
function macServicesDown(text: string, services: readonly string[] | undefined): Measured<string[]> {
  if (!services) return missing('list the services that should run in the options of this endpoint');
  const running = new Set<string>();
  for (const line of text.split('\n')) {
    const [, pid, label] = /^\s*(\d+)\s+\S+\s+(\S+)$/.exec(line) ?? [];
    if (label && Number(pid) > 0) running.add(label);
  }
  if (running.size === 0) return missing('launchctl lists no services for this login');
  return measured(services.filter((service) => !running.has(service)));
}

interface Mount {
  type: string;
  readOnly: boolean;
}

/** Sizes come from df, type and read-only state from the list of mounts; a file system needs both to count. */
function joinMounts(sections: Sections, parse: (text: string) => Map<string, Mount>): Volume[] {
  const mounts = parse(sections.get('mounts') ?? '');
  return (sections.get('disks') ?? '').split('\n').flatMap((line) => {
    const columns = /\s(\d+)\s+(\d+)\s+(-?\d+)\s+\d+%\s+(\/.*)$/.exec(line);
    const [, sizeKb, usedKb, availableKb, mount = ''] = columns ?? [];
    const known = mounts.get(mount);
    if (!columns || !known) return [];
    const sizeBytes = Number(sizeKb) * 1024;
    const availableBytes = Math.max(0, Number(availableKb) * 1024);
    return { ...known, mount, sizeBytes, freeBytes: sizeBytes - Number(usedKb) * 1024, availableBytes };
  });
}

/** `device mount type options …`, with blanks in paths written as `\040`. */
function parseProcMounts(text: string): Map<string, Mount> {
  return new Map(
    text.split('\n').flatMap((line) => {
      const [, path, type, options] = line.split(' ');
      if (!path || !type || !options) return [];
      const mount = path.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
      return [[mount, { type, readOnly: options.split(',').includes('ro') }]];
    }),
  );
}

/** `device on mount (type, option, …)`. */
function parseMacMounts(text: string): Map<string, Mount> {
  return new Map(
    text.split('\n').flatMap((line) => {
      const [, mount, details] = /^.+? on (\/.*) \((.+)\)$/.exec(line) ?? [];
      const [type, ...options] = details?.split(', ') ?? [];
      return mount && type ? [[mount, { type, readOnly: options.includes('read-only') }]] : [];
    }),
  );
}
