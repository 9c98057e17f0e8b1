/** Reads how far a Mac's clock is off from one exchange with the time server that it uses itself. */
import { measured, missing, type Reading } from '../../../domain/signals/reading.ts';

/** Output of `sntp SERVER`: `+0.012345 +/- 0.004321 time.apple.com 17.253.54.125`, the seconds to add to the clock. */
export function parseSntp(output: string): Reading<number> {
  const seconds = /^([+-]\d+\.\d+) \+\/- /m.exec(output)?.[1];
  if (seconds === undefined) return missing('no time server answers');
  const aheadS = -Number(seconds);
  return measured(aheadS === 0 ? 0 : aheadS);
}
