/** The `dex` command line: typed words in, a tool's answer out; works on the configured database without the service. */
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { createInterface } from 'node:readline/promises';
import { connectAgent } from '../../mcp/agent.ts';
import { type App, createApp } from '../app.ts';
import { restore } from '../composition/restore.ts';
import { processEnv, readConfig } from '../config.ts';
import type { Actor } from '../core/actor.ts';
import { COMMAND_PREFIXES } from '../core/callText.ts';
import { visible, visibleJson, visibleLine } from '../core/characters.ts';
import { helpText, toolHelpText } from '../core/commands/commandHelp.ts';
import { readCommand } from '../core/commands/readCommand.ts';
import { AppError, type ErrorKind } from '../core/errors.ts';
import type { Answer } from '../core/invoke.ts';
import { asksFirst } from '../core/policy.ts';
import { type AnyTool, callShowing } from '../core/tool.ts';
import { TOOLS } from '../core/tools/index.ts';
import { isFinished, type RunStatus } from '../domain/run.ts';
import { progressBar } from './progressBar.ts';

/** How a command is typed in a checkout. */
const PREFIX = COMMAND_PREFIXES.cli;

/** Exit codes: 0 done, 1 a bug, 2 a wrong command, then by the kind of the error. */
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

interface CliOutput {
  out(text: string): void;
  err(text: string): void;
  /** How far long work is, 0–1. */
  progress?(share: number, message: string): void;
  /** Asks whoever sits at the terminal; absent where nobody does. */
  ask?(question: string): Promise<boolean>;
}

interface Flags {
  json: boolean;
  /** Answers beforehand what a terminal would be asked. */
  yes: boolean;
  noWait: boolean;
  png: string | null;
  words: string[];
}

/** Runs one command line. @returns the exit code */
export async function runCli(
  argv: string[],
  env: Record<string, string | undefined>,
  output: CliOutput,
): Promise<number> {
  try {
    const flags = readFlags(argv);
    if (flags.words[0] === 'restore') {
      const [, file, ...others] = flags.words.filter((word) => word !== '--unverified');
      if (file === undefined || others.length > 0)
        throw new AppError('invalid', `Usage: ${PREFIX} restore FILE [--unverified]`);
      output.out(await restore(readConfig(env), file, { unverified: flags.words.includes('--unverified') }));
      return 0;
    }
    const tools = TOOLS.filter(({ hiddenFrom }) => !hiddenFrom?.includes('cli'));
    const reading = readCommand(flags.words, tools);
    switch (reading.kind) {
      case 'help':
        output.out(
          reading.tool
            ? toolHelpText(reading.tool, tools, 'cli')
            : `${helpText(tools, 'cli')}\n\nWith the service stopped: ${PREFIX} restore FILE [--unverified]`,
        );
        return 0;
      case 'unknown': {
        const near = reading.suggestions.length > 0 ? ` Did you mean ${reading.suggestions.join(' or ')}?` : '';
        throw new AppError('invalid', `There is no command ${reading.word}.${near} \`${PREFIX} help\` lists all.`);
      }
      case 'mistake':
        throw new AppError('invalid', `${reading.problem}\n\n${toolHelpText(reading.tool, tools, 'cli')}`);
      case 'call':
        if (
          asksFirst(reading.tool, reading.input) &&
          !flags.yes &&
          !(await isCertain(reading.tool, reading.input, output))
        ) {
          output.err('Nothing was done.');
          return EXIT_CODES.denied;
        }
        return await call(reading.tool, reading.input, flags, env, output);
    }
  } catch (error) {
    if (error instanceof AppError) {
      output.err(visible(error.message));
      return EXIT_CODES[error.kind];
    }
    output.err(visible(`An internal error: ${(error as Error).stack}`));
    return 1;
  }
}

/** @throws AppError `invalid` where nobody can be asked */
async function isCertain(tool: AnyTool, input: Record<string, unknown>, output: CliOutput): Promise<boolean> {
  const about = Object.entries(input).map(([field, value]) => `${field} ${JSON.stringify(value)}`);
  const question = visibleLine(`${tool.title}${about.length > 0 ? ` (${about.join(', ')})` : ''}?`);
  if (output.ask) return output.ask(question);
  throw new AppError('invalid', `${question} Nothing was done: without a terminal to ask, add --yes.`);
}

async function call(
  tool: AnyTool,
  input: Record<string, unknown>,
  flags: Flags,
  env: Record<string, string | undefined>,
  output: CliOutput,
): Promise<number> {
  const app = await createApp(readConfig({ LOG_LEVEL: 'WARNING', LOG_FORMAT: 'text', ...env }), {}, { connectAgent });
  try {
    const actor = commandLineActor();
    const answer = await outcome(app, await app.invoke(tool.name, input, actor, output), actor, flags, output);
    if (flags.png) {
      if (!answer.chart)
        throw new AppError('not_found', 'This answer has no picture, or there is nothing to draw yet.');
      await writeFile(flags.png, await app.ports.charts.png(answer.chart));
      output.err(`Picture written to ${flags.png}`);
    }
    output.out(flags.json ? visibleJson(JSON.stringify(answer.output, null, 2)) : visible(answer.text));
    return answer.output.status === 'failed' ? 1 : 0;
  } finally {
    await app.close();
  }
}

/** What a command that only asked for work has to show is the work's end. */
async function outcome(app: App, answer: Answer, actor: Actor, flags: Flags, output: CliOutput): Promise<Answer> {
  if (flags.noWait || answer.progress === null) return answer;
  output.err(visible(answer.text));
  await app.startWorking({ recover: false });
  const { tool, input } = callShowing(TOOLS, 'run', answer.progress);
  for (;;) {
    const run = await app.invoke(tool, input, actor);
    if (isFinished(run.output.status as RunStatus) || run.output.status === 'waiting_approval') return run;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

function readFlags(argv: string[]): Flags {
  const flags: Flags = { json: false, yes: false, noWait: false, png: null, words: [] };
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i]!;
    if (word === '--json') flags.json = true;
    else if (word === '--yes') flags.yes = true;
    else if (word === '--no-wait') flags.noWait = true;
    else if (word === '--png') {
      flags.png = argv[++i] ?? null;
      if (!flags.png) throw new AppError('invalid', '--png needs the name of the file to write.');
    } else flags.words.push(word);
  }
  return flags;
}

/** Whoever may read the database file may do everything; the audit names them. */
function commandLineActor(): Actor {
  const { username } = userInfo();
  return { id: `cli:${username}`, name: username, kind: 'human', via: 'cli', role: 'admin' };
}

/** Anything but a yes is a no, the end of the input too. */
async function askTerminal(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const closed = once(terminal, 'close').then(() => '');
  const typed = await Promise.race([terminal.question(`${question} [y/N] `), closed]).catch(() => '');
  terminal.close();
  return /^y(es)?$/i.test(typed.trim());
}

if (import.meta.main) {
  const bar = progressBar(process.stderr);
  const code = await runCli(process.argv.slice(2), processEnv(), {
    out: (text) => {
      bar.clear();
      process.stdout.write(`${text}\n`);
    },
    err: (text) => {
      bar.clear();
      process.stderr.write(`${text}\n`);
    },
    progress: (share, message) => bar.show(share, visibleLine(message)),
    ...(process.stdin.isTTY && process.stderr.isTTY && { ask: askTerminal }),
  });
  // Agenda leaves a timer running for minutes after a job has ended; everything of ours is closed by now.
  process.exit(code);
}
