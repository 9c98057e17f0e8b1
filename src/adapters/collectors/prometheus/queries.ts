/** The queries of a cycle: one for each metric that the exporters' readings are made of, cut to what is read of it. */

/** Labels that the readings do not look at, where leaving them apart would multiply the answer. */
const SUMMED: Record<string, string> = { node_cpu_seconds_total: 'cpu', windows_cpu_time_total: 'core' };

/** Of these only the series that are 1 say something. */
const ONES = new Set(['node_systemd_unit_state', 'windows_service_state']);

const NARROWED: readonly (readonly [RegExp, string])[] = [
  [/^node_filesystem_/, 'fstype!~"tmpfs|ramfs|devtmpfs|squashfs|nsfs|autofs"'],
  [/^node_network_(receive|transmit)_errs/, 'device!~"lo|veth.*|docker.*|br-.*"'],
  [/^node_disk_/, 'device!~"(loop|ram|zram|sr|fd|dm-|md).*"'],
];

/** @param selector matchers without braces */
export function queryOf(metric: string, selector: string): string {
  const narrowed = NARROWED.find(([pattern]) => pattern.test(metric))?.[1] ?? '';
  const series = `${metric}{${[selector, narrowed].filter(Boolean).join(',')}}`;
  if (SUMMED[metric]) return `sum without (${SUMMED[metric]}) (${series})`;
  return ONES.has(metric) ? `${series} == 1` : series;
}
