/** Completion of a command by the shell: the scripts that ask, and what they are answered. */
import { fieldsOf } from '../../core/commands/fields.ts';
import { AppError } from '../../core/errors.ts';
import type { AnyTool } from '../../core/tool.ts';

/** Commands that no tool stands behind. */
export const COMMANDS_WITHOUT_TOOL = [
  { name: 'open', example: 'open [HOST]', title: 'Show the page, or that of a machine, in a browser' },
  { name: 'completion', example: 'completion bash', title: 'Print what bash, zsh or fish needs to complete commands' },
  { name: 'login', example: 'login URL', title: 'Sign in to a service; commands go there from then on' },
  { name: 'logout', example: 'logout', title: 'Sign out; commands stay on this machine again' },
  { name: 'restore', example: 'restore FILE [--unverified]', title: 'Restore a backup, with the service stopped' },
] as const;

const FLAGS = ['--json', '--png', '--open', '--yes', '--no-wait', '--help'];

/**
 * What may come next.
 * @param words typed after `dex`, the last one the word at the cursor, empty when it has not begun
 * @param hostnames asked for only where a machine's name is due
 */
export async function completions(
  words: readonly string[],
  tools: readonly AnyTool[],
  hostnames: () => Promise<string[]>,
): Promise<string[]> {
  const current = words.at(-1) ?? '';
  const before = words.slice(0, -1);
  const fits = (candidates: readonly string[]) =>
    [...new Set(candidates)].filter((candidate) => candidate.startsWith(current) && candidate !== current).sort();

  const typed = before.join(' ');
  const names = [
    ...tools.flatMap(({ command }) => (command ? [command.name, ...(command.also ?? []).map(({ name }) => name)] : [])),
    ...COMMANDS_WITHOUT_TOOL.map(({ name }) => name),
    'help',
  ];
  // A command of several words is completed word by word.
  const nextWords = names
    .filter((name) => before.length === 0 || name.startsWith(`${typed} `))
    .map((name) => name.split(' ')[before.length]!)
    .filter((word) => word !== undefined);
  if (before.length === 0) return fits(nextWords);
  if (typed === 'open') return fits(await hostnames());
  if (typed === 'completion') return fits(Object.keys(SCRIPTS));

  const tool = tools
    .filter(({ command }) => command && (typed === command.name || typed.startsWith(`${command.name} `)))
    .sort((a, b) => b.command!.name.length - a.command!.name.length)[0];
  if (!tool) return fits(nextWords);
  const fields = fieldsOf(tool);
  const asked = /^--(\w+)$/.exec(before.at(-1) ?? '')?.[1];
  const field = fields.find(({ name }) => name === asked);
  if (field && !field.types.has('boolean')) return fits(await valuesOf(field.name, field.choices, hostnames));
  if (current.startsWith('-')) return fits([...fields.map(({ name }) => `--${name}`), ...FLAGS]);
  const given = before.slice(tool.command!.name.split(' ').length).filter((word) => !word.startsWith('-'));
  const place = fields.find(({ name }) => name === tool.command!.args[given.length]);
  return fits([...nextWords, ...(place ? await valuesOf(place.name, place.choices, hostnames) : [])]);
}

async function valuesOf(name: string, choices: readonly string[], hostnames: () => Promise<string[]>) {
  return name === 'hostname' ? hostnames() : choices;
}

/** Each asks `dex --complete WORDS…` and shows the lines of the answer. */
const SCRIPTS: Record<string, string> = {
  bash: `_dex() {
  local IFS=$'\\n'
  COMPREPLY=($(dex --complete "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _dex dex`,
  zsh: `#compdef dex
_dex() {
  local -a candidates
  candidates=("\${(@f)$(dex --complete "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  compadd -a candidates
}
compdef _dex dex`,
  fish: `complete -c dex -f -a '(dex --complete (commandline -opc)[2..-1] (commandline -ct) 2>/dev/null)'`,
};

/** @throws AppError `invalid` for a shell that there is no script for */
export function completionScript(shell: string | undefined): string {
  const script = SCRIPTS[shell ?? ''];
  if (script !== undefined) return script;
  throw new AppError('invalid', 'Name the shell: completion bash, zsh or fish. As: source <(dex completion bash)');
}
