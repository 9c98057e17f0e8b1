/** Which host names are well formed and which IP addresses no endpoint may have. */
import { parseIp } from './ipAddress.ts';

/** Letters, digits and inner hyphens as RFC 1123 has them, and underscores, which Windows allows in computer names. */
const LABEL = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/i;

/**
 * Host name by RFC 1123 with underscores: dot-separated labels, 1–63 characters each, 253 in all. A name whose last label
 * is only digits is refused, because resolvers take such names for numeric addresses.
 */
export function isValidHostname(name: string): boolean {
  if (name.length === 0 || name.length > 253) return false;
  const labels = name.split('.');
  return labels.every((label) => LABEL.test(label)) && !/^\d+$/.test(labels.at(-1) ?? '');
}

/** Cloud metadata services outside the link-local ranges (AWS over IPv6, Google over IPv6, Azure, Alibaba, Oracle). */
const METADATA_ADDRESSES = ['fd00:ec2::254', 'fd20:ce::254', '168.63.129.16', '100.100.100.200', '192.0.0.192'];

/**
 * Why no endpoint may have this address, or null when it may. Loopback and private ranges are allowed; text that is no
 * IP address is refused. IPv4 inside IPv6 (mapped, compatible, NAT64) is judged as the IPv4 address it leads to.
 */
export function forbiddenAddressReason(ip: string): string | null {
  const groups = parseIp(ip);
  if (groups === null) return 'not an IP address';
  if (METADATA_GROUPS.has(groups.join())) return 'a cloud metadata service';
  const ipv4 = embeddedIpv4(groups);
  return ipv4 === null ? forbiddenIpv6Reason(groups) : forbiddenIpv4Reason(ipv4);
}

function forbiddenIpv4Reason([first, second, third, fourth]: Ipv4): string | null {
  if (first === 0) return 'the unspecified address range 0.0.0.0/8';
  if (first === 169 && second === 254) return 'link-local (169.254.0.0/16, where cloud metadata lives)';
  if (first >= 224 && first < 240) return 'multicast (224.0.0.0/4)';
  if (first === 255 && second === 255 && third === 255 && fourth === 255) return 'the broadcast address';
  if (first >= 240) return 'reserved (240.0.0.0/4)';
  return null;
}

function forbiddenIpv6Reason(groups: number[]): string | null {
  const first = groups[0] ?? 0;
  if (groups.every((group) => group === 0)) return 'the unspecified address ::';
  if ((first & 0xffc0) === 0xfe80) return 'link-local (fe80::/10)';
  if ((first & 0xff00) === 0xff00) return 'multicast (ff00::/8)';
  return null;
}

type Ipv4 = [number, number, number, number];

/** The IPv4 address that ::ffff:a.b.c.d, ::a.b.c.d or 64:ff9b::a.b.c.d leads to; `::` and `::1` are IPv6's own. */
function embeddedIpv4(groups: number[]): Ipv4 | null {
  const [high, low] = [groups[6] ?? 0, groups[7] ?? 0];
  const prefix = groups.slice(0, 6).join();
  const mapped = prefix === '0,0,0,0,0,65535';
  const compatible = prefix === '0,0,0,0,0,0' && high !== 0;
  const nat64 = prefix === `${0x64},${0xff9b},0,0,0,0`;
  return mapped || compatible || nat64 ? [high >> 8, high & 0xff, low >> 8, low & 0xff] : null;
}

const METADATA_GROUPS = new Set(METADATA_ADDRESSES.map((address) => parseIp(address)?.join()));
