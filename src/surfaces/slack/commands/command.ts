/** `/dex …`: reads what was typed as a call of a tool, or says kindly and at once what to type instead. */
import { COMMAND_PREFIXES } from '../../../core/callText.ts';
import { everydayTools, helpAbout, toolHelpText } from '../../../core/commands/commandHelp.ts';
import { type Reading, readCommand, splitCommand } from '../../../core/commands/readCommand.ts';
import { asksFirst, isStaff, offers, scopeOf } from '../../../core/policy.ts';
import type { AnyTool } from '../../../core/tool.ts';
import { joinOwnMachine } from '../../../domain/people/ownMachine.ts';
import { slackProblem } from '../cards/problems.ts';
import { callButton } from '../cards/related.ts';
import {
  type Block,
  bullets,
  confirmed,
  header,
  note,
  paragraph,
  plainReply,
  type Reply,
  textElement,
  unescapeTyped,
} from '../cards/text.ts';
import type { Asker, SlackContext } from '../context.ts';
import { carryOut } from './calls.ts';
import { toolForm, wantsForm } from './forms.ts';
import { meansOwn, ownHosts } from './hosts.ts';

export const COMMAND = COMMAND_PREFIXES.slack;

interface TypedCommand {
  text: string;
  triggerId: string;
  /** Tells Slack that the command arrived; with a reply, that is shown at once, to the asker only. */
  acknowledge(reply?: Reply): Promise<void>;
  /** Puts a question to an agent, whose answer goes to the asker's direct messages. */
  ask(question: string): Promise<void>;
}

export async function answerCommand(slack: SlackContext, asker: Asker, command: TypedCommand): Promise<void> {
  const typed = joinOwnMachine(splitCommand(unescapeTyped(command.text)));
  const reading = readCommand(typed, slack.tools);
  if (reading.kind !== 'call' && reading.kind !== 'help' && looksLikeQuestion(typed)) {
    await command.acknowledge();
    await slack.turn();
    return command.ask(command.text.trim());
  }
  switch (reading.kind) {
    case 'call': {
      // What writes and was given no word is asked for its details first.
      if (isBare(typed, reading.tool) && wantsForm(reading.tool)) {
        await command.acknowledge();
        return openForm(slack, asker, reading.tool, command.triggerId);
      }
      if (asksFirst(reading.tool, reading.input)) return command.acknowledge(askFirst(reading.tool, reading.input));
      await command.acknowledge();
      await slack.turn();
      const [plain = ''] = Object.keys(reading.input);
      if (reading.tool.command?.takesPlainText && Object.keys(reading.input).length === 1)
        return command.ask(String(reading.input[plain]));
      return carryOut(slack, asker, { tool: reading.tool.name, input: reading.input });
    }
    case 'help':
      if (reading.tool) return command.acknowledge(toolHelp(reading.tool, slack.tools));
      return command.acknowledge(await help(slack, asker, reading.topic));
    case 'unknown':
      return command.acknowledge(unknown(slack.tools, reading, typed));
    case 'mistake': {
      if (isBare(typed, reading.tool) && wantsForm(reading.tool)) {
        await command.acknowledge();
        return openForm(slack, asker, reading.tool, command.triggerId);
      }
      const [missing] = reading.missing;
      const actor = await slack.people.actor(asker.person);
      if (missing === 'hostname' && reading.missing.length === 1 && meansOwn(reading.tool, actor)) {
        await command.acknowledge();
        await slack.turn();
        return carryOut(slack, asker, { tool: reading.tool.name, input: reading.input });
      }
      if (reading.meant)
        return command.acknowledge(plainReply(reading.problem, ...suggestedCall(slack.tools, reading.meant)));
      return command.acknowledge(
        plainReply(`${reading.problem}\nFor example: ${COMMAND} ${reading.tool.command!.example}`),
      );
    }
  }
}

/** What cannot be taken back by another command is done by a click that asks once more. */
function askFirst(tool: AnyTool, input: Record<string, unknown>): Reply {
  const about = Object.values(input).map(String).join(', ') || 'all';
  const it = callButton('run:certain', tool.title, { tool: tool.name, input }, 'danger');
  if (it === null) return plainReply('This is too long for one command.');
  const element = confirmed(it, { title: `${tool.title}?`, text: about, yes: tool.title });
  return plainReply(`${tool.title}: ${about}? Nothing is done yet.`, { type: 'actions', elements: [element] });
}

/** Nothing was typed but the command's own name. */
function isBare(typed: string[], tool: AnyTool): boolean {
  return typed.length === tool.command!.name.split(' ').length;
}

