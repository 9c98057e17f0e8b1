/** Writes sources as one POSIX shell script, and reads what the script prints back into texts. */
import type { Probe } from './probe.ts';
import { DEFAULT_TIMEOUT_S, MAX_SOURCE_BYTES, type Source, type SourceText, SPAN, Texts } from './source.ts';

/**
 * Functions of the script. `limited` stops a program that takes too long: coreutils' timeout, or perl's alarm as on
 * macOS. `from` prints a program's output between its mark and a line with its exit code and first remark; a program
 * that is not installed prints nothing at all.
 */
const PRELUDE = `LC_ALL=C; export LC_ALL; unset LANG LANGUAGE
span=$1; shift
PATH=$PATH:/usr/sbin:/sbin:/usr/bin:/bin; export PATH
limited() {
  if command -v timeout >/dev/null 2>&1; then timeout -s KILL "$@"
  elif command -v perl >/dev/null 2>&1; then perl -e 'alarm shift; exec @ARGV' "$@"
  else shift; "$@"; fi
}
from() {
  name=$1; seconds=$2; shift 2
  command -v "$1" >/dev/null 2>&1 || return 0
  printf '\\n@@%s\\n' "$name"
  { remark=$(limited "$seconds" "$@" 2>&1 1>&3 3>&- </dev/null); code=$?; } 3>&1
  printf '\\n@@=%s %s %s\\n' "$name" "$code" "$(printf '%s' "$remark" | head -n 1 | cut -c 1-300)"
}
`;

/**
 * The script for `/bin/sh -s SECONDS NAME …`: how much log to read, and which rare probes run. What every scan reads
 * comes first and ends in a mark, so that a slow tool among the rest costs nothing else. It only reads.
 */
export function platformScript(platforms: Record<string, readonly Probe[]>): string {
  const cases = Object.entries(platforms).map(([system, probes]) => {
    const always = probes.filter(({ everyS }) => everyS === 0).flatMap(({ sources }) => sources.map(lineOf));
    const rare = probes
      .filter(({ everyS }) => everyS > 0)
      .map(({ name, sources }) => `case " $* " in *" ${name} "*)\n${sources.map(lineOf).join('\n')}\n;; esac`);
    return `${system})\n${[...always, DONE, ...rare].join('\n')}\n;;`;
  });
  const other = `*)\n${DONE}\n;;`;
  const body = `printf '\\n@@system %s\\n' "$(uname -s)"\ncase $(uname -s) in\n${[...cases, other].join('\n')}\nesac\n`;
  return `${PRELUDE}${body}printf '\\n@@end\\n'\n`;
}

const DONE = "printf '\\n@@measured\\n'";

function lineOf({ name, files, withPaths, command, timeoutS = DEFAULT_TIMEOUT_S }: Source): string {
  if (command) return `from ${name} ${timeoutS} ${command.map(quoted).join(' ')}`;
  // Patterns stay unquoted for the shell to expand; they are constants of letters, digits and slashes.
  const patterns = (files ?? []).join(' ');
  const read = withPaths ? `grep -s . ${patterns} /dev/null` : `cat ${patterns}`;
  return `printf '\\n@@${name}\\n'; { ${read} 2>/dev/null | head -c ${MAX_SOURCE_BYTES}; } 2>/dev/null; printf '\\n@@=${name} 0 \\n'`;
}

const quoted = (word: string): string =>
  word === SPAN ? '"$span"' : /^[\w./:=,+%-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;

interface ShellReport {
  /** As `uname -s` names it; null when the output is not the script's. */
  system: string | null;
  texts: Texts;
  /** Whether the part that always runs was done; what is due more rarely may still be missing. */
  measured: boolean;
}

/** Reads the script's output; what a login banner printed before the first mark is passed over. */
export function parseShellReport(output: string): ShellReport {
  const texts = new Map<string, SourceText>();
  const part = /\n@@(\w+)\n([\s\S]*?)\n@@=\1 (\d+) ?([^\n]*)/g;
  for (const [, name = '', text = '', code, remark = ''] of `\n${output}`.matchAll(part)) {
    const stopped = code === '137' || code === '142';
    if (text !== '' || remark !== '' || code !== '0') {
      texts.set(name, { text: `${text}\n`, remark, code: stopped ? null : Number(code) });
    }
  }
  const system = /\n@@system (\S+)/.exec(`\n${output}`)?.[1] ?? null;
  return { system, texts: new Texts(texts), measured: /\n@@measured(\n|$)/.test(output) };
}
