/** Chance that can be had again: the same seed draws the same numbers. */

export interface Chance {
  /** From 0 up to 1. */
  next(): number;
  pick<T>(items: readonly T[]): T;
  /** Whole, from `least` to `most`. */
  between(least: number, most: number): number;
}

/** Mulberry32, a generator with 32 bits of state (public domain, T. Ettinger 2017): enough for drawing faults. */
export function chance(seed: number): Chance {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    next,
    pick: (items) => items[Math.floor(next() * items.length)] as (typeof items)[number],
    between: (least, most) => least + Math.floor(next() * (most - least + 1)),
  };
}
