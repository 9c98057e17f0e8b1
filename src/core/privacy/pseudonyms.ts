/** Pseudonyms: names that are the same each time, say nothing, and can be resolved only with the key of this service. */

/** What is named: a machine, a person, an address, another number of a machine. */
type Named = 'pc' | 'person' | 'ip' | 'id';

/** A keyed digest (HMAC-SHA256) of a text, 32 bytes. */
export type Mac = (text: string) => Uint8Array;

export type Pseudonym = (kind: Named, name: string) => string;

/** Crockford's base 32 in lower case: no letter reads like a digit. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';

/** 50 bits: of a million names two share one with a probability of about 1 to 2,000. */
const LENGTH = 10;

export const PSEUDONYM = /\b(?:pc|person|ip|id)-[0-9a-hjkmnp-tv-z]{10}\b/g;

export function pseudonymsBy(mac: Mac): Pseudonym {
  return (kind, name) => {
    const bytes = mac(`${kind}:${name.toLowerCase()}`);
    return `${kind}-${Array.from({ length: LENGTH }, (_, at) => ALPHABET[(bytes[at] as number) & 31]).join('')}`;
  };
}

/** A number in the place of one that tells an order. */
export function scrambledId(mac: Mac, kind: string, id: number): number {
  const [a = 0, b = 0, c = 0, d = 0] = mac(`${kind}#${id}`);
  return ((a & 0x7f) << 24) | (b << 16) | (c << 8) | d;
}
