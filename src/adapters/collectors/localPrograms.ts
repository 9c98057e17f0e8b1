/** Samples the programs of this machine from scan to scan and says which five use most of it. */
import { availableParallelism, totalmem } from 'node:os';
import { missing } from '../../domain/signals/reading.ts';
import { type ProcessNames, sampleProcesses } from './linux/processSamples.ts';
import { programItems } from './machine/items.ts';
import { type ProcessSample, topPrograms } from './machine/topProcesses.ts';
import { parsePsSamples } from './macos/processSamples.ts';
import type { Collected } from './readings.ts';
import { readLocalSources } from './sources/localSources.ts';
import type { Source } from './sources/source.ts';

interface ProgramSampler {
  sample(now: Date): Promise<Pick<Collected, 'topCpuPct' | 'topMemoryPct'>>;
}

const PS: Source = { name: 'ps', command: ['ps', '-Aceo', 'pid=,time=,rss=,comm='] };

export function createProgramSampler(): ProgramSampler {
  const names: ProcessNames = new Map();
  let previous: { samples: ProcessSample[]; atMs: number } | null = null;
  const take = async (): Promise<ProcessSample[] | null> => {
    if (process.platform === 'linux') return sampleProcesses(names);
    if (process.platform !== 'darwin') return null;
    const texts = await readLocalSources([PS], 0, AbortSignal.timeout(5_000));
    return parsePsSamples(texts.text(PS));
  };
  return {
    async sample(now) {
      const samples = await take();
      if (samples === null) {
        const none = missing('Windows is asked for its programs every quarter of an hour');
        return { topCpuPct: none, topMemoryPct: none };
      }
      const elapsedS = previous === null ? 0 : Math.max(0, (now.getTime() - previous.atMs) / 1000);
      const top = topPrograms(previous?.samples ?? [], samples, elapsedS, availableParallelism());
      previous = { samples, atMs: now.getTime() };
      return programItems(top, totalmem());
    },
  };
}
