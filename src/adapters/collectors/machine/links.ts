/** Network interfaces: packets and errors of the ones that carry an employee's traffic, and whether a VPN is up. */
import type { NetworkInterfaceInfo } from 'node:os';

/** Counters since boot of one interface, both directions together. */
interface LinkCounters {
  packets: number;
  errors: number;
}

/** Made by containers, virtual machines and tunnels: what goes wrong on them shows on the interface below. */
const VIRTUAL_LINK =
  /^(lo\d*|veth|docker|br-|virbr|vnet|cni|flannel|cali|tap|tun|wg|dummy|ifb|bond|team|tailscale|zt|ppp|sit|gre|erspan|teql|ip6|utun|awdl|llw|anpi|ap\d|bridge|gif|stf|isatap|teredo)/i;
const MAX_LINKS = 32;

export const carriesTraffic = (name: string): boolean => !VIRTUAL_LINK.test(name);

/** Lines of /proc/net/dev: bytes, packets, errs, drop and four more received, then the same sent. */
export function parseProcNetDev(text: string): Map<string, LinkCounters> {
  const links = new Map<string, LinkCounters>();
  for (const [, name = '', figures = ''] of text.matchAll(/^\s*([^:\s]+):\s*([\d ]+)$/gm)) {
    const columns = figures.trim().split(/\s+/).map(Number);
    if (columns.length < 12 || !carriesTraffic(name) || links.size >= MAX_LINKS) continue;
    const [, receivedPackets = 0, receiveErrors = 0, , , , , , , sentPackets = 0, sendErrors = 0] = columns;
    links.set(name, { packets: receivedPackets + sentPackets, errors: receiveErrors + sendErrors });
  }
  return links;
}

/** Names that VPN clients give their tunnels on Linux, macOS and Windows. */
const VPN_NAME =
  /^(tun\d|tap\d|wg\d|wg-|utun\d|ppp\d|ipsec\d|tailscale|zt[a-z0-9]|nordlynx|proton|mullvad|cscotun|gpd\d|outline|vpn)|vpn|wireguard|anyconnect|globalprotect|pangp|fortissl|zscaler|openvpn|tailscale/i;

export const isVpnName = (name: string): boolean => VPN_NAME.test(name);

/**
 * Names of the VPN interfaces that carry an address. macOS keeps several `utun` interfaces with nothing but a
 * link-local address for its own use: those are no VPN.
 */
export function vpnInterfaces(interfaces: NodeJS.Dict<NetworkInterfaceInfo[]>): string[] {
  return Object.entries(interfaces)
    .filter(
      ([name, addresses]) => isVpnName(name) && addresses?.some(({ address }) => !/^(fe80:|169\.254\.)/i.test(address)),
    )
    .map(([name]) => name)
    .sort();
}
