/** Lexical vectors that need no model: words and their letter groups hashed into a fixed number of places. */
import { terms } from './lexicon.ts';

export const HASH_DIMENSIONS = 512;

/**
 * A text as a unit vector of {@link HASH_DIMENSIONS} numbers (all zero when it has no words). Every word and every run
 * of 3 to 5 letters in it (its ends marked) adds ±1 at a hashed place, so that misspelt and compound words still meet;
 * the sign, also from the hash, lets collisions cancel out instead of adding up (the hashing trick, Weinberger 2009).
 */
export function hashVector(text: string): Float32Array {
  const vector = new Float32Array(HASH_DIMENSIONS);
  const counts = new Map<string, number>();
  for (const term of terms(text)) counts.set(term, (counts.get(term) ?? 0) + 1);
  for (const [term, count] of counts) {
    for (const feature of featuresOf(term)) {
      const hash = hashOf(feature);
      const place = hash % HASH_DIMENSIONS;
      vector[place] = (vector[place] ?? 0) + ((hash >>> 16) & 1 ? count : -count);
    }
  }
  const length = Math.hypot(...vector);
  return length === 0 ? vector : vector.map((value) => value / length);
}

function featuresOf(term: string): string[] {
  const features = [term];
  const marked = `^${term}$`;
  for (let size = 3; size <= 5; size += 1) {
    for (let start = 0; start + size <= marked.length; start += 1)
      features.push(`~${marked.slice(start, start + size)}`);
  }
  return features;
}

/** FNV-1a with murmur's final mix: FNV alone leaves the low bits of short strings alike. Unsigned, 32 bits. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
