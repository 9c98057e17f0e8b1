/** The collector of the whole service: picks the way to scan by the endpoint's collector kind. */
import { setTimeout as delay } from 'node:timers/promises';
import type { CollectContext, Collector } from '../../core/ports/ports.ts';
import {
  type CollectorKind,
  NOT_SCANNED_FROM_HERE,
  type ScanTarget,
  type Snapshot,
} from '../../domain/signals/telemetry.ts';
import { collectSnapshot } from './collectSnapshot.ts';
import { createCounterHistory } from './counterHistory.ts';
import { createExporterReader } from './exporters/exporterReader.ts';
import { nodeExporter } from './exporters/nodeExporter.ts';
import type { Scraper } from './exporters/scrape.ts';
import { windowsExporter } from './exporters/windowsExporter.ts';
import { type Lateness, watchLateness } from './lateness.ts';
import { type Reader, Unreachable } from './readings.ts';
import type { SshOptions } from './ssh/ssh.ts';

/** From when on this process's own lateness may be why a machine seemed not to answer. */
const LATE_MS = 250;
const LATE_SHARE = 0.1;
const MOST_ATTEMPTS = 3;
const RETRY_AFTER_MS = 500;

interface CollectorsOptions {
  ssh: SshOptions;
}

/**
 * Each way to scan is loaded with the first endpoint that wants it: their libraries are a tenth of a start.
 * `close` lets go of the connections that are kept open to exporters.
 */
export function createCollectors({ ssh }: CollectorsOptions): Collector & { close(): Promise<void> } {
  let scraper: Promise<Scraper> | null = null;
  const scraping = () => {
    scraper ??= import('./exporters/scrape.ts').then(({ createScraper }) => createScraper());
    return scraper;
  };
  const load: Record<CollectorKind, () => Promise<Reader>> = {
    local: async () => (await import('./local.ts')).createLocalReader(),
    node_exporter: async () => createExporterReader(nodeExporter, await scraping(), createCounterHistory()),
    windows_exporter: async () => createExporterReader(windowsExporter, await scraping(), createCounterHistory()),
    ssh: async () => (await import('./ssh/ssh.ts')).createSshReader(ssh),
    push: async () => elsewhere,
    prometheus: async () => elsewhere,
    fleet: async () => elsewhere,
  };
  const readers = new Map<CollectorKind, Promise<Reader>>();
  const readerOf = (kind: CollectorKind): Promise<Reader> => {
    const reader = readers.get(kind) ?? load[kind]();
    readers.set(kind, reader);
    return reader;
  };
  const lateness = watchLateness();
  return {
    collect: async (target, context) => patiently(lateness, await readerOf(target.collector), target, context),
    close: async () => {
      lateness.stop();
      await (await scraper)?.close();
    },
  };
}

/** A machine that seemed not to answer while this process was late itself is asked again before anybody is told. */
async function patiently(
  lateness: Lateness,
  read: Reader,
  target: ScanTarget,
  context: CollectContext,
): Promise<Snapshot> {
  for (let attempt = 1; ; attempt++) {
    const lateBeforeMs = lateness.totalMs();
    const snapshot = await collectSnapshot(read, target, context);
    const lateMs = lateness.totalMs() - lateBeforeMs;
    const isOursToBlame = lateMs >= Math.max(LATE_MS, LATE_SHARE * snapshot.durationMs);
    if (snapshot.reachable || !isOursToBlame || context.signal.aborted || attempt === MOST_ATTEMPTS) return snapshot;
    const lateS = (lateMs / 1000).toFixed(1);
    context.note?.(`this service was ${lateS} s late by itself, so ${target.hostname} is asked again`);
    await delay(attempt * RETRY_AFTER_MS, undefined, { signal: context.signal }).catch(() => {});
  }
}

const elsewhere: Reader = async ({ hostname, collector }) => {
  throw new Unreachable(`${hostname} ${NOT_SCANNED_FROM_HERE[collector]} and cannot be scanned from here`);
};
