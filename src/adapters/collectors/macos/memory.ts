/** Reads a Mac's memory, swap and mounted volumes. */
import { measured, missing, type Reading } from '../../../domain/signals/reading.ts';
import { swapUse } from '../linux/memory.ts';
import type { Mount } from '../linux/mounts.ts';

/** Programs hold active, wired and compressed pages; the rest can be handed out. `sysctl -n hw.memsize` and `vm_stat`. */
export function macMemoryPct(memsize: string, vmStat: string): Reading<number> {
  const totalBytes = numberAfter(memsize, /^(\d+)$/m);
  const pageBytes = numberAfter(vmStat, /page size of (\d+) bytes/);
  const pages = ['active', 'wired down', 'occupied by compressor'].map((kind) =>
    numberAfter(vmStat, new RegExp(`^Pages ${kind}:\\s+(\\d+)`, 'm')),
  );
  if (!totalBytes || !pageBytes || pages.includes(null)) return missing('the Mac reports no memory use');
  const heldBytes = pageBytes * pages.reduce<number>((sum, count) => sum + (count ?? 0), 0);
  return heldBytes > totalBytes
    ? missing('the Mac reports more memory in use than it has')
    : measured((100 * heldBytes) / totalBytes);
}

/** `sysctl -n vm.swapusage`: `total = 2048.00M  used = 512.00M  free = 1536.00M  (encrypted)`. */
export function macSwapPct(swapusage: string): Reading<number> {
  return swapUse(numberAfter(swapusage, /total = ([\d.]+)M/), numberAfter(swapusage, /free = ([\d.]+)M/));
}

/** Pages moved to and from the disk since boot; null when `vm_stat` does not say. */
export function macSwapPages(vmStat: string): number | null {
  const pagesIn = numberAfter(vmStat, /^Swapins:\s+(\d+)/m);
  const pagesOut = numberAfter(vmStat, /^Swapouts:\s+(\d+)/m);
  return pagesIn === null || pagesOut === null ? null : pagesIn + pagesOut;
}

/** `mount`: lines `device on /path (type, option, …)`. */
export function parseMacMounts(text: string): Mount[] {
  return text
    .split('\n')
    .slice(0, 2_000)
    .flatMap((line) => {
      const [, mount, details] = /^.+? on (\/.*) \((.+)\)$/.exec(line) ?? [];
      const [type, ...options] = details?.split(', ') ?? [];
      return mount && type ? [{ mount, type, readOnly: options.includes('read-only') }] : [];
    });
}

/** Second sample of `top -l 2`: `CPU usage: 10.50% user, 9.50% sys, 80.00% idle`. */
export function macCpuPct(top: string): Reading<number> {
  const idlePct = numberAfter(
    top
      .trim()
      .split('\n')
      .filter((line) => /CPU usage/.test(line))[1] ?? '',
    /([\d.]+)% idle/,
  );
  return idlePct === null ? missing('top gave no second CPU sample') : measured(100 - idlePct);
}

function numberAfter(text: string, pattern: RegExp): number | null {
  const digits = pattern.exec(text)?.[1];
  return digits === undefined ? null : Number(digits);
}
