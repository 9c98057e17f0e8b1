/** Counts the alerts that senders held back, and keeps the health page saying so while it may still matter. */
import type { Truncation } from '../ports/alertPorts.ts';
import type { Ports } from '../ports/ports.ts';

/** As long as a sender that repeats every few hours (Alertmanager's default is four) may still hold something back. */
const REMEMBERED_MS = 6 * 3_600_000;

const ADVICE =
  'set max_alerts: 0 in the webhook_configs of Alertmanager (in Grafana: Max Alerts of the contact point), or group alerts finer';

interface TruncationCounter {
  /**
   * @param given `truncatedAlerts` of a delivery, which any sender may set to anything
   * @returns how many alerts the delivery lacks; 0 when it says nothing sensible
   */
  note(given: unknown): number;
  report(): Truncation;
}

/** Counts since the process began. */
export function createTruncationCounter({
  clock,
  log,
  metrics,
}: Pick<Ports, 'clock' | 'log' | 'metrics'>): TruncationCounter {
  let alerts = 0;
  let deliveries = 0;
  let last: { alerts: number; at: Date } | null = null;
  return {
    note(given) {
      const held = Number.isSafeInteger(given) && (given as number) > 0 ? (given as number) : 0;
      if (held === 0) return 0;
      alerts += held;
      deliveries += 1;
      last = { alerts: held, at: clock.now() };
      metrics.alertsTruncated(held);
      log.warn({ truncated_alerts: held, total: alerts }, `a delivery lacks alerts: ${ADVICE}`);
      return held;
    },
    report() {
      const facts = { truncated_alerts: alerts, truncated_deliveries: deliveries };
      if (!last || clock.now().getTime() - last.at.getTime() > REMEMBERED_MS) return { status: 'ok', ...facts };
      return {
        status: 'degraded',
        detail: `senders held back ${alerts} alerts, ${last.alerts} of them at ${last.at.toISOString()}: ${ADVICE}`,
        ...facts,
      };
    },
  };
}
