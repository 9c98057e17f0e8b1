/** A storm in one message: it stays within what Slack takes, however long the names, and counts what became of its alerts. */
import { expect, it } from 'vitest';
import { alertDigest } from '../../../../src/surfaces/slack/cards/alertDigest.ts';
import { shown } from '../../../helpers/slackReading.ts';

const entry = (i: number, more: object = {}) => ({
  alert: {
    id: i,
    hostname: `${'a-very-long-name-of-a-machine-'.repeat(8)}${i}`,
    alert_name: i % 2 ? 'DiskFull' : `${'AnUnusuallyLongNameOfAnAlert'.repeat(6)}${i}`,
    severity: ['critical', 'warning', 'info'][i % 3] as string,
    message: 'x'.repeat(2000),
    status: 'active',
    flaps: 0,
    created_at: '2026-03-02T09:00:00.000Z',
    ...more,
  },
  call: { tool: 'get_alert', input: { alert_id: i } },
});

it('fits fifty alerts with the longest names into one message', () => {
  const { blocks, text } = alertDigest(Array.from({ length: 50 }, (_, i) => entry(i)));
  // Slack refused a message of 13,500 characters, its menu counted.
  expect(JSON.stringify(blocks).length).toBeLessThan(11_000);
  expect(text.length).toBeLessThanOrEqual(4000);
  expect(blocks.length).toBeLessThanOrEqual(50);
  expect(shown({ blocks })).toContain('50 new alerts: 17 critical, 17 warning, 16 info');
});

it('counts what became of them, by cause, and offers only what is open', () => {
  const resolved = { status: 'resolved', resolved_at: '2026-03-02T09:10:00.000Z' };
  const alerts = Array.from({ length: 40 }, (_, i) =>
    entry(i, { hostname: `pc-${i}`, alert_name: 'DiskFull', severity: 'critical', ...(i < 38 && resolved) }),
  );
  const { blocks } = alertDigest(alerts);
  expect(shown({ blocks })).toContain('38 of 40 alerts are resolved; open: 2 critical');
  expect(shown({ blocks })).toContain('DiskFull: 38 of 40 resolved; open on pc-38, pc-39');
  const all = alertDigest(alerts.map(({ alert, call }) => ({ alert: { ...alert, ...resolved }, call })));
  expect(shown(all)).toContain('✅ All 40 alerts are resolved');
  expect(all.blocks.some(({ type }) => type === 'actions')).toBe(false);
});
