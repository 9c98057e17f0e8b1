import { expect, it } from 'vitest';
import { createCollectors } from '../../src/adapters/collectors/collectors.ts';
import { contextAt, memoryKnownHosts, targetOf } from '../helpers/collecting.ts';
import { flatOf } from '../helpers/flatSnapshot.ts';
import { NODE_EXPORTER_MISSING, nodeExporterBinary, startNodeExporter } from '../helpers/nodeExporter.ts';

it('looks at a real node_exporter', async (ctx) => {
  if (!nodeExporterBinary()) ctx.skip(NODE_EXPORTER_MISSING);
  const exporter = await startNodeExporter();
  const collectors = createCollectors({ ssh: { knownHosts: memoryKnownHosts(), keysDir: null } });
  try {
    const target = targetOf('node_exporter', { port: exporter.port });
    const first = await collectors.collect(target, contextAt(new Date()));
    expect(flatOf(first)).toMatchObject({
      reachable: true,
      cpuPct: expect.any(Number),
      memoryPct: expect.any(Number),
      diskPct: expect.any(Number),
      diskMount: expect.stringMatching(/^\//),
      latencyMs: expect.any(Number),
      packetLossPct: 0,
      bootedAt: expect.any(Date),
    });
    const second = await collectors.collect(
      target,
      contextAt(new Date(), { previousScanAt: first.collectedAt, quick: true }),
    );
    expect(second.durationMs).toBeLessThan(1000);
    // What its default collectors show beyond the guide's nine.
    expect(first.readings).toMatchObject({
      iowaitPct: { value: expect.any(Number) },
      ioPressurePct: { value: expect.any(Number) },
      swapPagesPerS: { value: expect.any(Number) },
      inodesPct: { items: expect.any(Array) },
      diskBusyPct: { items: expect.any(Array) },
      wifiSignalDbm: { missing: expect.stringContaining('--collector.wifi') },
      updatesPending: { missing: expect.stringContaining('textfile') },
    });
    await exporter.stop();
    const third = await collectors.collect(target, contextAt(new Date(), { previousScanAt: second.collectedAt }));
    expect(third).toMatchObject({ reachable: false, unreachableReason: expect.stringMatching(/refused|closed/) });
  } finally {
    await exporter.stop();
    await collectors.close();
  }
});
