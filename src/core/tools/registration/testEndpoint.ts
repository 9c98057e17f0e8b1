/** The tool that tries a machine before it is registered: a scan of which nothing is kept. */
import { z } from 'zod';
import { MEASURES, numbersOf } from '../../../domain/signals/measures.ts';
import { AppError } from '../../errors.ts';
import { newRegistration, registrationSchema } from '../../registration/newRegistration.ts';
import { defineTool } from '../../tool.ts';

export const testEndpoint = defineTool({
  name: 'test_endpoint',
  namesMachines: true,
  title: 'Test a machine before it is registered',
  effect: 'read',
  reach: 'fleet',
  // It makes the service open connections.
  role: 'operator',
  hiddenFrom: ['mcp', 'planner'],
  description:
    'Scan a machine with the data that it would be registered with, and keep nothing: whether it answers, how many signals it gives, and why it does not.',
  http: { method: 'POST', path: '/api/v1/dex/endpoints/test' },
  command: {
    name: 'test',
    args: ['hostname', 'ip_address'],
    example: 'test dev-machine-01 10.0.1.42 --collector ssh --username dexops',
  },
  input: registrationSchema,
  output: z.object({
    hostname: z.string(),
    reachable: z.boolean(),
    unreachable_reason: z.string().nullable(),
    measured: z.number().int(),
    signals: z.number().int(),
    duration_ms: z.number(),
  }),
  async run(input, { ports, now, signal }) {
    const target = newRegistration(input);
    if (target.collector === 'push')
      throw new AppError(
        'refused',
        'A machine with the collector push reports by itself; register it and start its agent.',
      );
    const snapshot = await ports.collector.collect(target, { now, signal, previousScanAt: null });
    return {
      hostname: target.hostname,
      reachable: snapshot.reachable,
      unreachable_reason: snapshot.unreachableReason,
      measured: MEASURES.filter((measure) => numbersOf(snapshot, measure) !== null).length,
      signals: MEASURES.length,
      duration_ms: Math.round(snapshot.durationMs),
    };
  },
  cameToNothing: ({ reachable }) => !reachable,
  summary: ({ hostname, reachable, unreachable_reason, measured, signals, duration_ms }) =>
    reachable
      ? `${hostname} answers: ${measured} of ${signals} signals in ${duration_ms} ms. Nothing was kept.`
      : `${hostname} does not answer: ${unreachable_reason}`,
});
