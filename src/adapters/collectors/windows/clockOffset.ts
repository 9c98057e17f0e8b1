/** Reads how far a Windows machine's clock is off from `w32tm /query /status /verbose`, in any language. */
import { measured, missing, type Reading } from '../../../domain/signals/reading.ts';

/**
 * The labels are translated, the order is not: root delay, root dispersion and phase offset are the first three values in
 * seconds with decimals. A free-running clock (`LOCL`, stratum 0) has no offset to anything.
 */
export function parseW32tm(output: string): Reading<number> {
  if (/0x4C4F434C|"LOCL"/i.test(output)) return missing('the Windows time service has no server to compare with');
  const [, , offset] = [...output.matchAll(/:\s*([+-]?\d+\.\d+)s\b/g)].map(([, seconds]) => Number(seconds));
  if (offset === undefined) return missing('the Windows time service does not run');
  return measured(offset === 0 ? 0 : offset);
}
