/** Which probes make up a scan of a machine that is read through its own tools, and one round of them. */
import { performance } from 'node:perf_hooks';
import { linuxLog } from './linux/logProbe.ts';
import { linuxVitals } from './linux/vitalProbe.ts';
import { linuxDaily, linuxHourly } from './linuxUpkeep/rareProbes.ts';
import { macDaily, macHourly, macVitals } from './macos/macProbes.ts';
import type { Collected } from './readings.ts';
import { readLocalSources } from './sources/localSources.ts';
import type { Probe, ProbeContext, ProbeMemory } from './sources/probe.ts';

export const LINUX_PROBES: readonly Probe[] = [linuxVitals, linuxLog, linuxHourly, linuxDaily];
export const MAC_PROBES: readonly Probe[] = [macVitals, macHourly, macDaily];

/** The probes for this process's own system; none where it is read in another way. */
export function ownProbes(): readonly Probe[] {
  if (process.platform === 'linux') return LINUX_PROBES;
  return process.platform === 'darwin' ? MAC_PROBES : [];
}

/**
 * Runs the rare probes that are due on this machine, one after the other, and keeps what they read. When `budgetMs` is
 * up the rest is left: what a stopped probe got until then stands for a sixth of its time, so that a machine on which
 * a tool hangs does not pay for it with every scan.
 */
export async function runRareProbes(
  due: readonly Probe[],
  memory: ProbeMemory,
  hostname: string,
  context: ProbeContext & { spanS: number; signal: AbortSignal },
  budgetMs: number,
): Promise<void> {
  const startedMs = performance.now();
  for (const probe of due) {
    const leftMs = budgetMs - (performance.now() - startedMs);
    if (leftMs <= 0 || context.signal.aborted) return;
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), leftMs);
    try {
      const signal = AbortSignal.any([stop.signal, context.signal]);
      const texts = await readLocalSources(probe.sources, context.spanS, signal);
      const kept = stop.signal.aborted ? { ...probe, everyS: probe.everyS / 6 } : probe;
      memory.keep(hostname, kept, probe.read(texts, context), context.now);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Why a rare probe's signal is still missing. */
export const NOT_YET = 'there was no time for it in this scan; the next one reads it';

export const merged = (parts: Collected[]): Collected => Object.assign({}, ...parts);
