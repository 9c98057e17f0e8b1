/** What got better from one period to the next: the alerts that came less often. */
import type { KpiAlert } from './kpi.ts';

interface Improvement {
  alertName: string;
  /** How often it was raised in the period, and in the one before. */
  alerts: number;
  before: number;
}

const MOST = 3;

/**
 * The greatest improvements first.
 *
 * @param alerts those of both periods
 * @param since where the one before ends and the other begins
 */
export function improvements(alerts: readonly Pick<KpiAlert, 'alertName' | 'createdAt'>[], before: Date, since: Date) {
  const counted = new Map<string, Improvement>();
  for (const { alertName, createdAt } of alerts) {
    if (createdAt < before) continue;
    const found = counted.get(alertName) ?? { alertName, alerts: 0, before: 0 };
    if (createdAt < since) found.before++;
    else found.alerts++;
    counted.set(alertName, found);
  }
  return [...counted.values()]
    .filter(({ alerts, before }) => alerts < before)
    .sort((a, b) => b.before - b.alerts - (a.before - a.alerts) || a.alertName.localeCompare(b.alertName))
    .slice(0, MOST);
}
