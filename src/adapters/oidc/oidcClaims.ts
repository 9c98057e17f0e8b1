/** What a provider of OpenID Connect says of a person, read with care: claims are what others wrote. */

/** Ids of RFC 9068 and OpenID Connect: 255 ASCII characters. */
export const SUBJECT = /^[\x21-\x7e]{1,255}$/;
const MOST_GROUPS = 2000;

type Claims = Readonly<Record<string, unknown>>;

/** In lower case; null unless the provider has verified it. */
export function verifiedEmail({ email, email_verified: isVerified }: Claims): string | null {
  return typeof email === 'string' && isVerified === true && email.length <= 320 ? email.toLowerCase() : null;
}

export function groupsOf(claims: Claims, groupsClaim: string): string[] {
  return textsOf(claims[groupsClaim], /\0/).slice(0, MOST_GROUPS);
}

/** A claim that may be a list, or one text with several in it; anything else counts as none. */
export function textsOf(claim: unknown, separator: RegExp): string[] {
  if (typeof claim === 'string') return claim.split(separator).filter((text) => text !== '');
  return Array.isArray(claim) ? claim.filter((text) => typeof text === 'string') : [];
}

/** Plain http only where nobody can listen in. */
export function isSafeAddress(address: string): boolean {
  if (!URL.canParse(address)) return false;
  const { protocol, hostname } = new URL(address);
  return protocol === 'https:' || (protocol === 'http:' && /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(hostname));
}
