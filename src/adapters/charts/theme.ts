/** The look that all pictures share with the page: its colours, light and dark, and one font that comes with the package. */
import { createRequire } from 'node:module';
import type { TopLevelSpec } from 'vega-lite';

const { resolve } = createRequire(import.meta.url);
export const FONT_FILES = ['DejaVuSans.ttf', 'DejaVuSans-Bold.ttf'].map((name) =>
  resolve(`dejavu-fonts-ttf/ttf/${name}`),
);
export const FONT = 'DejaVu Sans';
export const WIDTH_PX = 720;

export interface Theme {
  ground: string;
  text: string;
  soft: string;
  grid: string;
  /** Of series in their order; dashes and points tell them apart too. */
  series: readonly string[];
  limit: string;
  statuses: Readonly<Record<string, string>>;
}

export const LIGHT: Theme = {
  ground: '#ffffff',
  text: '#12161d',
  soft: '#4b5565',
  grid: '#e2e5eb',
  series: ['#4f46e5', '#0e8fb3', '#b45fd0', '#c2410c', '#16a34a', '#64748b'],
  limit: '#b01919',
  statuses: {
    healthy: '#16a34a',
    'at risk': '#e08a00',
    critical: '#dc2626',
    'not reachable': '#64748b',
    unknown: '#a3adbb',
  },
};

export const DARK: Theme = {
  ground: '#131822',
  text: '#e8ecf3',
  soft: '#b4bdcc',
  grid: '#2a3342',
  series: ['#818cf8', '#38bddf', '#d58cf0', '#fb8a54', '#34c46e', '#8494ab'],
  limit: '#ff908b',
  statuses: {
    healthy: '#34c46e',
    'at risk': '#f2a93b',
    critical: '#f2605c',
    'not reachable': '#8494ab',
    unknown: '#5f6b7e',
  },
};

/** What every Vega-Lite picture begins with. */
export function frameOf(
  theme: Theme,
  title: string,
  heightPx: number,
): Omit<TopLevelSpec, 'layer' | 'mark'> & Record<string, unknown> {
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    title: {
      text: title,
      anchor: 'start',
      fontSize: 16,
      fontWeight: 'bold',
      color: theme.text,
      offset: 14,
      limit: WIDTH_PX,
    },
    width: WIDTH_PX,
    height: heightPx,
    background: theme.ground,
    padding: 18,
    config: {
      font: FONT,
      axis: {
        labelFontSize: 12,
        titleFontSize: 12,
        titleFontWeight: 'normal',
        gridColor: theme.grid,
        domainColor: theme.grid,
        tickColor: theme.grid,
        labelColor: theme.soft,
        titleColor: theme.soft,
      },
      legend: { labelColor: theme.soft, labelFontSize: 12, symbolSize: 500, symbolStrokeWidth: 2.5 },
      view: { stroke: null },
    },
  };
}

/** A text with a rim in the ground's colour, so that no line runs through its letters. */
export function readableText(theme: Theme, mark: object, color: string): object[] {
  const text = { type: 'text', fontSize: 11.5, ...mark };
  return [
    { ...text, color: theme.ground, stroke: theme.ground, strokeWidth: 5 },
    { ...text, color },
  ];
}
