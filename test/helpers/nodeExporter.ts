/** Runs a real node_exporter on a loopback port. */
import { type RunningProgram, startProgram } from './childProcess.ts';
import { findBinary } from './findBinary.ts';

export const NODE_EXPORTER_MISSING = 'no node_exporter here: apt-get install prometheus-node-exporter';

export const nodeExporterBinary = (): string | null => findBinary('prometheus-node-exporter', 'node_exporter');

/** Starts it with these extra flags; the caller has checked that the binary exists. */
export async function startNodeExporter(flags: string[] = []): Promise<{ port: number; stop(): Promise<void> }> {
  const binary = nodeExporterBinary();
  if (!binary) throw new Error(NODE_EXPORTER_MISSING);
  const program: RunningProgram = await startProgram(
    binary,
    ['--web.listen-address=127.0.0.1:0', ...flags],
    /Listening on.*address=127\.0\.0\.1:\d+/,
  );
  const [, port] = /Listening on.*address=127\.0\.0\.1:(\d+)/.exec(program.output()) ?? [];
  return { port: Number(port), stop: program.stop };
}
