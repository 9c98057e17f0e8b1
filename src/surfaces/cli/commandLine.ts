/** One typed command: words in, a tool's answer out, with an exit code for scripts. */
import type { Actor } from '../../core/actor.ts';
import { COMMAND_PREFIXES } from '../../core/callText.ts';
import { visible, visibleJson, visibleLine } from '../../core/characters.ts';
import type { ChartSpec } from '../../core/chart.ts';
import { helpText, toolHelpText } from '../../core/commands/commandHelp.ts';
import { readCommand } from '../../core/commands/readCommand.ts';
import { AppError, type ErrorKind } from '../../core/errors.ts';
import type { Answer, Invoke } from '../../core/invoke.ts';
import { asksFirst } from '../../core/policy.ts';
import type { Ports } from '../../core/ports/ports.ts';
import { type AnyTool, callShowing } from '../../core/tool.ts';
import { TOOLS } from '../../core/tools/index.ts';
import { isFinished, type RunStatus } from '../../domain/run.ts';
import { COMMANDS_WITHOUT_TOOL, completionScript, completions } from './completion.ts';
import { fileText } from './fileText.ts';
import { forTerminal } from './layout.ts';
import type { Terminal, TerminalFacts } from './terminal.ts';

const PREFIX = COMMAND_PREFIXES.cli;

/** Exit codes: 0 done, 1 a bug or failed work, 2 a wrong command, then by the kind of the error, 7 a machine that did not answer. */
const EXIT_CODES: Record<ErrorKind, number> = {
  invalid: 2,
  unauthenticated: 3,
  denied: 3,
  not_found: 4,
  conflict: 5,
  refused: 5,
  too_large: 5,
  rate_limited: 5,
  unavailable: 6,
};
const FAILED = 1;
const CAME_TO_NOTHING = 7;

/** What a command may need of where it runs. */
interface CommandPlace {
  /** The application, opened when a command turns out to need it. */
  open(): Promise<OpenApp>;
  /** Restores a backup and says what was done; absent while the service runs. */
  restore?(file: string, options: { unverified: boolean }): Promise<string>;
}

/** The application as a command needs it. */
export interface OpenApp {
  invoke: Invoke;
  png(chart: ChartSpec): Promise<Uint8Array>;
  /** Where a browser finds the page, without a slash at the end. */
  address: string;
  /** Sees to it that somebody works on what was asked for. */
  work(): Promise<void>;
  close(): Promise<void>;
}

/** The part of it that is the same wherever a command runs. */
export function openedApp(
  { invoke, ports }: { invoke: Invoke; ports: Pick<Ports, 'charts'> },
  address: string,
): Pick<OpenApp, 'invoke' | 'png' | 'address'> {
  return { invoke, png: (chart) => ports.charts.png(chart), address };
}

interface Flags {
  json: boolean;
  /** Answers beforehand what a terminal would be asked. */
  yes: boolean;
  noWait: boolean;
  /** Show the page of what is answered, too. */
  open: boolean;
  png: string | null;
  words: string[];
}

/**
 * Runs one command.
 * @param signal aborted when whoever typed it goes away
 * @returns the exit code; never rejects
 */
export async function runCommandLine(
  argv: readonly string[],
  terminal: Terminal,
  place: CommandPlace,
  signal?: AbortSignal,
): Promise<number> {
  const { open } = place;
  return reported(terminal, async () => {
    const tools = TOOLS.filter(({ hiddenFrom }) => !hiddenFrom?.includes('cli'));
    if (argv[0] === 'completion') {
      terminal.out(completionScript(argv[1]));
      return 0;
    }
    if (argv[0] === '--complete') {
      terminal.out((await completions(argv.slice(1), tools, () => hostnames(open, terminal))).join('\n'));
      return 0;
    }
    if (argv[0] === 'restore') {
      terminal.out(await restored(argv.slice(1), place));
      return 0;
    }
    return read(readFlags(argv), tools, terminal, open, signal);
  });
}

