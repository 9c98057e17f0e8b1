/**
 * One HTTP server that plays a whole fleet of node_exporters, endpoint N at `/endpoint/N/metrics`. Run as a program
 * (`node test/helpers/exporterFleet.ts`) it prints `listening PORT` and serves until it is stopped, so that a
 * benchmark can keep its cost out of its own process.
 */
import { createServer } from 'node:http';
import { exporterPage, type SimulatedMachine } from './exporterPage.ts';

export interface ExporterFleet {
  port: number;
  /** How many pages were served so far. */
  served(): number;
  stop(): Promise<void>;
}

/** The collector option `path` of endpoint N. */
export const endpointPath = (index: number): string => `/endpoint/${index}/metrics`;

/** Machines that differ, repeatably: the index decides the load. */
export function machineOf(index: number): SimulatedMachine {
  return {
    cores: 4,
    cpuBusyPct: (index * 7) % 100,
    memoryUsedPct: (index * 13) % 100,
    diskUsedPct: (index * 17) % 100,
    bootedAt: new Date(Date.UTC(2026, 0, 1 + (index % 28))),
  };
}

/** Serves on one address of loopback. A path without an endpoint number is answered 404. */
export async function startExporterFleet(port = 0, machine = machineOf, address = '127.0.0.1'): Promise<ExporterFleet> {
  let served = 0;
  const server = createServer((request, response) => {
    const [, index] = /^\/endpoint\/(\d+)\/metrics$/.exec(request.url ?? '') ?? [];
    if (index === undefined) {
      response.writeHead(404).end();
      return;
    }
    served++;
    response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' });
    response.end(exporterPage(machine(Number(index)), new Date()));
  });
  await new Promise<void>((listening) => server.listen(port, address, 1024, listening));
  const listening = server.address();
  if (listening === null || typeof listening === 'string') throw new Error('the fleet got no TCP port');
  return {
    port: listening.port,
    served: () => served,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

if (import.meta.main) {
  const fleet = await startExporterFleet();
  process.stdout.write(`listening ${fleet.port}\n`);
  process.once('SIGTERM', () => void fleet.stop());
}