async function openForm(slack: SlackContext, asker: Asker, tool: AnyTool, triggerId: string): Promise<void> {
  try {
    const choices = await ownChoices(slack, asker, tool);
    await slack.client.views.open({ trigger_id: triggerId, view: toolForm(tool, choices) });
  } catch (error) {
    const { message } = slackProblem(error);
    slack.log.error({ tool: tool.name, problem: message }, 'a form could not be opened in Slack');
    await asker.respond(
      plainReply(`The form could not be opened. Type it instead: ${COMMAND} ${tool.command!.example}`),
    );
  }
}

/** Who may name no machine but their own picks one of them. */
async function ownChoices(slack: SlackContext, { person }: Asker, tool: AnyTool): Promise<Record<string, string[]>> {
  const actor = await slack.people.actor(person);
  if (!meansOwn(tool, actor) || scopeOf(tool, actor) !== 'own') return {};
  return { hostname: await ownHosts(slack, actor, person.id).catch(() => []) };
}

const QUESTION_WORD = /^(?:why|how|what|whats|when|who|which|where|is|are|does|do|can|should|my|warum|wieso|was|wie)$/i;

/** Words that are no command but a question, as "why is my laptop slow?". */
function looksLikeQuestion(words: readonly string[]): boolean {
  const [first = ''] = words;
  return words.length > 2 && (QUESTION_WORD.test(first.replace(/['’]s$/, '')) || /\?$/.test(words.at(-1) ?? ''));
}

/** What somebody uses daily, by their role; a topic, or everything, when asked. */
async function help(slack: SlackContext, { person }: Asker, topic: string | null): Promise<Reply> {
  const actor = await slack.people.actor(person);
  const tools = slack.tools.filter((tool) => offers(tool, actor));
  if (topic !== null) return topicHelp(tools, topic);
  const staff = isStaff(actor);
  const everyday = everydayTools(tools, staff ? 'staff' : 'employees');
  const lines = everyday.map((tool) => [
    textElement(`${COMMAND} ${staff ? tool.command!.example : shortExample(tool)}`, { code: true }),
    textElement(`  ${tool.title}`),
  ]);
  const hint = staff
    ? `A machine is named by its hostname, its address, or its owner's @name. Everything: ${COMMAND} help all`
    : `Or ask me in your own words: why is my laptop slow? More: ${COMMAND} help all`;
  return {
    text: `What ${COMMAND} can do for you`,
    blocks: [header(`What ${COMMAND} can do for you`), bullets(lines), note(hint)],
  };
}

/** Employees' commands are about their own machine unless they name one. */
function shortExample({ command }: AnyTool): string {
  return command!.example.replace(/ dev-machine-01/, command!.sentence ? ' my laptop' : '').replace(/ --.*$/, '');
}

function topicHelp(tools: readonly AnyTool[], topic: string): Reply {
  const paragraphs = helpAbout(tools, topic).map(({ topic: title, tools: members }) =>
    paragraph(
      textElement(title, { bold: true }),
      ...members.flatMap((tool) => [
        textElement('\n'),
        textElement(`${COMMAND} ${tool.command!.example}`, { code: true }),
        textElement(`  ${tool.title}`),
      ]),
    ),
  );
  const title = `What ${COMMAND} can do`;
  return { text: title, blocks: [header(title), ...paragraphs, note(`More about one: ${COMMAND} help score`)] };
}

function toolHelp(tool: AnyTool, tools: readonly AnyTool[]): Reply {
  return plainReply(toolHelpText(tool, tools, 'slack'));
}

function unknown(tools: readonly AnyTool[], reading: Extract<Reading, { kind: 'unknown' }>, typed: string[]): Reply {
  const [nearest] = reading.suggestions;
  const meant = reading.suggestions.map((name) => `${COMMAND} ${name}`).join(', ');
  const advice = nearest ? `Did you mean ${meant}?` : `${COMMAND} help lists what I can do.`;
  const rest = typed.slice(typed[0]?.toLowerCase() === 'help' ? 2 : 1);
  const suggested = nearest === undefined ? [] : suggestedCall(tools, [nearest, ...rest]);
  return plainReply(`I do not know "${reading.word}". ${advice}`, ...suggested);
}

/** A button that does what was meant, when all words fit and it only reads. */
function suggestedCall(tools: readonly AnyTool[], words: string[]): Block[] {
  const reading = readCommand(words, tools);
  if (reading.kind !== 'call' || reading.tool.effect !== 'read') return [];
  const call = { tool: reading.tool.name, input: reading.input };
  const element = callButton('run:meant', `${COMMAND} ${words.join(' ')}`, call);
  return element ? [{ type: 'actions', elements: [element] }] : [];
}
