/** The series of sources that one alert stands for, each with its own start. */
import type { Alert } from './alert.ts';

type Series = Pick<Alert, 'series' | 'seriesStartsMs'>;

/** One series behind an alert, and when it began by its source's word. */
interface SeriesStart {
  series: string;
  startsMs: number | null;
}

export function startsOf({ series, seriesStartsMs }: Series): SeriesStart[] {
  return series.map((name, index) => ({ series: name, startsMs: seriesStartsMs[index] ?? null }));
}

export function holding(starts: readonly SeriesStart[]): Series {
  return { series: starts.map(({ series }) => series), seriesStartsMs: starts.map(({ startsMs }) => startsMs) };
}

/** What a firing says of its own series; of two starts the later counts, because an older delivery may come last. */
export function beginning(
  { series, startsAt }: { series: string; startsAt: Date | null },
  known?: SeriesStart,
): SeriesStart {
  const starts = [known?.startsMs ?? null, startsAt?.getTime() ?? null].filter((startMs) => startMs !== null);
  return { series, startsMs: starts.length === 0 ? null : Math.max(...starts) };
}
