/** An alert and an endpoint with nothing special about them, for rules that look at one field. */
import type { Alert } from '../../src/domain/alerts/alert.ts';
import type { Endpoint } from '../../src/domain/fleet/endpoint.ts';

const AT = new Date('2026-03-02T08:00:00Z');

export function alertOf(more: Partial<Alert> = {}): Alert {
  return {
    id: 42,
    endpointId: 1,
    hostname: 'pc-1',
    alertName: 'DiskFull',
    severity: 'critical',
    alertType: 'metric',
    message: 'disk /: 97 %, above 95 %',
    status: 'active',
    labels: {},
    series: ['scan'],
    seriesStartsMs: [null],
    startsAt: AT,
    acknowledgedAt: null,
    acknowledgedUntil: null,
    acknowledgedBy: null,
    predictedTimeToImpact: null,
    remediationRunId: null,
    ticket: null,
    flaps: 0,
    handledAt: null,
    createdAt: AT,
    updatedAt: AT,
    resolvedAt: null,
    resolution: null,
    ...more,
  };
}

export function endpointOf(more: Partial<Endpoint> = {}): Endpoint {
  return {
    id: 1,
    hostname: 'pc-1',
    ipAddress: '127.0.0.1',
    ownerEmail: null,
    persona: 'developer',
    criticalityTier: 2,
    osPlatform: 'linux',
    tags: {},
    collector: 'ssh',
    options: {},
    registeredAt: AT,
    updatedAt: AT,
    deregisteredAt: null,
    lastScanAt: null,
    lastSeenAt: null,
    unreachableReason: null,
    score: null,
    scoreStatus: 'unknown',
    coverage: null,
    scoredAt: null,
    breaches: {},
    ...more,
  };
}
