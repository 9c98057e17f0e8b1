/** `/dex …`: reads what was typed as a call of a tool, or says kindly and at once what to type instead. */
import { COMMAND_PREFIXES } from '../../../core/callText.ts';
import { helpTopics, toolHelpText } from '../../../core/commands/commandHelp.ts';
import { type Reading, readCommand, splitCommand } from '../../../core/commands/readCommand.ts';
import { asksFirst, leastRole, scopeOf } from '../../../core/policy.ts';
import type { AnyTool } from '../../../core/tool.ts';
import { joinOwnMachine } from '../../../domain/people/ownMachine.ts';
import { slackProblem } from '../cards/problems.ts';
import { callButton } from '../cards/related.ts';
import {
  type Block,
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
      return command.acknowledge(reading.tool ? toolHelp(reading.tool, slack.tools) : help(slack.tools));
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

function help(tools: readonly AnyTool[]): Reply {
  const topics = helpTopics(tools).map(({ topic, tools: members }) =>
    paragraph(
      textElement(topic, { bold: true }),
      ...members.flatMap((tool) => [
        textElement('\n'),
        textElement(`${COMMAND} ${tool.command!.example}`, { code: true }),
        textElement(`  ${tool.title}${leastRole(tool) === 'viewer' ? '' : ' ·'}`),
      ]),
    ),
  );
  return {
    text: `What ${COMMAND} can do`,
    blocks: [
      header(`What ${COMMAND} can do`),
      ...topics,
      note(
        `· needs a role. A machine is named by its hostname, its address or its owner's @name. More: ${COMMAND} help score`,
      ),
    ],
  };
}

function toolHelp(tool: AnyTool, tools: readonly AnyTool[]): Reply {
  return plainReply(toolHelpText(tool, tools, 'slack'));
}

function unknown(tools: readonly AnyTool[], reading: Extract<Reading, { kind: 'unknown' }>, typed: string[]): Reply {
  const [nearest] = reading.suggestions;
  const meant = reading.suggestions.map((name) => `${COMMAND} ${name}`).join(', ');
  const advice = nearest ? `Did you mean ${meant}?` : `${COMMAND} help lists what I can do.`;
  return plainReply(`I do not know "${reading.word}". ${advice}`, ...suggestedCall(tools, nearest, typed));
}

/** A button that does what was meant, when the other words fit and it only reads. */
function suggestedCall(tools: readonly AnyTool[], name: string | undefined, typed: string[]): Block[] {
  if (name === undefined) return [];
  const rest = typed.slice(typed[0]?.toLowerCase() === 'help' ? 2 : 1);
  const reading = readCommand([name, ...rest], tools);
  if (reading.kind !== 'call' || reading.tool.effect !== 'read') return [];
  const call = { tool: reading.tool.name, input: reading.input };
  const element = callButton('run:meant', `${COMMAND} ${[name, ...rest].join(' ')}`, call);
  return element ? [{ type: 'actions', elements: [element] }] : [];
}
