/** An endpoint with everything that it is called, as answers show it. */
import type { z } from 'zod';
import type { Endpoint } from '../../domain/fleet/endpoint.ts';
import type { Ports } from '../ports/ports.ts';
import { endpointLine, presentEndpoint } from '../present.ts';
import type { identifiedEndpointShape } from '../shapes.ts';
import { identityWarnings } from './aliases.ts';

export async function presentIdentified(
  { store, settings, reporters }: Ports,
  endpoint: Endpoint,
  now: Date,
): Promise<z.input<typeof identifiedEndpointShape>> {
  const aliases = (await store.aliases.ofEndpoints([endpoint.id])).get(endpoint.id) ?? [];
  const remark = reporters.remarkOf(endpoint.hostname);
  const warnings = [...(await identityWarnings(store, { ...endpoint, aliases })), ...(remark ? [remark] : [])];
  return { ...presentEndpoint(endpoint, now, settings.scanIntervalMs), aliases, warnings };
}

/** The endpoint's line, its aliases and what it shares with others. */
export function identityLines(endpoint: z.output<typeof identifiedEndpointShape>): string[] {
  const aliases = endpoint.aliases.map(({ kind, value }) =>
    kind === 'machine_id' || kind === 'serial_number' ? `${kind.replace('_', ' ')} ${value}` : value,
  );
  return [
    endpointLine(endpoint),
    ...(aliases.length > 0 ? [`Also known as: ${aliases.join(', ')}`] : []),
    ...endpoint.warnings.map((warning) => `Note: ${warning}`),
  ];
}
