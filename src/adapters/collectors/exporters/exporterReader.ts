/** The way every Prometheus exporter is read: scrape, read, probe the network, and take a second sample if need be. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { SignalName } from '../../../domain/signals/catalogue.ts';
import type { OsPlatform } from '../../../domain/signals/declaration.ts';
import { missing } from '../../../domain/signals/reading.ts';
import type { ScanTarget } from '../../../domain/signals/telemetry.ts';
import { type CounterHistory, type Counters, counterReadings, processorShares, type Rise } from '../counterHistory.ts';
import { measureNetwork } from '../network.ts';
import { type Collected, complete, pathReadings, type Reader, Unreachable } from '../readings.ts';
import { resolveAddress } from '../resolveAddress.ts';
import { parseSamples, type Sample, type WantedMetrics } from './prometheusText.ts';
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

  /** Values by one of their labels. */
  byLabel(name: string, label: string): Map<string, number> {
    return new Map(this.all(name).map(({ labels, value }) => [labels[label] ?? '', value]));
  }

  get isEmpty(): boolean {
    return this.samples.size === 0;
  }
}

/** What differs from exporter to exporter. */
export interface Exporter {
  name: string;
  defaultPort: number;
  /** Metrics to read; all others on the page are skipped. */
  wanted: WantedMetrics;
  /** The system of the machine, as its page shows it. */
  osOf(page: Page): OsPlatform;
  counters(page: Page): Counters;
  read(page: Page, target: ScanTarget, now: Date): Collected;
  /** Why a signal is not on the page, and what the operator can do to have it there. */
  why(name: SignalName): string;
}

const SECOND_SAMPLE_AFTER_MS = 1_000;

/**
 * Counters are cumulative, so rates need two samples: the earlier one is remembered from the previous scan (the rate is
 * then the average since), and on a first scan a second sample is taken a second later, unless the caller is in a hurry
 * (`context.quick`).
 */
export function createExporterReader(exporter: Exporter, scraper: Scraper, history: CounterHistory): Reader {
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

    const page = await scrape();
    const rates = async (): Promise<Collected> => {
      const counters = exporter.counters(page);
      const rise = history.riseSince(target.hostname, counters, context.now);
      const shares = rise && processorShares(rise);
      if (shares) return { ...counterReadings(counters, rise), ...shares };
      if (!counters.has('cpu.total')) {
        return { ...counterReadings(counters, rise), cpuPct: missing(`${exporter.name} reports no CPU times`) };
      }
      if (context.quick) return { ...counterReadings(counters, rise), ...firstSample(counters) };
      await sleep(SECOND_SAMPLE_AFTER_MS, undefined, { signal: context.signal });
      const again = exporter.counters(await scrape());
      const second = history.riseSince(
        target.hostname,
        again,
        new Date(context.now.getTime() + SECOND_SAMPLE_AFTER_MS),
      );
      return { ...counterReadings(again, second), ...secondShares(counters, second) };
    };
    const [counted, network] = await Promise.all([rates(), measureNetwork(address, port, context.signal)]);
    const read = exporter.read(page, target, context.now);
    return complete({ ...read, ...counted, ...pathReadings('observer', network) }, exporter.osOf(page), (name) =>
      exporter.why(name),
    );
  };
}

const notYet = (counters: Counters, reason: string): Collected => ({
  cpuPct: missing(reason),
  ...(counters.has('cpu.iowait') && { iowaitPct: missing(reason) }),
  ...(counters.has('cpu.steal') && { stealPct: missing(reason) }),
});

const firstSample = (counters: Counters): Collected =>
  notYet(counters, 'CPU use needs two samples; this was the first, the next scan has it');

const secondShares = (counters: Counters, rise: Rise | null): Collected =>
  (rise && processorShares(rise)) ?? notYet(counters, 'the CPU counters did not advance between two samples');

/** Seconds of all cores by mode, added up into counters. */
export function addProcessorTimes(
  counters: Counters,
  samples: Sample[],
  idleModes: ReadonlySet<string>,
  ignoredModes: ReadonlySet<string> = new Set(),
): void {
  let idleS = 0;
  let totalS = 0;
  let iowaitS: number | null = null;
  let stealS: number | null = null;
  for (const { labels, value } of samples) {
    const mode = labels.mode ?? '';
    if (!Number.isFinite(value) || ignoredModes.has(mode)) continue;
    totalS += value;
    if (idleModes.has(mode)) idleS += value;
    if (mode === 'iowait') iowaitS = (iowaitS ?? 0) + value;
    else if (mode === 'steal') stealS = (stealS ?? 0) + value;
  }
  if (!(totalS > 0)) return;
  counters.set('cpu.idle', idleS).set('cpu.total', totalS);
  if (iowaitS !== null) counters.set('cpu.iowait', iowaitS);
  if (stealS !== null) counters.set('cpu.steal', stealS);
}

/** Share in use, 0–100, of which `availableBytes` of `totalBytes` are free. */
export function usedPct(availableBytes: number | null, totalBytes: number | null): number | null {
  return availableBytes === null || !totalBytes ? null : 100 * (1 - availableBytes / totalBytes);
}
