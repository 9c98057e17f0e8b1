/** The way every Prometheus exporter is read: scrape, read, probe the network, and sample the CPU twice if need be. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ScanTarget } from '../../../domain/signals/telemetry.ts';
import { measureNetwork } from '../network.ts';
import { type Measured, measuredNumber, missing, type Reader, type Readings, Unreachable } from '../readings.ts';
import { resolveAddress } from '../resolveAddress.ts';
import type { CpuHistory, CpuTimes } from './cpuHistory.ts';
import { parseSamples, type Sample } from './prometheusText.ts';
import type { Scraper } from './scrape.ts';

/** The wanted samples of one page. */
export class Page {
  private readonly samples: Map<string, Sample[]>;

  constructor(samples: Map<string, Sample[]>) {
    this.samples = samples;
  }

  all(name: string): Sample[] {
    return this.samples.get(name) ?? [];
  }

  /** The first finite value of the first of these metrics that has one. */
  value(...names: string[]): number | null {
    for (const name of names) {
      const sample = this.all(name).find(({ value }) => Number.isFinite(value));
      if (sample) return sample.value;
    }
    return null;
  }

  get isEmpty(): boolean {
    return this.samples.size === 0;
  }
}

/** What differs from exporter to exporter. */
export interface Exporter {
  name: string;
  defaultPort: number;
  /** Metric names to read; all others on the page are skipped. */
  wanted: ReadonlySet<string>;
  cpuTimes(page: Page): CpuTimes | null;
  /** The same with the time spent waiting for disks as the busy one; absent where the exporter does not tell it apart. */
  iowaitTimes?(page: Page): CpuTimes | null;
  read(page: Page, target: ScanTarget): Omit<Readings, 'cpuPct' | 'network' | 'dns'>;
}

const SECOND_SAMPLE_AFTER_MS = 1_000;

/**
 * CPU counters are cumulative, so the busy share needs two samples: the earlier one is remembered from the previous
 * look (the share is then the average since), and on a first scan a second sample is taken a second later, unless the
 * caller is in a hurry (`context.quick`).
 */
export function createExporterReader(exporter: Exporter, scraper: Scraper, cpuHistory: CpuHistory): Reader {
  return async (target, context) => {
    const address = await resolveAddress(target);
    const port = target.options.port ?? exporter.defaultPort;
    const scrape = async (): Promise<Page> => {
      const samples = new Map<string, Sample[]>();
      await scraper.scrape(target, address, port, context.signal, (lines) =>
        parseSamples(lines, exporter.wanted, samples),
      );
      const page = new Page(samples);
      if (page.isEmpty) {
        throw new Unreachable(`the page of ${address}:${port} holds none of the metrics of ${exporter.name}`);
      }
      return page;
    };
    let iowait: number | null = null;
    const cpuSince = (page: Page): number | null => {
      const waiting = exporter.iowaitTimes?.(page);
      if (waiting) iowait = cpuHistory.pctSince(`${target.hostname} iowait`, waiting, context.now);
      const times = exporter.cpuTimes(page);
      return times && cpuHistory.pctSince(target.hostname, times, context.now);
    };

    const page = await scrape();
    const sampleCpu = async (): Promise<Measured<number>> => {
      if (!exporter.cpuTimes(page)) return missing(`${exporter.name} reports no CPU times`);
      const sinceLastLook = cpuSince(page);
      if (sinceLastLook !== null) return { value: sinceLastLook };
      if (context.quick) return missing('CPU use needs two samples; this was the first, the next scan has it');
      await sleep(SECOND_SAMPLE_AFTER_MS, undefined, { signal: context.signal });
      return measuredNumber(cpuSince(await scrape()), 'the CPU counters did not advance between two samples');
    };
    const [cpuPct, network] = await Promise.all([sampleCpu(), measureNetwork(address, port, context.signal)]);
    const dns = missing(`${exporter.name} does not look up names`);
    const read = exporter.read(page, target);
    const iowaitPct = measuredNumber(iowait, 'it needs two samples that tell waiting for disks apart');
    return { ...read, cpuPct, network, dns, further: { ...read.further, iowaitPct } };
  };
}

/** Sums CPU seconds over all cores and modes; null when the page has none. */
export function sumCpuTimes(
  samples: Sample[],
  idleModes: ReadonlySet<string>,
  ignoredModes: ReadonlySet<string> = new Set(),
): CpuTimes | null {
  const times: CpuTimes = { idleS: 0, totalS: 0 };
  for (const { labels, value } of samples) {
    const mode = labels.mode ?? '';
    if (!Number.isFinite(value) || ignoredModes.has(mode)) continue;
    times.totalS += value;
    if (idleModes.has(mode)) times.idleS += value;
  }
  return times.totalS > 0 ? times : null;
}

/** Share in use, 0–100, of which `availableBytes` of `totalBytes` are free. */
export function usedPct(availableBytes: number | null, totalBytes: number | null): number | null {
  return availableBytes === null || !totalBytes ? null : 100 * (1 - availableBytes / totalBytes);
}
