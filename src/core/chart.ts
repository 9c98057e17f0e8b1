/** Pictures as data: what a chart shows; an adapter draws it. */

interface SeriesPoint {
  at: Date;
  value: number;
}

interface Line {
  name: string;
  points: SeriesPoint[];
}

/** A time series with optional limits, a forecast band and marked timestamps. */
export interface TimeSeriesChart {
  kind: 'time_series';
  title: string;
  /** What the picture shows, as text, for those who cannot see it. */
  alt: string;
  yTitle: string;
  yDomain?: [number, number];
  lines: Line[];
  limits?: { name: string; value: number }[];
  band?: { at: Date; low: number; high: number }[];
  timestamps?: { name: string; at: Date }[];
}

/** Named amounts side by side. */
export interface BarChart {
  kind: 'bars';
  title: string;
  alt: string;
  xTitle: string;
  bars: { name: string; value: number; group?: string }[];
}

/** A few figures, each beside the one before, and a time series below them. */
export interface FiguresChart {
  kind: 'figures';
  title: string;
  alt: string;
  figures: {
    name: string;
    /** With their units; null where there is nothing to compare with. */
    value: string;
    before: string | null;
    /** Null where neither is better. */
    isBetter: boolean | null;
  }[];
  history: TimeSeriesChart | null;
}

export type ChartSpec = TimeSeriesChart | BarChart | FiguresChart;

/** How a chart is drawn; by default on white, with times in UTC. */
export interface ChartLook {
  dark?: boolean;
  /** IANA name. */
  timeZone?: string;
}

/** Draws a chart as PNG. */
export interface ChartRenderer {
  png(chart: ChartSpec, look?: ChartLook): Promise<Uint8Array>;
}
