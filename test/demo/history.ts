/** A week of the company's past: the service itself scans the simulated fleet under a clock that runs ahead, an hour a step. */
import { setTimeout as delay } from 'node:timers/promises';
import { type App, createApp } from '../../src/app.ts';
import type { Config } from '../../src/config.ts';
import type { Actor } from '../../src/core/actor.ts';
import type { Clock, Collector } from '../../src/core/ports/ports.ts';
import type { FleetScanCounts } from '../../src/core/scans/fleetScan.ts';
import { flatSnapshot } from '../helpers/flatSnapshot.ts';
import { COMPANY, loadOf } from './company.ts';

const HOUR_MS = 3_600_000;
export const PAST_HOURS = 7 * 24;

/** Who registers the machines and acknowledges what came up in that week. */
const IT: Actor = { id: 'demo:it', name: 'the demo', kind: 'human', via: 'cli', role: 'admin' };

export interface Past {
  scans: number;
  alerts: number;
}

/**
 * Registers the machines and lives through the week: every score, alert and key figure of it is made by the same code as in
 * real life, and only what is looked at and the clock are simulated. Nobody is told of it.
 *
 * @param registrations bodies of POST /api/v1/dex/endpoints, in the company's order
 */
export async function liveThroughAWeek(config: Config, registrations: object[], present: Date): Promise<Past> {
  let now = new Date(present.getTime() - PAST_HOURS * HOUR_MS);
  const clock: Clock = { now: () => now };
  const quiet = { ...config, SLACK_BOT_TOKEN: '', DEX_SELF_HEALING_ENABLED: false };
  const app = await createApp(quiet, { clock, collector: remembered(present), healing: null });
  try {
    for (const registration of registrations)
      await app.invoke('register_endpoint', registration as Record<string, unknown>, IT);
    await app.startWorking({ recover: false });
    let scans = 0;
    // The present is for the real scans.
    for (let hour = 0; hour < PAST_HOURS; hour++) {
      scans += await scanFleet(app);
      await acknowledgeNew(app.invoke);
      now = new Date(now.getTime() + HOUR_MS);
    }
    const { output } = await app.invoke('list_alerts', { status: 'all', limit: 1 }, IT);
    return { scans, alerts: Number(output.total) };
  } finally {
    await app.close();
  }
}

/** One scan of the whole fleet, to its end. */
async function scanFleet({ invoke, ports }: App): Promise<number> {
  const { output } = await invoke('scan_fleet', {}, IT);
  for (;;) {
    const run = await ports.store.runs.get(String(output.run_id));
    if (run?.finishedAt) return (run.result as FleetScanCounts).scanned;
    await delay(5);
  }
}

type Invoke = App['invoke'];

/** An hour after it came up, somebody takes note of it. */
async function acknowledgeNew(invoke: Invoke): Promise<void> {
  const { output } = await invoke('list_alerts', { status: 'active' }, IT);
  for (const { id } of output.alerts as { id: number }[])
    await invoke('acknowledge_alert', { alert_id: id, until_clear: true }, IT);
}

/** Looks at machines as they were. */
function remembered(present: Date): Collector {
  return {
    async collect(target, { now }) {
      const index = COMPANY.findIndex(({ hostname }) => hostname === target.hostname);
      const { cpuPct, memoryPct, diskPct, failedUnits } = loadOf(index, now, present);
      return flatSnapshot(target, now, {
        durationMs: 4,
        cpuPct,
        memoryPct,
        diskPct,
        diskMount: '/',
        latencyMs: 12,
        packetLossPct: 0,
        servicesDown: failedUnits,
      });
    },
  };
}
