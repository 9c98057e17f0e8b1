/** Pictures are drawn whole in both themes; what they look like is looked at by people. */
import { describe, expect, test } from 'vitest';
import { figuresSvg } from '../../../src/adapters/charts/figures.ts';
import { LIGHT } from '../../../src/adapters/charts/theme.ts';
import { timeSeriesSpec } from '../../../src/adapters/charts/timeSeries.ts';
import type { TimeSeriesChart } from '../../../src/core/chart.ts';

const HOUR_MS = 3_600_000;
const START = new Date('2026-11-28T00:00:00Z');
const at = (hour: number) => new Date(START.getTime() + hour * HOUR_MS);

const SERIES: TimeSeriesChart = {
  kind: 'time_series',
  title: 'Disk of pc-1 reaches 90 % in about 9 hours',
  alt: 'it rises',
  yTitle: 'disk used, %',
  lines: [
    { name: 'measured', points: [0, 1, 2].map((hour) => ({ at: at(hour), value: 80 + hour })) },
    { name: 'trend', points: [0, 9].map((hour) => ({ at: at(hour), value: 80 + hour })) },
  ],
  limits: [{ name: 'limit', value: 90 }],
  timestamps: [
    { name: 'now', at: at(2) },
    { name: '90 % in about 9 hours', at: at(9) },
  ],
};

type Layer = {
  data: { values: Record<string, unknown>[] };
  mark: Record<string, unknown>;
  encoding: Record<string, any>;
};
const layers = (timeZone: string) => (timeSeriesSpec(SERIES, LIGHT, timeZone) as unknown as { layer: Layer[] }).layer;

describe('a time series', () => {
  test('tells its lines apart by dashes as well as by colour', () => {
    const line = layers('UTC').find(({ mark }) => mark.type === 'line');
    expect(line?.encoding.strokeDash.scale.range).toHaveLength(2);
    expect(new Set(line?.encoding.strokeDash.scale.range.map(String)).size).toBe(2);
  });

  test('shows the times of the zone that is asked for, and says which', () => {
    const [utc, berlin] = ['UTC', 'Europe/Berlin'].map((zone) => layers(zone)[0]);
    expect(utc?.encoding.x.title).toBe('times in UTC');
    expect(berlin?.encoding.x.title).toBe('times in Europe/Berlin');
    expect(Number(berlin?.data.values[0]?.at) - Number(utc?.data.values[0]?.at)).toBe(HOUR_MS);
  });

  test('puts a name on that side of its line where there is room', () => {
    const names = layers('UTC').filter(({ mark }) => mark.type === 'text' && mark.align === 'right');
    expect(names[0]?.data.values.map(({ name }) => name)).toEqual(['now', '90 % in about 9 hours']);
  });
});

test('figures are words and signs besides colours, and untrusted text stays text', () => {
  const svg = figuresSvg(
    {
      kind: 'figures',
      title: 'The fleet <b>&',
      alt: '',
      figures: [
        { name: 'Fleet score', value: '92', before: '95', isBetter: false },
        { name: 'Time to resolve', value: '3 h', before: null, isBetter: null },
      ],
      history: null,
    },
    null,
    LIGHT,
    1,
  );
  expect(svg).toContain('The fleet &lt;b&gt;&amp;');
  expect(svg).toContain('▼ worse: was 95');
  expect(svg).toContain('nothing to compare with');
});
