/** The collector of the whole service: picks the way to look by the endpoint's collector kind. */
import type { Collector } from '../../core/ports.ts';
import type { CollectorKind } from '../../domain/telemetry.ts';
import { createCpuHistory } from './cpuHistory.ts';
import { createExporterLook } from './exporterLook.ts';
import { createLocalLook } from './local.ts';
import { lookAt } from './lookAt.ts';
import { nodeExporter } from './nodeExporter.ts';
import { type Look, Unreachable } from './readings.ts';
import { createScraper } from './scrape.ts';
import { createSshLook, type SshOptions } from './ssh.ts';
import { windowsExporter } from './windowsExporter.ts';

export interface CollectorsOptions {
  ssh: SshOptions;
}

/** `close` lets go of the connections that are kept open to exporters. */
export function createCollectors({ ssh }: CollectorsOptions): Collector & { close(): Promise<void> } {
  const scraper = createScraper();
  const looks: Record<CollectorKind, Look> = {
    local: createLocalLook(),
    node_exporter: createExporterLook(nodeExporter, scraper, createCpuHistory()),
    windows_exporter: createExporterLook(windowsExporter, scraper, createCpuHistory()),
    ssh: createSshLook(ssh),
    push: pushLook,
  };
  return {
    collect: (target, context) => lookAt(looks[target.collector], target, context),
    close: () => scraper.close(),
  };
}

const pushLook: Look = async () => {
  throw new Unreachable('this endpoint reports by itself through the agent; it cannot be scanned from here');
};
