/** A machine as somebody registers it, with a name that no other test uses. */
import type { EndpointRegistration } from '../../src/domain/endpoint.ts';

let names = 0;

export function registration(more: Partial<EndpointRegistration> = {}): EndpointRegistration {
  return {
    hostname: `machine-${++names}`,
    ipAddress: null,
    ownerEmail: null,
    persona: 'general',
    criticalityTier: 2,
    osPlatform: 'linux',
    tags: {},
    collector: 'local',
    options: {},
    ...more,
  };
}
