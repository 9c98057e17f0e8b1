/** Draws charts as PNG: Vega-Lite to SVG to pixels, no browser, with a font from a package so that it looks the same everywhere. */
import { createRequire } from 'node:module';
import type { TopLevelSpec } from 'vega-lite';
import type { BarChart, ChartRenderer, ChartSpec, TimeSeriesChart } from '../core/chart.ts';

const FONT = createRequire(import.meta.url).resolve('dejavu-fonts-ttf/ttf/DejaVuSans.ttf');
const WIDTH_PX = 720;
const HEIGHT_PX = 300;

/** Okabe and Ito's palette, distinguished by people with any common colour blindness (jfly.uni-koeln.de/color). */
const COLOURS = ['#0072B2', '#E69F00', '#009E73', '#CC79A7', '#56B4E9', '#D55E00'];
/** The first is drawn through. */
const DASHES = [
  [1, 0],
  [7, 3],
  [2, 2],
  [9, 3, 2, 3],
  [4, 4],
  [12, 4],
];
const STATUS_COLOURS: Record<string, string> = {
  healthy: '#009E73',
  'at risk': '#E69F00',
  critical: '#D55E00',
  unknown: '#999999',
};
const LIMIT_COLOUR = '#A32D00';

export const charts: ChartRenderer = {
  async png(chart) {
    // Loaded with the first picture: together they would cost every start a third of a second.
    const [vega, { compile }, { Resvg }] = await Promise.all([
      import('vega'),
      import('vega-lite'),
      import('@resvg/resvg-js'),
    ]);
    const spec = compile(chart.kind === 'time_series' ? timeSeriesSpec(chart) : barSpec(chart)).spec;
    const view = new vega.View(vega.parse(spec), { renderer: 'none' });
    const svg = await view.toSVG(2);
    view.finalize();
    const drawn = new Resvg(svg, {
      font: { fontFiles: [FONT], loadSystemFonts: false, defaultFontFamily: 'DejaVu Sans' },
    });
    return drawn.render().asPng();
  },
};

function frame(chart: ChartSpec): Omit<TopLevelSpec, 'layer' | 'mark'> & Record<string, unknown> {
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    title: { text: chart.title, anchor: 'start', fontSize: 15 },
    width: WIDTH_PX,
    height: HEIGHT_PX,
    background: 'white',
    padding: 12,
    config: {
      font: 'DejaVu Sans',
      axis: { labelFontSize: 12, titleFontSize: 12, gridColor: '#EEEEEE' },
      view: { stroke: null },
    },
  };
}

/** Room for half a line's width, so that a line along the top is seen whole. */
function withHeadroom([low, high]: [number, number]): [number, number] {
  return [low, high + (high - low) * 0.02];
}

function timeSeriesSpec(chart: TimeSeriesChart): TopLevelSpec {
  const scale = chart.yDomain ? { domain: withHeadroom(chart.yDomain) } : { zero: false };
  const y = { field: 'value', type: 'quantitative', title: chart.yTitle, scale };
  const x = {
    field: 'at',
    type: 'temporal',
    title: 'UTC',
    // The same picture on every server, whatever its own zone.
    scale: { type: 'utc' },
    axis: { labelOverlap: true, format: '%d %b %H:%M', tickCount: 6 },
  };
  const points = chart.lines.flatMap(({ name, points }) =>
    points.map(({ at, value }) => ({ name, at: at.getTime(), value })),
  );
  const names = chart.lines.map(({ name }) => name);
  const layer: object[] = [];
  if (chart.band?.length) {
    layer.push({
      data: { values: chart.band.map(({ at, low, high }) => ({ at: at.getTime(), low, high })) },
      mark: { type: 'area', opacity: 0.2, color: COLOURS[0] },
      encoding: { x, y: { field: 'low', type: 'quantitative', title: chart.yTitle, scale }, y2: { field: 'high' } },
    });
  }
  layer.push({
    data: { values: points },
    mark: { type: 'line', clip: true },
    encoding: {
      x,
      y,
      color: {
        field: 'name',
        type: 'nominal',
        title: null,
        scale: { domain: names, range: names.map((_name, index) => COLOURS[index % COLOURS.length]) },
        legend: names.length > 1 ? { orient: 'bottom' } : null,
      },
      // Lines that lie on each other, or that a reader sees without colours, are told apart by their dashes.
      strokeDash: {
        field: 'name',
        type: 'nominal',
        title: null,
        scale: { domain: names, range: names.map((_name, index) => DASHES[index % DASHES.length]) },
        legend: names.length > 1 ? { orient: 'bottom' } : null,
      },
      // The first line is the one that matters; the others are its parts.
      strokeWidth: { condition: { test: `datum.name === ${JSON.stringify(names[0])}`, value: 3 }, value: 2 },
    },
  });
  if (chart.limits?.length) {
    const values = chart.limits.map(({ name, value }) => ({ name: `${name} (${value})`, value }));
    layer.push(
      { data: { values }, mark: { type: 'rule', color: LIMIT_COLOUR, strokeWidth: 1, opacity: 0.8 }, encoding: { y } },
      {
        data: { values },
        mark: { type: 'text', align: 'left', dy: -6, dx: 4, color: LIMIT_COLOUR, fontSize: 11 },
        encoding: { y, x: { value: 0 }, text: { field: 'name' } },
      },
    );
  }
  if (chart.timestamps?.length) {
    // Each name on a line of its own at the foot: timestamps may lie close together, and the limit's name is at the top.
    const values = chart.timestamps.map(({ name, at }, i) => ({
      name,
      at: at.getTime(),
      height: HEIGHT_PX - 10 - 16 * i,
    }));
    layer.push(
      { data: { values }, mark: { type: 'rule', color: '#444444', strokeDash: [2, 3] }, encoding: { x } },
      {
        data: { values },
        mark: { type: 'text', align: 'right', dx: -4, color: '#444444', fontSize: 11 },
        encoding: { x, y: { field: 'height', type: 'quantitative', scale: null, axis: null }, text: { field: 'name' } },
      },
    );
  }
  return { ...frame(chart), layer } as TopLevelSpec;
}

function barSpec(chart: BarChart): TopLevelSpec {
  const y = { field: 'name', type: 'nominal', title: null, sort: null };
  const x = { field: 'value', type: 'quantitative', title: chart.xTitle, axis: { tickMinStep: 1 } };
  const names = [...new Set(chart.bars.map(({ group, name }) => group ?? name))];
  const known = names.every((name) => STATUS_COLOURS[name]);
  const range = known ? names.map((name) => STATUS_COLOURS[name] as string) : [COLOURS[0] as string];
  return {
    ...frame(chart),
    height: Math.max(120, chart.bars.length * 34),
    data: { values: chart.bars },
    encoding: { y, x },
    layer: [
      {
        mark: { type: 'bar', cornerRadiusEnd: 3 },
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
        mark: { type: 'text', align: 'left', dx: 5, fontSize: 12 },
        encoding: { text: { field: 'value', type: 'quantitative' } },
      },
    ],
  } as TopLevelSpec;
}
