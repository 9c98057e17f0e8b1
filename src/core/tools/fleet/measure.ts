/** The scanning agent's only tool: a scan of one machine that records nothing. */
import { z } from 'zod';
import { NOT_SCANNED_FROM_HERE } from '../../../domain/signals/telemetry.ts';
import { AppError } from '../../errors.ts';
import { flatSnapshotWire, snapshotToFlatWire } from '../../scans/agentSnapshot.ts';
import { requireEndpoint } from '../../scans/scanning.ts';
import { hostnameInput } from '../../shapes.ts';
import { machineSubject } from '../../subjects.ts';
import { defineTool } from '../../tool.ts';

export const measureEndpoint = defineTool({
  name: 'measure_endpoint',
  title: 'Measure an endpoint',
  effect: 'read',
  reach: 'selection',
  subject: machineSubject,
  role: 'operator',
  hiddenFrom: ['rest', 'slack', 'mcp', 'cli', 'job', 'webhook', 'agent'],
  description:
    'Measure one machine now: processor, memory, disk, network, services and log errors. A null was not measured; unmeasured says why.',
  input: z.strictObject({ hostname: hostnameInput }),
  output: flatSnapshotWire.extend({
    hostname: z.string(),
    reachable: z.boolean(),
    unreachable_reason: z.string().nullable(),
  }),
  async run({ hostname: host }, { ports, now, signal }) {
    const endpoint = await requireEndpoint(ports, host);
    const { hostname } = endpoint;
    const reason = NOT_SCANNED_FROM_HERE[endpoint.collector];
    if (reason) throw new AppError('refused', `${hostname} ${reason} and cannot be measured from here.`);
    const snapshot = await ports.collector.collect(endpoint, { now, signal, previousScanAt: endpoint.lastScanAt });
    return {
      hostname,
      reachable: snapshot.reachable,
      unreachable_reason: snapshot.unreachableReason,
      ...snapshotToFlatWire(snapshot),
    };
  },
  summary: (measured) => JSON.stringify(measured),
});
