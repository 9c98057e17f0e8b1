/** What parts of a machine are called where their own names could tell whose machine it is. */
import type { Subject } from '../signals/declaration.ts';

/** Names of parts that every machine of a kind has; all others may be one person's own choice, or a serial number. */
const COMMON: Partial<Record<Subject, RegExp>> = {
  mount:
    /^(\/|\/boot(\/efi)?|\/efi|\/home|\/var(\/log|\/tmp)?|\/tmp|\/usr|\/opt|\/srv|\/System\/Volumes\/\w+|[A-Z]:\\?)$/,
  disk: /^(sd[a-z]|vd[a-z]|xvd[a-z]|nvme\d+(n\d+)?|disk\d|mmcblk\d|[A-Z]:|\d( [A-Z]:)*|_Total)$/,
  battery: /^(BAT\d|battery ?\d?|InternalBattery-\d)$/i,
};

const ADAPTERS: readonly [RegExp, string][] = [
  [/^(tun|tap|wg|ppp|utun|ipsec|vpn|nordlynx|tailscale|zt)/i, 'VPN'],
  [/^(wl|wifi|wi-fi|wlan|airport)/i, 'Wi-Fi'],
  [/^(en|eth|ethernet|local area|lan)/i, 'Ethernet'],
];

/** Names for the parts of one machine that many machines share: a name of one's own becomes its kind, numbered where there are several. */
export function commonNames(per: Subject, items: readonly string[]): string[] {
  const seen = new Map<string, number>();
  return items.map((item) => {
    if (COMMON[per]?.test(item)) return item;
    const name = per === 'adapter' ? (ADAPTERS.find(([known]) => known.test(item))?.[1] ?? 'adapter') : per;
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    return count === 1 ? name : `${name} ${count}`;
  });
}
