import { describe, expect, it } from 'vitest';
import { type OpenPrediction, predictiveAlert } from '../../../src/domain/forecasts/predictiveAlert.ts';
import type { SeriesPoint } from '../../../src/domain/forecasts/seriesShape.ts';
import { analyseTrend, type Trend } from '../../../src/domain/forecasts/trend.ts';
import { Dice } from '../../bench/seriesGenerator.ts';

const NOW_MS = Date.UTC(2026, 2, 10, 12);
const HOUR_MS = 3_600_000;

function series(hours: number, value: (hour: number) => number | null): SeriesPoint[] {
  return Array.from({ length: hours * 4 + 1 }, (_, i) => ({
    atMs: NOW_MS + (i / 4 - hours) * HOUR_MS,
    value: value(i / 4 - hours),
  }));
}
const disk = (value: (hour: number) => number | null) => analyseTrend('diskPct', series(168, value), NOW_MS);

/** The same trend, with the impact moved. */
const moved = (trend: Trend, status: Trend['status'], expected: number, latest: number): Trend => ({
  ...trend,
  status,
  timeToImpactHours: expected,
  timeToImpactHighHours: latest,
});
const leak = disk((hour) => 75 + 0.25 * hour);
const standing: OpenPrediction = {
  severity: 'warning',
  raisedAt: new Date(NOW_MS - 10 * HOUR_MS),
  predictedTimeToImpact: 'about 3 days',
  predictedTimeToImpactHours: 70,
};

describe('raising', () => {
  it('names the alert after the metric and says when', () => {
    expect(predictiveAlert(leak)).toEqual({
      alertName: 'DiskFull',
      severity: 'warning',
      predictedTimeToImpact: 'about 3 days',
      predictedTimeToImpactHours: leak.timeToImpactHours,
      reached: false,
    });
    const memory = analyseTrend(
      'memoryPct',
      series(168, (hour) => 75 + 0.25 * hour),
      NOW_MS,
    );
    expect(predictiveAlert(memory)?.alertName).toBe('MemoryLeak');
    const cpu = analyseTrend(
      'cpuPct',
      series(168, (hour) => 75 + 0.25 * hour),
      NOW_MS,
    );
    expect(predictiveAlert(cpu)?.alertName).toBe('SustainedHighCPU');
  });

  it('is critical when even the latest bound is within 24 hours', () => {
    expect(predictiveAlert(moved(leak, 'alert', 20, 23.9))?.severity).toBe('critical');
    expect(predictiveAlert(moved(leak, 'alert', 20, 24.1))?.severity).toBe('warning');
  });

  it('keeps silent for what rises too slowly, is stable or unknown', () => {
    expect(predictiveAlert(disk((hour) => 40 + 0.05 * hour))).toBeNull();
    expect(predictiveAlert(disk(() => 88))).toBeNull();
    expect(predictiveAlert(disk(() => null))).toBeNull();
  });
});

describe('hysteresis', () => {
  it('holds a standing alert that it would not raise', () => {
    const further = moved(leak, 'rising', 200, 260);
    expect(predictiveAlert(further)).toBeNull();
    expect(predictiveAlert(further, standing)?.severity).toBe('warning');
    expect(predictiveAlert(moved(leak, 'rising', 253, 300), standing)).toBeNull();
  });

  it('keeps critical until the limit is well beyond 24 hours again', () => {
    const critical = { ...standing, severity: 'critical' as const };
    expect(predictiveAlert(moved(leak, 'alert', 30, 40), critical)?.severity).toBe('critical');
    expect(predictiveAlert(moved(leak, 'alert', 37, 50), critical)?.severity).toBe('warning');
  });

  it('holds through missing data with what was last known', () => {
    const blind = disk((hour) => (hour > -20 ? null : 75 + 0.25 * hour));
    expect(blind.status).toBe('insufficient_data');
    expect(predictiveAlert(blind, standing)).toMatchObject({ predictedTimeToImpact: 'about 3 days', reached: false });
  });

  it('ends at once when the level fell after it was raised', () => {
    const cleaned = disk((hour) => (hour < -3 ? 85 + 0.1 * hour : 40));
    expect(predictiveAlert(cleaned, standing)).toBeNull();
  });

  it('ends when the trend does', () => {
    expect(predictiveAlert({ ...leak, status: 'stable' }, standing)).toBeNull();
    expect(
      predictiveAlert(
        disk((hour) => 60 - 0.1 * hour),
        standing,
      ),
    ).toBeNull();
    expect(predictiveAlert({ ...moved(leak, 'rising', 60, 70), knownTerritory: true }, standing)).toBeNull();
  });

  it('does not flap from hour to hour on a noisy leak', () => {
    const dice = new Dice(11);
    const points = series(500, (hour) => 85 + 0.08 * hour + 2 * dice.normal());
    let alert: OpenPrediction | null = null;
    let changes = 0;
    for (let hour = -300; hour <= 0; hour++) {
      const nowMs = NOW_MS + hour * HOUR_MS;
      const seen = points.filter((point) => point.atMs <= nowMs);
      const next = predictiveAlert(analyseTrend('diskPct', seen, nowMs), alert);
      if ((next === null) !== (alert === null)) changes++;
      alert = next && { ...next, raisedAt: new Date(nowMs) };
    }
    expect(alert).not.toBeNull();
    expect(changes).toBe(1);
  });
});

describe('a limit that is reached', () => {
  const full = disk((hour) => 95 + 0.05 * hour);

  it('turns a current prediction into a critical alert that has come true', () => {
    expect(predictiveAlert(full, standing)).toMatchObject({
      alertName: 'DiskFull',
      severity: 'critical',
      predictedTimeToImpact: 'now',
      reached: true,
    });
  });

  it('raises nothing by itself: the threshold rules do', () => {
    expect(predictiveAlert(full)).toBeNull();
  });
});
