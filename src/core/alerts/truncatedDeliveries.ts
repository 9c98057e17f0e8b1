/** Counts the alerts that senders held back, and keeps the health page saying so while it may still matter. */
import type { Ports } from '../ports/ports.ts';
import type { Check } from '../processes/health.ts';

/** As long as a sender that repeats every few hours (Alertmanager's default is four) may still hold something back. */
const REMEMBERED_MS = 6 * 3_600_000;

interface Truncation {
  /** Since the process began. */
  alerts: number;
  deliveries: number;
  lastAlerts: number;
  lastAt: Date;
}

/** One for each application, by its ports. */
const truncations = new WeakMap<object, Truncation>();

/**
 * @param given `truncatedAlerts` of a delivery, which any sender may set to anything
 * @returns how many alerts the delivery lacks; 0 when it says nothing sensible
 */
export function noteTruncation(ports: Pick<Ports, 'clock' | 'log' | 'metrics'>, given: unknown): number {
  const alerts = Number.isSafeInteger(given) && (given as number) > 0 ? (given as number) : 0;
  if (alerts === 0) return 0;
  const before = truncations.get(ports);
  const after = {
    alerts: (before?.alerts ?? 0) + alerts,
    deliveries: (before?.deliveries ?? 0) + 1,
    lastAlerts: alerts,
    lastAt: ports.clock.now(),
  };
  truncations.set(ports, after);
  ports.metrics.alertsTruncated(alerts);
  ports.log.warn({ truncated_alerts: alerts, total: after.alerts }, `a delivery lacks alerts: ${ADVICE}`);
  return alerts;
}

const ADVICE =
  'set max_alerts: 0 in the webhook_configs of Alertmanager (in Grafana: Max Alerts of the contact point), or group alerts finer';

export function truncationCheck(ports: Pick<Ports, 'clock'>): Check {
  const found = truncations.get(ports);
  if (!found) return { status: 'ok' };
  const facts = { truncated_alerts: found.alerts, truncated_deliveries: found.deliveries };
  if (ports.clock.now().getTime() - found.lastAt.getTime() > REMEMBERED_MS) return { status: 'ok', ...facts };
  return {
    status: 'degraded',
    detail: `senders held back ${found.alerts} alerts, ${found.lastAlerts} of them at ${found.lastAt.toISOString()}: ${ADVICE}`,
    ...facts,
  };
}
