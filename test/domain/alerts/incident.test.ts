import { expect, test } from 'vitest';
import type { Alert, Severity } from '../../../src/domain/alerts/alert.ts';
import { incidents } from '../../../src/domain/alerts/incident.ts';

const NOW = new Date('2026-03-02T09:00:00Z').getTime();

function alert(endpointId: number, alertName: string, severity: Severity = 'warning', ageMin = 0): Alert {
  return {
    endpointId,
    hostname: `pc-${endpointId}`,
    alertName,
    severity,
    createdAt: new Date(NOW - ageMin * 60_000),
  } as Alert;
}

test('an incident is two or more, worst first, then most, then longest', () => {
  const found = incidents([
    alert(1, 'A'),
    alert(2, 'A', 'warning', 5),
    alert(2, 'B', 'warning', 9),
    alert(3, 'A'),
    alert(3, 'B', 'critical'),
    alert(4, 'A'),
    alert(4, 'B'),
    alert(4, 'C'),
    alert(5, 'A', 'warning', 1),
    alert(5, 'B', 'warning', 1),
  ]);
  expect(found.map(({ hostname }) => hostname)).toEqual(['pc-3', 'pc-4', 'pc-2', 'pc-5']);
  expect(found[0]?.alerts.map(({ alertName }) => alertName)).toEqual(['B', 'A']);
  expect(found[2]?.since).toEqual(new Date(NOW - 9 * 60_000));
});
