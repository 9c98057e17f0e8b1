/** From which level on a person notices a measure, and how far it has to move before the move means anything. */
import { declarationOf } from '../signals/catalogue.ts';
import { type Measure, signalOf } from '../signals/measures.ts';

interface Level {
  /** Nobody notices less, however unusual it is. */
  notable: number;
  /** Everybody notices this much, however usual it is. */
  serious: number;
  /** A smaller move than this is none. */
  material: number;
  /** True for counts, flags and lists that do not waver: the last scan alone says how things are. */
  event?: true;
  /** True where the level says nothing by itself (a VPN that is off), only that it used to be another. */
  needsUsual?: true;
  /** It has to be at least so many times worse than usual. */
  factor?: number;
}

/** In the units of the measures; for those of which more is better `serious` lies below `notable`. */
const LEVELS: Readonly<Record<Measure, Level>> = {
  cpu_pct: { notable: 65, serious: 92, material: 20 },
  iowait_pct: { notable: 12, serious: 40, material: 8 },
  steal_pct: { notable: 8, serious: 25, material: 6 },
  cpu_pressure_pct: { notable: 30, serious: 70, material: 15 },
  memory_pct: { notable: 84, serious: 95, material: 7 },
  memory_pressure_pct: { notable: 10, serious: 40, material: 8 },
  commit_pct: { notable: 86, serious: 95, material: 7 },
  swap_pct: { notable: 55, serious: 92, material: 20 },
  swap_pages_per_s: { notable: 200, serious: 1000, material: 150 },
  disk_pct: { notable: 88, serious: 95, material: 3 },
  boot_pct: { notable: 88, serious: 95, material: 5 },
  inodes_pct: { notable: 85, serious: 95, material: 4 },
  read_only_mounts: { notable: 1, serious: 1, material: 1, event: true },
  io_pressure_pct: { notable: 20, serious: 55, material: 12 },
  disk_latency_ms: { notable: 30, serious: 150, material: 20 },
  disk_busy_pct: { notable: 75, serious: 97, material: 25 },
  disk_failing: { notable: 1, serious: 1, material: 1, event: true },
  disk_wear_pct: { notable: 88, serious: 100, material: 1, event: true },
  battery_health_pct: { notable: 62, serious: 45, material: 3 },
  temperature_c: { notable: 85, serious: 97, material: 8 },
  throttle_events: { notable: 3, serious: 15, material: 3 },
  latency_ms: { notable: 60, serious: 400, material: 40 },
  packet_loss_pct: { notable: 2, serious: 10, material: 1.5 },
  jitter_ms: { notable: 20, serious: 80, material: 15 },
  gateway_latency_ms: { notable: 20, serious: 120, material: 15 },
  gateway_jitter_ms: { notable: 12, serious: 60, material: 10 },
  gateway_loss_pct: { notable: 2, serious: 10, material: 1.5 },
  internet_latency_ms: { notable: 90, serious: 400, material: 50 },
  internet_jitter_ms: { notable: 25, serious: 90, material: 18 },
  internet_loss_pct: { notable: 2, serious: 10, material: 1.5 },
  dns_failure_pct: { notable: 10, serious: 50, material: 10 },
  dns_ms: { notable: 100, serious: 600, material: 80 },
  wifi_signal_dbm: { notable: -70, serious: -82, material: 6 },
  wifi_rate_mbps: { notable: 40, serious: 6, material: 10, factor: 2 },
  link_errors_per_min: { notable: 25, serious: 200, material: 20 },
  vpn_up: { notable: 0, serious: 0, material: 1, event: true, needsUsual: true },
  services_down: { notable: 1, serious: 1, material: 1, event: true },
  jobs_failed: { notable: 1, serious: 4, material: 1, event: true },
  log_errors: { notable: 40, serious: 200, material: 30 },
  reboot_pending_days: { notable: 7, serious: 30, material: 0.5, event: true },
  boot_duration_s: { notable: 110, serious: 300, material: 40, event: true },
  unexpected_restarts: { notable: 1, serious: 3, material: 1, event: true },
  app_crashes: { notable: 2, serious: 8, material: 2, event: true },
  app_hangs: { notable: 2, serious: 8, material: 2, event: true },
  security_updates_pending: { notable: 20, serious: 60, material: 10, event: true },
  update_age_days: { notable: 30, serious: 90, material: 1, event: true },
  uptime_days: { notable: 45, serious: 180, material: 1, event: true },
  clock_offset_s: { notable: 5, serious: 60, material: 4 },
};

/** The measures that a diagnosis judges by their level. */
export const JUDGED_MEASURES: readonly Measure[] = Object.keys(LEVELS);

/** @param measure one of `JUDGED_MEASURES` */
export function levelFor(measure: Measure): Level {
  return LEVELS[measure] as Level;
}

/** 1 where more is worse, -1 where less is. */
export function worseWay(measure: Measure): 1 | -1 {
  return measure === 'vpn_up' || declarationOf(signalOf(measure)).better === 'higher' ? -1 : 1;
}
