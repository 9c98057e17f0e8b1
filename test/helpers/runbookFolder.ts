/** A folder of runbooks with its index, as the service opens them: real files and a real LanceDB. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createEmbedder } from '../../src/adapters/embeddings.ts';
import { createRunbookFiles } from '../../src/adapters/runbookFiles.ts';
import { createRunbookIndex } from '../../src/adapters/vectors/runbookIndex.ts';
import { createRunbooks } from '../../src/core/runbooks/runbooks.ts';
import { NO_GLOSSARY } from '../../src/domain/runbooks/glossary.ts';
import { collectingLog } from './collectingLog.ts';

const PAGES: Record<string, string> = {
  'disk-linux':
    '---\ntitle: Disk full on Linux\nalerts: [DiskFull]\nplatforms: [linux]\nplaybook: disk_cleanup\n---\n# Disk full on Linux\n\n## Symptoms\n\nNo space left on device.\n\n## Fix\n\nRemove old journals with journalctl and empty the package cache.\n',
  'disk-windows':
    '---\ntitle: Disk full on Windows\nalerts: [DiskFull]\nplatforms: [windows]\n---\n## Fix\n\nRun Storage Sense and empty the recycle bin.\n',
  vpn: '# VPN slow or down\n\n## Diagnosis\n\nMeasure the latency to the gateway of the tunnel.\n',
  printer: '# Printer\n\n## Fix\n\nRestart the spooler, then print a test page.\n',
};

export type RunbookFolder = Awaited<ReturnType<typeof runbookFolder>>;

/** Has `PAGES` at first. */
export async function runbookFolder() {
  const root = await mkdtemp(join(tmpdir(), 'dexops-runbooks-'));
  const closers: (() => void)[] = [];
  const ship = (docId: string, text: string | Buffer) => writeFile(join(root, 'runbooks', `${docId}.md`), text);
  await mkdir(join(root, 'runbooks'));
  for (const [docId, text] of Object.entries(PAGES)) await ship(docId, text);
  return {
    root,
    ship,
    indexDir: join(root, 'vectors'),
    /** @param model a directory; one that does not exist gives the built-in vectors without asking any network */
    open(model = '/no/such/model', lockWaitMs?: number) {
      const { log, lines } = collectingLog();
      const files = createRunbookFiles({
        root,
        shippedDir: join(root, 'runbooks'),
        uploadedDir: join(root, 'uploaded'),
        log,
      });
      const index = createRunbookIndex({ dir: join(root, 'vectors'), log, lockWaitMs });
      const embedder = createEmbedder({ model, cacheDir: join(root, 'models'), log });
      closers.push(() => index.close());
      return {
        ...createRunbooks({ files, index, embedder, glossary: { current: () => NO_GLOSSARY }, log }),
        index,
        embedder,
        lines,
      };
    },
    async remove() {
      for (const close of closers) close();
      await rm(root, { recursive: true, force: true });
    },
  };
}

/** Ids of the pages found, best first. */
export const ids = ({ results }: { results: { docId: string }[] }) => results.map(({ docId }) => docId);
