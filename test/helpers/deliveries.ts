/** Deliveries as Alertmanager (webhook version 4) posts them. */

export const WEBHOOK_SECRET = 'a-webhook-secret';

export interface AlertGiven {
  status?: 'firing' | 'resolved';
  name?: string;
  host?: string;
  labels?: Record<string, unknown>;
  annotations?: Record<string, unknown>;
  startsAt?: string;
  endsAt?: string;
  fingerprint?: string;
}

export function alert(given: AlertGiven = {}) {
  const { status = 'firing', name = 'HighLoad', host = 'pc-1', labels = {}, annotations = {}, ...rest } = given;
  return {
    status,
    labels: { alertname: name, instance: `${host}:9100`, severity: 'warning', ...labels },
    annotations: { summary: `${name} on ${host}`, ...annotations },
    startsAt: '2026-03-02T08:59:00.000Z',
    endsAt: '0001-01-01T00:00:00Z',
    generatorURL: 'http://prometheus.example/graph',
    fingerprint: `${name}/${host}`,
    ...rest,
  };
}

export function delivery(...alerts: unknown[]) {
  return {
    receiver: 'dexops',
    status: 'firing',
    alerts,
    groupLabels: {},
    commonLabels: {},
    commonAnnotations: {},
    externalURL: 'http://alertmanager.example',
    version: '4',
    groupKey: '{}:{}',
    truncatedAlerts: 0,
  };
}