/** Does a command's work; what goes wrong is said on the terminal. @returns the exit code; never rejects */
export async function reported<Code extends number | null>(
  terminal: Terminal,
  work: () => Promise<Code>,
): Promise<Code | number> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof AppError) {
      terminal.err(visible(error.message));
      return EXIT_CODES[error.kind];
    }
    terminal.err(visible(`An internal error: ${(error as Error).stack}`));
    return FAILED;
  }
}

async function read(
  flags: Flags,
  tools: readonly AnyTool[],
  terminal: Terminal,
  open: () => Promise<OpenApp>,
  signal: AbortSignal | undefined,
): Promise<number> {
  if (flags.words[0] === 'open' && flags.words.length === 1)
    return withApp(open, ({ address }) => show(address, terminal));
  const reading = readCommand(flags.words, tools);
  switch (reading.kind) {
    case 'help':
      terminal.out(reading.tool ? toolHelpText(reading.tool, tools, 'cli') : `${helpText(tools, 'cli')}\n\n${ALSO}`);
      return 0;
    case 'unknown': {
      const near = reading.suggestions.length > 0 ? ` Did you mean ${reading.suggestions.join(' or ')}?` : '';
      throw new AppError('invalid', `There is no command ${reading.word}.${near} \`${PREFIX} help\` lists all.`);
    }
    case 'mistake':
      throw new AppError('invalid', `${reading.problem}\n\n${toolHelpText(reading.tool, tools, 'cli')}`);
    case 'call': {
      const { tool, input } = reading;
      if (asksFirst(tool, input) && !flags.yes && !(await isCertain(tool, input, terminal))) {
        terminal.err('Nothing was done.');
        return EXIT_CODES.denied;
      }
      const whole = await withFiles(tool, input, terminal);
      return withApp(open, (app) => call(app, tool, whole, flags, terminal, signal));
    }
  }
}

async function restored(words: readonly string[], { restore }: CommandPlace): Promise<string> {
  const [file, ...others] = words.filter((word) => word !== '--unverified');
  if (file === undefined || others.length > 0)
    throw new AppError('invalid', `Usage: ${PREFIX} restore FILE [--unverified]`);
  if (!restore) throw new AppError('refused', 'The service is running on this data. Stop it, then restore.');
  return restore(file, { unverified: words.includes('--unverified') });
}

const ALSO = [
  'With every command: --json for programs, --png FILE for its picture, --open for its page, --yes answers beforehand, --no-wait.',
  `${COMMANDS_WITHOUT_TOOL.map(({ example, title }) => `  ${PREFIX} ${example}    ${title}`).join('\n')}`,
  'Exit codes: 0 done, 1 failed, 2 a wrong command, 3 not allowed, 4 not there, 5 refused, 6 not available, 7 a machine that did not answer.',
].join('\n');

async function withApp<Result>(open: () => Promise<OpenApp>, work: (app: OpenApp) => Promise<Result> | Result) {
  const app = await open();
  try {
    return await work(app);
  } finally {
    await app.close();
  }
}

function show(address: string, terminal: Terminal): number {
  terminal.out(address);
  terminal.browse(address);
  return 0;
}

/** A list of ten thousand machines has less. */
const MOST_FILE_BYTES = 16_000_000;

/** The input with the texts of the files that were named in their places. */
async function withFiles(
  { command }: AnyTool,
  input: Record<string, unknown>,
  terminal: Terminal,
): Promise<Record<string, unknown>> {
  const read = { ...input };
  for (const field of command?.files ?? []) {
    const name = input[field];
    if (typeof name !== 'string') continue;
    const bytes = await terminal.read(name).catch((error: Error) => {
      throw new AppError('not_found', `${name} cannot be read: ${error.message}`);
    });
    if (bytes.length > MOST_FILE_BYTES)
      throw new AppError('too_large', `${name} has ${bytes.length} bytes; at most ${MOST_FILE_BYTES} are read.`);
    read[field] = fileText(bytes);
  }
  return read;
}

