/** Draws charts as PNG: Vega-Lite to SVG to pixels, no browser, with a font from a package so that it looks the same everywhere. */
import type { TopLevelSpec } from 'vega-lite';
import type { ChartLook, ChartRenderer, ChartSpec } from '../../core/chart.ts';
import { barSpec } from './bars.ts';
import { figuresSvg } from './figures.ts';
import { DARK, FONT, FONT_FILES, LIGHT, type Theme } from './theme.ts';
import { timeSeriesSpec } from './timeSeries.ts';

export const charts: ChartRenderer = {
  async png(chart, look = {}) {
    const svg = await svgOf(chart, look.dark ? DARK : LIGHT, look);
    const { Resvg } = await import('@resvg/resvg-js');
    const drawn = new Resvg(svg, { font: { fontFiles: FONT_FILES, loadSystemFonts: false, defaultFontFamily: FONT } });
    return drawn.render().asPng();
  },
};

/** Twice the size in pixels, for displays that have them. */
const SCALE = 2;

async function svgOf(chart: ChartSpec, theme: Theme, { timeZone = 'UTC' }: ChartLook): Promise<string> {
  if (chart.kind === 'bars') return vegaSvg(barSpec(chart, theme));
  if (chart.kind === 'time_series') return vegaSvg(timeSeriesSpec(chart, theme, timeZone));
  const history = chart.history && (await vegaSvg(timeSeriesSpec(chart.history, theme, timeZone)));
  return figuresSvg(chart, history, theme, SCALE);
}

async function vegaSvg(spec: TopLevelSpec): Promise<string> {
  // Loaded with the first picture: together they would cost every start a third of a second.
  const [vega, { compile }] = await Promise.all([import('vega'), import('vega-lite')]);
  const view = new vega.View(vega.parse(compile(spec).spec), { renderer: 'none' });
  const svg = await view.toSVG(SCALE);
  view.finalize();
  return svg;
}
