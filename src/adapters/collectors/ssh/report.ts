/** The one script that a scan over SSH runs on Linux and macOS, and the reading of what it prints. */

import type { OsPlatform } from '../../../domain/signals/declaration.ts';
import { missing } from '../../../domain/signals/reading.ts';
import { volumeReadings } from '../../../domain/signals/volumes.ts';
import type { Counters } from '../counterHistory.ts';
import { joinDf, parseProcMounts } from '../linux/mounts.ts';
import { parseProcStat } from '../linux/processor.ts';
import { LINUX_PROBES, MAC_PROBES, merged } from '../machineProbes.ts';
import { macProcessor } from '../macos/macProbes.ts';
import { type Collected, Unreachable } from '../readings.ts';
import type { Probe, ProbeContext } from '../sources/probe.ts';
import { parseShellReport, platformScript } from '../sources/shellScript.ts';
import type { Source } from '../sources/source.ts';

const DISKS: Source = { name: 'disks', command: ['df', '-lPk'] };
/** BusyBox' df knows neither local file systems alone nor inodes. */
const ALL_DISKS: Source = { name: 'allDisks', command: ['df', '-Pk'] };
const INODES: Source = { name: 'inodes', command: ['df', '-lPi'] };
const MOUNTS: Source = { name: 'mounts', files: ['/proc/mounts'] };

const linuxVolumes: Probe = {
  name: 'volumes',
  everyS: 0,
  sources: [DISKS, ALL_DISKS, INODES, MOUNTS],
  read: (texts) => {
    const sizes = texts.find(DISKS)?.code === 0 ? texts.text(DISKS) : texts.text(ALL_DISKS);
    return volumeReadings(joinDf(sizes, texts.text(INODES), parseProcMounts(texts.text(MOUNTS))));
  },
};

/** A second look at the processor's counters, wanted when no earlier one is remembered. */
const STAT_AGAIN: Source = { name: 'statAgain', command: ['sh', '-c', 'sleep 1; cat /proc/stat'] };
const again: Probe = { name: 'again', everyS: 1, sources: [STAT_AGAIN], read: () => ({}) };

const PROBES: Record<'Linux' | 'Darwin', { os: OsPlatform; probes: readonly Probe[] }> = {
  Linux: { os: 'linux', probes: [again, ...LINUX_PROBES, linuxVolumes] },
  Darwin: { os: 'macos', probes: [...MAC_PROBES, macProcessor] },
};

/** The script for `/bin/sh -s SECONDS NAME …`: how much log to read, and which rare probes are due. */
export const REPORT_SCRIPT = platformScript({ Linux: PROBES.Linux.probes, Darwin: PROBES.Darwin.probes });

/** Rare probes of both systems, by name; `again` samples the processor twice. */
export const RARE_PROBES: readonly Probe[] = [...LINUX_PROBES, ...MAC_PROBES].filter(({ everyS }) => everyS > 0);
export const SAMPLE_AGAIN = again.name;

interface MachineReport {
  os: OsPlatform;
  collected: Collected;
  /** What each rare probe read that was due. */
  rare: { probe: Probe; collected: Collected }[];
  counters: Counters;
  /** Counters a second later, when they were asked for. */
  countersAgain: Counters | null;
}

/** Turns the script's output into readings; throws `Unreachable` when it is not that. @param due names of the rare probes */
export function readReport(output: string, due: readonly string[], context: ProbeContext): MachineReport {
  const { system, texts, measured } = parseShellReport(output);
  if (!measured) throw new Unreachable('the login answered, but not with a complete report');
  const platform = system === 'Linux' || system === 'Darwin' ? PROBES[system] : null;
  if (!platform) {
    throw new Unreachable(
      `this collector reads Linux, macOS and Windows; the endpoint says it is ${(system ?? '').slice(0, 40)}`,
    );
  }
  const always = platform.probes.filter(({ everyS }) => everyS === 0);
  const rare = platform.probes.filter(({ name, everyS }) => everyS > 0 && due.includes(name) && name !== again.name);
  const countersOf = (): Counters => new Map(always.flatMap((probe) => [...(probe.counters?.(texts) ?? [])]));
  const stat = texts.find(STAT_AGAIN);
  return {
    os: platform.os,
    collected: merged([
      { logErrors: missing('the endpoint has no journal') },
      ...always.map((probe) => probe.read(texts, context)),
    ]),
    rare: rare.map((probe) => ({ probe, collected: probe.read(texts, context) })),
    counters: countersOf(),
    countersAgain: stat ? againCounters(countersOf(), stat.text) : null,
  };
}

/** The processor's counters of the second sample, the others as they were. */
function againCounters(counters: Counters, stat: string): Counters {
  const times = parseProcStat(stat);
  if (!times) return counters;
  counters.set('cpu.idle', times.idleS).set('cpu.total', times.totalS);
  return counters.set('cpu.iowait', times.iowaitS).set('cpu.steal', times.stealS);
}
