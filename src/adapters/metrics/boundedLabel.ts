/** A label whose values come from outside and stay bounded in number. */

/** Lets the first values through and calls all later ones `other`, so that a sender cannot grow the page without end. */
export function boundedLabel(limit: number): (value: string) => string {
  const known = new Set<string>();
  return (value) => {
    if (known.size < limit) known.add(value);
    return known.has(value) ? value : 'other';
  };
}
