/** Figures beside those of the period before, over a time series: a picture that says how the fleet fares. */
import type { FiguresChart } from '../../core/chart.ts';
import { FONT, type Theme, WIDTH_PX } from './theme.ts';

const PADDING_PX = 20;
const TITLE_PX = 46;
const TILE_PX = 92;
const GAP_PX = 12;
/** Vega's own padding and axis add this to its width. */
const SIDE_PX = 90;

/** @param history the time series below, as an SVG of `scale` times its size; null without one */
export function figuresSvg(chart: FiguresChart, history: string | null, theme: Theme, scale: number): string {
  const size = history && /width="([\d.]+)" height="([\d.]+)"/.exec(history);
  const width = size ? Number(size[1]) / scale : WIDTH_PX + SIDE_PX;
  const historyHeight = size ? Number(size[2]) / scale : 0;
  const height = TITLE_PX + TILE_PX + PADDING_PX + historyHeight;
  const tileWidth = (width - 2 * PADDING_PX - GAP_PX * (chart.figures.length - 1)) / chart.figures.length;
  const tiles = chart.figures.map((figure, i) => tile(figure, PADDING_PX + i * (tileWidth + GAP_PX), tileWidth, theme));
  const below = history === null ? '' : placed(history, TITLE_PX + TILE_PX + GAP_PX, width, historyHeight);
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width * scale}" height="${height * scale}" viewBox="0 0 ${width} ${height}" font-family="${FONT}">
<rect width="${width}" height="${height}" fill="${theme.ground}"/>
<text x="${PADDING_PX}" y="32" font-size="16" font-weight="bold" fill="${theme.text}">${escaped(chart.title)}</text>
${tiles.join('\n')}${below}</svg>`;
}

function tile(
  { name, value, before, isBetter }: FiguresChart['figures'][number],
  left: number,
  width: number,
  theme: Theme,
): string {
  const color = isBetter === null ? theme.soft : isBetter ? theme.statuses.healthy : theme.limit;
  // A sign besides the colour.
  const sign = isBetter === null ? '' : isBetter ? '▲ better: ' : '▼ worse: ';
  const text = (y: number, size: number, fill: string | undefined, content: string, weight = 'normal') =>
    `<text x="${left + 14}" y="${TITLE_PX + y}" font-size="${size}" font-weight="${weight}" fill="${fill}">${escaped(content)}</text>`;
  return [
    `<rect x="${left}" y="${TITLE_PX}" width="${width}" height="${TILE_PX}" rx="10" fill="none" stroke="${theme.grid}"/>`,
    text(24, 11.5, theme.soft, name),
    text(54, 23, theme.text, value, 'bold'),
    text(77, 10.5, color, before === null ? 'nothing to compare with' : `${sign}was ${before}`),
  ].join('');
}

function placed(svg: string, y: number, width: number, height: number): string {
  return svg.replace(
    /<svg ([^>]*?)width="[\d.]+" height="[\d.]+"/,
    `<svg $1x="0" y="${y}" width="${width}" height="${height}"`,
  );
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
