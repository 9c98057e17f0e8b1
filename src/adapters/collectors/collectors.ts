/** The collector of the whole service: picks the way to look by the endpoint's collector kind. */
import type { Collector } from '../../core/ports.ts';
import type { CollectorKind } from '../../domain/telemetry.ts';
import { createCpuHistory } from './cpuHistory.ts';
import { createExporterLook } from './exporterLook.ts';
import { lookAt } from './lookAt.ts';
import { nodeExporter } from './nodeExporter.ts';
import { type Look, Unreachable } from './readings.ts';
import type { Scraper } from './scrape.ts';
import type { SshOptions } from './ssh.ts';
import { windowsExporter } from './windowsExporter.ts';

export interface CollectorsOptions {
  ssh: SshOptions;
}

/**
 * Each way to look is loaded with the first endpoint that wants it: their libraries are a tenth of a start.
 * `close` lets go of the connections that are kept open to exporters.
 */
export function createCollectors({ ssh }: CollectorsOptions): Collector & { close(): Promise<void> } {
  let scraper: Promise<Scraper> | null = null;
  const scraping = () => {
    scraper ??= import('./scrape.ts').then(({ createScraper }) => createScraper());
    return scraper;
  };
  const load: Record<CollectorKind, () => Promise<Look>> = {
    local: async () => (await import('./local.ts')).createLocalLook(),
    node_exporter: async () => createExporterLook(nodeExporter, await scraping(), createCpuHistory()),
    windows_exporter: async () => createExporterLook(windowsExporter, await scraping(), createCpuHistory()),
    ssh: async () => (await import('./ssh.ts')).createSshLook(ssh),
    push: async () => pushLook,
  };
  const looks = new Map<CollectorKind, Promise<Look>>();
  const lookOf = (kind: CollectorKind): Promise<Look> => {
    const look = looks.get(kind) ?? load[kind]();
    looks.set(kind, look);
    return look;
  };
  return {
    collect: async (target, context) => lookAt(await lookOf(target.collector), target, context),
    close: async () => (await scraper)?.close(),
  };
}

const pushLook: Look = async () => {
  throw new Unreachable('this endpoint reports by itself through the agent; it cannot be scanned from here');
};
