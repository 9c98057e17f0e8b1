/** Lines over time with their limits, the band of uncertainty and marked timestamps. */
import type { TopLevelSpec } from 'vega-lite';
import type { TimeSeriesChart } from '../../core/chart.ts';
import { localTime } from '../../domain/time/localTime.ts';
import { frameOf, readableText, type Theme, WIDTH_PX } from './theme.ts';

const HEIGHT_PX = 300;
/** Told apart by these too, not by colour alone. */
const DASHES = [
  [1, 0],
  [7, 4],
  [2, 3],
  [10, 3, 2, 3],
  [4, 2],
  [12, 5],
];
/** Names at the foot of marked timestamps: the height of one, and how much room a letter takes. */
const MARK_PX = 17;
const LETTER_PX = 7;

/** @param timeZone in which the times are shown, as IANA names it */
export function timeSeriesSpec(chart: TimeSeriesChart, theme: Theme, timeZone: string): TopLevelSpec {
  const shown = (at: Date) => localMs(at, timeZone);
  const scale = chart.yDomain ? { domain: withHeadroom(chart.yDomain) } : { zero: false };
  const y = { field: 'value', type: 'quantitative', title: chart.yTitle, scale };
  const x = {
    field: 'at',
    type: 'temporal',
    title: `times in ${timeZone}`,
    scale: { type: 'utc' },
    axis: { labelOverlap: true, format: '%d %b %H:%M', tickCount: 6, grid: false },
  };
  // The first line is the one that matters, so it is drawn over the others.
  const points = chart.lines
    .toReversed()
    .flatMap(({ name, points }) => points.map(({ at, value }) => ({ name, at: shown(at), value })));
  const names = chart.lines.map(({ name }) => name);
  const legend = names.length > 1 ? { orient: 'bottom', title: null, symbolType: 'stroke' } : null;
  const layer: object[] = [];
  if (chart.band?.length)
    layer.push({
      data: { values: chart.band.map(({ at, low, high }) => ({ at: shown(at), low, high })) },
      mark: { type: 'area', opacity: 0.2, color: theme.series[0], clip: true },
      encoding: { x, y: { ...y, field: 'low' }, y2: { field: 'high' } },
    });
  layer.push({
    data: { values: points },
    // A line of two points would hardly be seen without them.
    mark: {
      type: 'line',
      strokeWidth: 2.4,
      clip: true,
      point: points.length <= 4 * names.length ? { size: 60 } : false,
    },
    encoding: {
      x,
      y,
      color: {
        field: 'name',
        type: 'nominal',
        title: null,
        scale: { domain: names, range: theme.series.slice(0, names.length) },
        legend,
      },
      strokeDash: {
        field: 'name',
        type: 'nominal',
        title: null,
        scale: { domain: names, range: DASHES.slice(0, names.length) },
        legend,
      },
    },
  });
  layer.push(...limitLayers(chart, theme, y), ...markLayers(chart, theme, x, shown));
  return { ...frameOf(theme, chart.title, HEIGHT_PX), layer } as TopLevelSpec;
}

function limitLayers({ limits = [] }: TimeSeriesChart, theme: Theme, y: object): object[] {
  if (limits.length === 0) return [];
  const values = limits.map(({ name, value }) => ({ name: `${name} ${value}`, value }));
  return [
    { data: { values }, mark: { type: 'rule', color: theme.limit, strokeDash: [6, 4] }, encoding: { y } },
    ...readableText(theme, { align: 'left', baseline: 'top', dy: 4, dx: 5 }, theme.limit).map((mark) => ({
      data: { values },
      mark,
      encoding: { y, x: { value: 0 }, text: { field: 'name' } },
    })),
  ];
}

/** Each name on a line of its own at the foot, since timestamps may lie close together, and on the side where there is room. */
function markLayers(
  { timestamps = [], lines, band = [] }: TimeSeriesChart,
  theme: Theme,
  x: object,
  shown: (at: Date) => number,
): object[] {
  if (timestamps.length === 0) return [];
  const all = [...lines.flatMap(({ points }) => points), ...band].map(({ at }) => shown(at));
  const [first, last] = [Math.min(...all), Math.max(...all)];
  const placeOf = (at: number) => ((at - first) / (last - first || 1)) * WIDTH_PX;
  const values = timestamps.map(({ name, at }, i) => ({
    name,
    at: shown(at),
    height: HEIGHT_PX - 12 - MARK_PX * i,
    isLeft: placeOf(shown(at)) > name.length * LETTER_PX + 8,
  }));
  const named = [true, false].flatMap((isLeft) =>
    readableText(theme, { align: isLeft ? 'right' : 'left', dx: isLeft ? -6 : 6 }, theme.soft).map((mark) => ({
      data: { values: values.filter((value) => value.isLeft === isLeft) },
      mark,
      encoding: { x, y: { field: 'height', type: 'quantitative', scale: null, axis: null }, text: { field: 'name' } },
    })),
  );
  return [
    { data: { values }, mark: { type: 'rule', color: theme.soft, strokeDash: [2, 3] }, encoding: { x } },
    ...named,
  ];
}

/** Room for half a line's width, so that a line along the top is seen whole. */
function withHeadroom([low, high]: [number, number]): [number, number] {
  return [low, high + (high - low) * 0.02];
}

/** The timestamp at which a clock in UTC shows what a clock of the time zone shows. */
function localMs(at: Date, timeZone: string): number {
  const { year, month, day, hour, minute } = localTime(at, timeZone);
  return Date.UTC(year, month - 1, day, hour, minute) + (at.getTime() % 60_000);
}
