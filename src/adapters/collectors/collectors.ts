/** The collector of the whole service: picks the way to scan by the endpoint's collector kind. */
import type { Collector } from '../../core/ports/ports.ts';
import { type CollectorKind, NOT_SCANNED_FROM_HERE } from '../../domain/signals/telemetry.ts';
import { collectSnapshot } from './collectSnapshot.ts';
import { createCounterHistory } from './counterHistory.ts';
import { createExporterReader } from './exporters/exporterReader.ts';
import { nodeExporter } from './exporters/nodeExporter.ts';
import type { Scraper } from './exporters/scrape.ts';
import { windowsExporter } from './exporters/windowsExporter.ts';
import { type Reader, Unreachable } from './readings.ts';
import type { SshOptions } from './ssh/ssh.ts';

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
  };
  const readers = new Map<CollectorKind, Promise<Reader>>();
  const readerOf = (kind: CollectorKind): Promise<Reader> => {
    const reader = readers.get(kind) ?? load[kind]();
    readers.set(kind, reader);
    return reader;
  };
  return {
    collect: async (target, context) => collectSnapshot(await readerOf(target.collector), target, context),
    close: async () => (await scraper)?.close(),
  };
}

const elsewhere: Reader = async ({ hostname, collector }) => {
  throw new Unreachable(`${hostname} ${NOT_SCANNED_FROM_HERE[collector]} and cannot be scanned from here`);
};
