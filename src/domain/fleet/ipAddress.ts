/** Reads IP addresses and writes each in its one canonical form. */

/** Eight 16-bit groups; IPv4 becomes its mapped form, a zone (`%eth0`) is dropped. Null when the text is no address. */
export function parseIp(text: string): number[] | null {
  const ipv4 = parseIpv4(text);
  if (ipv4) return [0, 0, 0, 0, 0, 0xffff, ...ipv4];
  const halves = text.replace(/%[^%]+$/, '').split('::');
  if (halves.length > 2) return null;
  const [head, tail] = halves.map((half, index) => parseGroups(half, index === halves.length - 1));
  if (!head) return null;
  if (halves.length === 1) return head.length === 8 ? head : null;
  if (!tail || head.length + tail.length > 7) return null;
  return [...head, ...Array<number>(8 - head.length - tail.length).fill(0), ...tail];
}

/** Groups of one side of `::`; the very last may be written as dotted IPv4. */
function parseGroups(text: string, isLast: boolean): number[] | null {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [index, part] of parts.entries()) {
    const ipv4 = isLast && index === parts.length - 1 ? parseIpv4(part) : null;
    if (ipv4) groups.push(...ipv4);
    else if (/^[0-9a-f]{1,4}$/i.test(part)) groups.push(Number.parseInt(part, 16));
    else return null;
  }
  return groups;
}

/** Two 16-bit groups of a strict dotted quad (no leading zeros, which some resolvers read as octal). */
function parseIpv4(text: string): [number, number] | null {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255)) return null;
  const [a = 0, b = 0, c = 0, d = 0] = parts.map(Number);
  return [a * 256 + b, c * 256 + d];
}

/**
 * The one way to write an address: IPv4 as a dotted quad (also where it came mapped into IPv6), IPv6 by RFC 5952, both
 * without a zone, which means something only on the machine that wrote it. Null when the text is no address.
 */
export function canonicalIp(text: string): string | null {
  const groups = parseIp(text);
  if (groups === null) return null;
  const [high = 0, low = 0] = groups.slice(6);
  if (groups.slice(0, 6).join() === '0,0,0,0,0,65535') return [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.');
  const { from, length } = longestZeroRun(groups);
  const hex = groups.map((group) => group.toString(16));
  // A single zero group is not shortened (RFC 5952, 4.2.2).
  if (length < 2) return hex.join(':');
  return `${hex.slice(0, from).join(':')}::${hex.slice(from + length).join(':')}`;
}

/** The first of the longest runs of zero groups. */
function longestZeroRun(groups: readonly number[]): { from: number; length: number } {
  let best = { from: 0, length: 0 };
  let length = 0;
  for (const [index, group] of groups.entries()) {
    length = group === 0 ? length + 1 : 0;
    if (length > best.length) best = { from: index - length + 1, length };
  }
  return best;
}
