/** Tells a Windows login from a Unix one by its answer, and runs the PowerShell script there. */
import type { Counters } from '../counterHistory.ts';
import { type Collected, Unreachable } from '../readings.ts';
import { HOURLY_S, type Probe, type ProbeContext } from '../sources/probe.ts';
import { POWERSHELL_ARGS, WINDOWS_PARTS, type WindowsPart, windowsScript } from '../windows/powerShell.ts';
import { parseWindowsReport } from '../windows/report.ts';
import { readWindows, windowsCounters } from '../windows/windowsReadings.ts';

/** The parts of the script that run rarely, as probes to be remembered by; the script reads its own sources. */
const rarePart = (name: WindowsPart, everyS: number): Probe => ({ name, everyS, sources: [], read: () => ({}) });
export const WINDOWS_PROBES: readonly Probe[] = [rarePart('faults', HOURLY_S), rarePart('currency', 6 * HOURLY_S)];

/**
 * Whether the answer to `/bin/sh` came from cmd.exe ("The system cannot find the path specified.", in any language) or
 * from PowerShell: neither runs the script, so neither prints its first mark.
 */
export function looksLikeWindows(output: string, errors: string): boolean {
  if (output.includes('@@system')) return false;
  const answer = `${output}\n${errors}`;
  if (
    /CommandNotFoundException|is not recognized as (the name of|an internal)|cannot find the path specified/i.test(
      answer,
    )
  )
    return true;
  // cmd.exe in another language says a sentence; a Unix shell names itself or the program first.
  return (
    output === '' &&
    errors !== '' &&
    !/(^|\n)[\w./-]*(sh|bash|zsh|fish|env)\b.*:/i.test(errors) &&
    !/\/bin\/sh/.test(errors)
  );
}

type Run = (command: string, input: string) => Promise<{ output: string; errors: string }>;

/** The script's output; cmd.exe, PowerShell and bash as login shells start it alike. */
export async function runOnWindows(run: Run, logSpanS: number, due: readonly Probe[]): Promise<string> {
  const names = due.map(({ name }) => name);
  const parts = WINDOWS_PARTS.filter((part) => part === 'system' || names.includes(part));
  const { output, errors } = await run(
    `powershell.exe ${POWERSHELL_ARGS.join(' ')}`,
    windowsScript({ logSpanS, due: parts }),
  );
  if (output.includes('@@')) return output;
  const remark = `${errors}\n${output}`.trim().split('\n', 1)[0]?.slice(0, 160) ?? '';
  throw new Unreachable(
    `the login shell runs neither /bin/sh nor powershell.exe (${remark || 'it answers nothing'}): on Windows allow PowerShell to this login, on Linux give it a POSIX shell instead of pwsh`,
  );
}

/** Readings of what came, the rare parts apart. */
export function readWindowsOutput(
  output: string,
  due: readonly Probe[],
  context: ProbeContext,
): { collected: Collected; rare: { probe: Probe; collected: Collected }[]; counters: Counters } {
  const report = parseWindowsReport(output);
  if (!report.has('os')) throw new Unreachable('PowerShell answered, but not with a complete report');
  const { faults, currency, system } = splitParts(readWindows(report, context));
  const byName: Record<string, Collected> = { faults, currency };
  return {
    collected: system,
    rare: due.map((probe) => ({ probe, collected: byName[probe.name] ?? {} })),
    counters: windowsCounters(report),
  };
}

const FAULTS = ['appCrashes', 'appHangs', 'unexpectedRestarts', 'bootDurationS', 'diskFailing', 'diskWearPct'] as const;
const CURRENCY = ['updatesPending', 'securityUpdatesPending', 'updateAgeDays'] as const;

function splitParts(all: Collected): Record<'faults' | 'currency' | 'system', Collected> {
  const system: Collected = { ...all };
  const take = (names: readonly (keyof Collected)[]): Collected => {
    const taken = Object.fromEntries(names.flatMap((name) => (name in system ? [[name, system[name]]] : [])));
    for (const name of names) delete system[name];
    return taken;
  };
  return { faults: take(FAULTS), currency: take(CURRENCY), system };
}
