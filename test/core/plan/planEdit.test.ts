/** Plans on both databases: unedited rules replay to exactly what happened, and an edit to what it would have changed. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { jobActor } from '../../../src/core/actor.ts';
import { observeIn, resolveAlert } from '../../../src/core/alerts/alerting.ts';
import { record, SCANNER } from '../../../src/core/scans/scanning.ts';
import type { Endpoint } from '../../../src/domain/fleet/endpoint.ts';
import { linesOf } from '../../../src/domain/plan/bands.ts';
import { alertsAt, otherMoves } from '../../../src/domain/plan/otherMoves.ts';
import { machineReplayer } from '../../../src/domain/plan/replayMachine.ts';
import { unreachableSnapshot } from '../../../src/domain/signals/telemetry.ts';
import { type TestClock, testClock } from '../../helpers/clock.ts';
import { type Flat, flatSnapshot } from '../../helpers/flatSnapshot.ts';
import { WELL } from '../../helpers/machines.ts';
import { registration } from '../../helpers/rows.ts';
import { startTestService, type TestService } from '../../helpers/service.ts';
import { SLOW_STORE_KINDS } from '../../helpers/stores.ts';
import { createTestDatabase } from '../../helpers/testDatabase.ts';

const MINUTE_MS = 60_000;
const SCANS = 340;
const PERSON = { ...jobActor('test'), id: 'key:ann', kind: 'human', via: 'rest' } as const;
const SCORE_FILE = readFileSync(new URL('../../../config/dex_score.yaml', import.meta.url), 'utf8');

/** Numbers from 0 up to 1, the same in every run. */
function drawing(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296;
    return state / 4_294_967_296;
  };
}

/** What each machine shows at a scan; the sixth is in order, the seventh is away at night. */
function found(machine: number, scan: number, draw: () => number): Partial<Flat> | 'unreachable' {
  const cpuPct = 20 + 20 * draw();
  const usual = { ...WELL, cpuPct };
  if (machine === 0) return { ...usual, cpuPct: draw() < 0.8 ? 90 + 9 * draw() : cpuPct };
  if (machine === 1) return { ...usual, diskPct: 80 + ((scan * 0.2) % 20) };
  if (machine === 2) return { ...usual, servicesDown: draw() < 0.3 ? ['cups.service'] : [] };
  if (machine === 3) return { ...usual, memoryPct: 80 + 18 * draw(), latencyMs: 300 + 900 * draw() };
  if (machine === 4) return draw() < 0.4 ? 'unreachable' : { ...usual, dnsFailures: draw() < 0.3 ? 3 : 0 };
  if (machine === 6) return scan % 96 < 50 ? 'unreachable' : { ...usual, memoryPct: null, diskPct: 97 };
  return usual;
}