/** @throws AppError `invalid` where nobody can be asked */
async function isCertain(tool: AnyTool, input: Record<string, unknown>, terminal: Terminal): Promise<boolean> {
  const about = Object.entries(input).map(([field, value]) => `${field} ${JSON.stringify(value)}`);
  const question = visibleLine(`${tool.title}${about.length > 0 ? ` (${about.join(', ')})` : ''}?`);
  if (terminal.ask) return terminal.ask(question);
  throw new AppError('invalid', `${question} Nothing was done: without a terminal to ask, add --yes.`);
}

async function call(
  app: OpenApp,
  tool: AnyTool,
  input: Record<string, unknown>,
  flags: Flags,
  terminal: Terminal,
  signal: AbortSignal | undefined,
): Promise<number> {
  const actor = commandLineActor(terminal.facts);
  const options = { ...(terminal.progress && { progress: terminal.progress }), ...(signal && { signal }) };
  const first = await app.invoke(tool.name, input, actor, options);
  const answer = flags.noWait || first.progress === null ? first : await outcome(app, first, actor, terminal, signal);
  if (flags.png !== null) {
    if (!answer.chart) throw new AppError('not_found', 'This answer has no picture, or there is nothing to draw yet.');
    await terminal.write(flags.png, await app.png(answer.chart));
    terminal.err(`Picture written to ${flags.png}`);
  }
  terminal.out(
    flags.json
      ? visibleJson(JSON.stringify(answer.output, null, 2))
      : forTerminal(visible(answer.text), terminal.facts),
  );
  const shown = TOOLS.find(({ name }) => name === answer.call.tool);
  if (flags.open) {
    const path = shown?.page?.(answer.output) ?? null;
    if (path === null) throw new AppError('not_found', 'The page does not show this.');
    show(`${app.address}${path}`, terminal);
  }
  if (answer.output.status === 'failed') return FAILED;
  return shown?.cameToNothing?.(answer.output) ? CAME_TO_NOTHING : 0;
}

/** What a command that only asked for work has to show is the work's end. */
async function outcome(
  app: OpenApp,
  asked: Answer,
  actor: Actor,
  terminal: Terminal,
  signal: AbortSignal | undefined,
): Promise<Answer> {
  terminal.err(visible(asked.text));
  await app.work();
  const { tool, input } = callShowing(TOOLS, 'run', asked.progress!);
  for (;;) {
    const run = await app.invoke(tool, input, actor);
    if (isFinished(run.output.status as RunStatus) || run.output.status === 'waiting_approval') return run;
    if (signal?.aborted) return run;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

async function hostnames(open: () => Promise<OpenApp>, { facts }: Terminal): Promise<string[]> {
  return withApp(open, async (app) => {
    const list = TOOLS.find(({ shows }) => shows?.card === 'endpoints')!;
    const { output } = await app.invoke(list.name, { limit: 500 }, commandLineActor(facts));
    return (output.endpoints as { hostname: string }[]).map(({ hostname }) => hostname);
  });
}

function readFlags(argv: readonly string[]): Flags {
  const flags: Flags = { json: false, yes: false, noWait: false, open: false, png: null, words: [] };
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i]!;
    if (word === '--json') flags.json = true;
    else if (word === '--yes') flags.yes = true;
    else if (word === '--no-wait') flags.noWait = true;
    else if (word === '--open') flags.open = true;
    else if (word === '--png') {
      flags.png = argv[++i] ?? null;
      if (!flags.png) throw new AppError('invalid', '--png needs the name of the file to write.');
    } else flags.words.push(word);
  }
  // `open HOST` is short for the machine's page.
  if (flags.words[0] === 'open' && flags.words.length > 1) {
    flags.open = true;
    flags.words[0] = TOOLS.find(({ shows }) => shows?.card === 'score')!.command!.name;
  }
  return flags;
}

/** Whoever may read the database file may do everything; the audit names them. */
function commandLineActor({ user, timeZone }: TerminalFacts): Actor {
  return { id: `cli:${user}`, name: user, kind: 'human', via: 'cli', role: 'admin', timeZone };
}
