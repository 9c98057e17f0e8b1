/** Remembers who reports with which token, so that a wrong clock and a token on two machines are said at the endpoint and on the health page. */
import {
  areTwoMachines,
  hasWrongClock,
  offsetText,
  type Reporter,
  type ReportOrigin,
  reporterAfter,
} from '../../domain/fleet/reporter.ts';
import type { Ports, ReporterWatch } from '../ports/ports.ts';

/** What is not seen again for so long is over, or its machine is. */
const REMEMBERED_MS = 86_400_000;

/** Endpoints that are remembered; far more than one service watches. */
const MOST_REMEMBERED = 100_000;

/** Names in one line of the health page. */
const MOST_NAMED = 3;

interface Remembered {
  reporter: Reporter;
  at: Date;
  /** Whether its last report was refused for its time. */
  refused: boolean;
}

/** Since the process began; two or three reports of a machine are enough to know it again. */
export function createReporterWatch({ clock, log }: Pick<Ports, 'clock' | 'log'>): ReporterWatch {
  const remembered = new Map<string, Remembered>();

  const remarkAbout = ({ reporter, at, refused }: Remembered, now: Date): string | null => {
    if (now.getTime() - at.getTime() > REMEMBERED_MS) return null;
    if (areTwoMachines(reporter, now))
      return 'Two machines report with its token: they were made from one image. Register each by itself and give each its own token.';
    if (!hasWrongClock(reporter) || reporter.clockOffsetMs === null) return null;
    const clockText = `Its clock is ${offsetText(reporter.clockOffsetMs)} (report of ${at.toISOString()})`;
    return refused
      ? `${clockText}; its reports are refused until the clock is set.`
      : `${clockText}; its reports are kept with the right time. Set the clock: logins and certificates need it.`;
  };

  return {
    note(hostname: string, origin: ReportOrigin, refused: boolean) {
      const now = clock.now();
      const before = remembered.get(hostname);
      const entry = { reporter: reporterAfter(before?.reporter ?? null, origin, now), at: now, refused };
      remembered.delete(hostname); // so that the one longest silent stands first
      remembered.set(hostname, entry);
      const [oldest] = remembered.keys();
      if (remembered.size > MOST_REMEMBERED && oldest !== undefined) remembered.delete(oldest);
      const remark = remarkAbout(entry, now);
      // Once for each machine and kind, not with every report.
      const told = before ? remarkAbout(before, before.at) : null;
      if (remark && remark.slice(0, 20) !== told?.slice(0, 20)) log.warn({ hostname }, remark);
    },
    remarkOf(hostname) {
      const entry = remembered.get(hostname);
      return entry ? remarkAbout(entry, clock.now()) : null;
    },
    report() {
      const now = clock.now();
      const noticed = [...remembered].filter(([, entry]) => remarkAbout(entry, now) !== null);
      const doubles = noticed.filter(([, { reporter }]) => areTwoMachines(reporter, now));
      const clocks = noticed.filter(([, { reporter }]) => !areTwoMachines(reporter, now));
      const facts = { wrong_clocks: clocks.length, shared_tokens: doubles.length };
      if (noticed.length === 0) return { status: 'ok', ...facts };
      const off = clocks.map(([name, { reporter }]) => `${name} (${offsetText(reporter.clockOffsetMs ?? 0)})`);
      const lines = [
        ...(doubles.length > 0
          ? [`two machines report with one token: ${named(doubles.map(([name]) => name))}; register each by itself`]
          : []),
        ...(clocks.length > 0 ? [`clocks of machines that report are wrong: ${named(off)}; set them`] : []),
      ];
      return { status: 'degraded', detail: lines.join('. '), ...facts };
    },
  };
}

function named(names: readonly string[]): string {
  const more = names.length - MOST_NAMED;
  return names.slice(0, MOST_NAMED).join(', ') + (more > 0 ? ` and ${more} more` : '');
}
