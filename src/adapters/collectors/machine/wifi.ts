/** What every platform says about a machine's Wi-Fi, made comparable: signal in dBm and the link's rate. */
import { measured, missing, type Reading } from '../../../domain/signals/reading.ts';

export interface WifiLink {
  /** Network interface, `wlan0`. */
  adapter: string;
  signalDbm: Reading<number>;
  linkMbps: Reading<number>;
}

export const MAX_ADAPTERS = 16;
const MAX_LINK_MBPS = 100_000;

/** A signal in dBm; drivers report 0 or -256 when they do not know. */
export function wifiSignal(dbm: number | null): Reading<number> {
  if (dbm === null || !Number.isFinite(dbm)) return missing('the Wi-Fi adapter does not report its signal');
  return dbm < 0 && dbm >= -120
    ? measured(dbm)
    : missing(`the Wi-Fi adapter reports a signal of ${dbm} dBm, which is no signal strength`);
}

/** Quality in percent as Windows and NetworkManager give it: 0 % is -100 dBm, 100 % is -50 dBm (Microsoft's scale). */
export function wifiSignalFromQuality(pct: number | null): Reading<number> {
  if (pct === null || !(pct >= 0 && pct <= 100)) return missing('the Wi-Fi adapter does not report its signal');
  return measured(pct / 2 - 100);
}

export function wifiRate(mbps: number | null): Reading<number> {
  return mbps !== null && mbps > 0 && mbps <= MAX_LINK_MBPS
    ? measured(mbps)
    : missing('the Wi-Fi adapter does not report its link rate');
}
