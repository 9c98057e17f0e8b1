/** Named amounts as bars, each with its number. */
import type { TopLevelSpec } from 'vega-lite';
import type { BarChart } from '../../core/chart.ts';
import { frameOf, type Theme } from './theme.ts';

const BAR_PX = 36;

export function barSpec(chart: BarChart, theme: Theme): TopLevelSpec {
  const y = {
    field: 'name',
    type: 'nominal',
    title: null,
    sort: null,
    axis: { ticks: false, domain: false, labelLimit: 240 },
  };
  const x = { field: 'value', type: 'quantitative', title: chart.xTitle, axis: { tickMinStep: 1 } };
  const names = [...new Set(chart.bars.map(({ group, name }) => group ?? name))];
  const known = names.every((name) => theme.statuses[name]);
  const range = known ? names.map((name) => theme.statuses[name] as string) : [theme.series[0] as string];
  return {
    ...frameOf(theme, chart.title, Math.max(110, chart.bars.length * BAR_PX)),
    data: { values: chart.bars },
    encoding: { y, x },
    layer: [
      {
        mark: { type: 'bar', cornerRadiusEnd: 4, height: { band: 0.66 } },
        encoding: {
          color: {
            field: chart.bars.some(({ group }) => group) ? 'group' : 'name',
            type: 'nominal',
            legend: null,
            scale: { domain: names, range },
          },
        },
      },
      {
        mark: { type: 'text', align: 'left', dx: 6, fontSize: 12.5, fontWeight: 'bold', color: theme.text },
        encoding: { text: { field: 'value', type: 'quantitative' } },
      },
    ],
  } as TopLevelSpec;
}