describe.each(SLOW_STORE_KINDS)('%s', (kind) => {
  let service: TestService;
  let clock: TestClock;
  const endpoints: Endpoint[] = [];
  beforeAll(async () => {
    clock = testClock(new Date('2026-03-02T06:00:00Z'));
    const url: Record<string, string> = kind === 'postgresql' ? { DATABASE_URL: await createTestDatabase() } : {};
    service = await startTestService(url, { clock, healing: null });
    const { ports, invoke } = service.app;
    for (let machine = 0; machine < 7; machine++)
      endpoints.push(await ports.store.endpoints.register(registration(), null, clock.now()));
    const draw = drawing(7);
    for (let scan = 0; scan < SCANS; scan++) {
      const collectedAt = clock.now();
      const current = await ports.store.endpoints.byIds(endpoints.map(({ id }) => id));
      const seen = endpoints.map(({ id }, machine) => {
        const endpoint = current.find((each) => each.id === id) as Endpoint;
        const what = found(machine, scan, draw);
        const snapshot =
          what === 'unreachable'
            ? unreachableSnapshot(endpoint, collectedAt, 'no answer', 900)
            : flatSnapshot(endpoint, collectedAt, { durationMs: 900, ...what });
        return { endpoint, snapshot };
      });
      clock.advance(900 + Math.round(800 * draw()));
      // A machine that was not scanned has a gap.
      await record(
        ports,
        seen.filter((_each, machine) => machine !== 5 || scan < 100 || scan > 300),
      );
      if (scan % 60 === 59) {
        clock.advance(MINUTE_MS);
        const [open] = await ports.store.alerts.open([endpoints[0 + (scan % 3)]?.id ?? 0]);
        if (open) await resolveAlert(ports, open.id, 'person', 'seen to', PERSON);
      }
      if (scan % 50 === 20 || scan % 50 === 40) {
        const { id, hostname } = endpoints[5] as Endpoint;
        const subject = { endpointId: id, hostname, alertName: 'KernelPanic', series: 'node', startsAt: null };
        await ports.store.transaction((store) =>
          observeIn(
            ports,
            store,
            [
              scan % 50 === 20
                ? {
                    ...subject,
                    state: 'firing',
                    alertType: 'prometheus',
                    severity: 'critical',
                    message: 'x',
                    labels: {},
                  }
                : { ...subject, state: 'clear', resolution: 'source', why: 'over', endedAt: null },
            ],
            { ...jobActor('alertmanager'), via: 'webhook' },
          ),
        );
      }
      clock.advance((8 + 8 * draw()) * MINUTE_MS);
      if (scan % 100 === 99) await invoke('maintain_retention', {}, jobActor('dex_maintain_retention'));
    }
  }, 120_000);
  afterAll(() => service.stop());

  const plan = async (input: object = {}) =>
    (await service.app.invoke('plan_rules', { days: 3, ...input }, PERSON)).output as any;

  test('unedited rules replay to what happened, move by move', async () => {
    const { ports } = service.app;
    const rules = ports.scoreRules.current();
    const { thresholds } = ports.settings;
    const lines = linesOf(rules);
    const since = new Date(0);
    const ids = endpoints.map(({ id }) => id);
    const samples = await ports.store.snapshots.stretches(ids, since, new Set(lines.keys()));
    const known = await ports.store.alerts.timelines(ids, since);
    expect([...samples.values()].flat().length).toBeGreaterThan(endpoints.length * 3);
    let moves = 0;
    const replayed = machineReplayer({ rules, thresholds, lines });
    for (const endpoint of await ports.store.endpoints.byIds(ids)) {
      const histories = known.get(endpoint.id) ?? [];
      const replay = replayed(endpoint, samples.get(endpoint.id) ?? [], {
        alerts: alertsAt(histories, 0, SCANNER.id),
        others: otherMoves(histories, SCANNER.id),
      });
      const events = histories
        .flatMap(({ alert, events }) => events.map((event) => ({ ...event, name: alert.alertName })))
        .filter(
          ({ from, to }) => (from ?? 'resolved') !== to && (from === null || from === 'resolved' || to === 'resolved'),
        )
        .sort((a, b) => a.at.getTime() - b.at.getTime() || a.name.localeCompare(b.name));
      const kindOf = (from: string | null, to: string) =>
        to === 'resolved' ? 'ended' : from === null ? 'fired' : 'flapped';
      // A scan is committed some time after it ended; nobody keeps when.
      const slot = (at: Date) => Math.round(at.getTime() / (4 * MINUTE_MS));
      const sorted = replay.moves.toSorted(
        (a, b) => a.at.getTime() - b.at.getTime() || a.alert.alertName.localeCompare(b.alert.alertName),
      );
      expect(sorted.map(({ kind, alert }) => [kind, alert.alertName])).toEqual(
        events.map(({ from, to, name }) => [kindOf(from, to), name]),
      );
      for (const [i, { at }] of sorted.entries())
        expect(Math.abs(slot(at) - slot(events[i]?.at ?? since))).toBeLessThanOrEqual(1);
      expect([endpoint.hostname, replay.status, replay.score]).toEqual([
        endpoint.hostname,
        endpoint.scoreStatus,
        endpoint.score,
      ]);
      const open = histories.flatMap(({ alert }) => (alert.status === 'resolved' ? [] : [alert.alertName]));
      expect(replay.open.map(({ alertName }) => alertName).sort()).toEqual(open.sort());
      moves += replay.moves.length;
    }
    expect(moves).toBeGreaterThan(100);
  });

  test('the plan of nothing says that nothing would change, and an edit what it would', async () => {
    const same = await plan();
    expect(same.total.planned).toEqual(same.total.happened);
    expect(same.total.happened.fired).toBeGreaterThan(20);
    expect(
      same.alerts.every(({ happened, planned }: any) => JSON.stringify(happened) === JSON.stringify(planned)),
    ).toBe(true);
    expect(same).toMatchObject({ status_change_count: 0, would_open_count: 0, would_close_count: 0 });
    expect(same.machines).toEqual({ total: 7, replayed: 7, without_samples: 0, with_gaps: 1 });

    const patient = await plan({ for: { ServiceDown: 3 } });
    const ofService = patient.alerts.find(({ alert_name }: any) => alert_name === 'ServiceDown');
    expect(ofService.planned.fired).toBeLessThan(ofService.happened.fired / 2);
    expect(patient.alerts[0].alert_name).toBe('ServiceDown');

    const strict = await plan({
      score: SCORE_FILE.replace('cpu_pct, above: 95, clear: 85, for: 3', 'cpu_pct, above: 15, clear: 10, for: 1'),
    });
    expect(strict.would_open.filter(({ alert_name }: any) => alert_name === 'HighCpu').length).toBeGreaterThanOrEqual(
      4,
    );

    const lines = await plan({ alert_threshold: 97, critical_threshold: 96 });
    expect(lines.status_change_count).toBeGreaterThan(0);
    expect(lines.total.happened).toEqual(same.total.happened);
  });

  test('a file that does not hold is refused with its line, and so is what cannot be replayed', async () => {
    const { invoke } = service.app;
    const refusal = (input: object) =>
      invoke('plan_rules', input, PERSON).then(String, (error: Error) => error.message);
    expect(await refusal({ score: 'weights: [' })).toContain('dex_score.yaml is not YAML');
    expect(await refusal({ score: SCORE_FILE.replace('for: 3', 'for: 0') })).toMatch(
      /dex_score.yaml is wrong: line \d+, alerts\.\d+/,
    );
    expect(await refusal({ map: 'remediation_map: { DiskFull: { action: format } }' })).toMatch(/line 1/);
    expect(await refusal({ for: { HihgCpu: 2 } })).toContain('No rule raises HihgCpu');
    expect(await refusal({ alert_threshold: 30 })).toContain('above the alert line');
  });
});
