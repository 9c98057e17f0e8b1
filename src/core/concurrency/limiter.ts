/** Lets a bounded number of works go on at once; the others wait for their turn in the order in which they came. */

type Limiter = <T>(work: () => Promise<T>) => Promise<T>;

export function createLimiter(places: number): Limiter {
  let free = places;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (free > 0) free--;
    else await new Promise<void>((enter) => waiting.push(enter));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free++;
    }
  };
}
