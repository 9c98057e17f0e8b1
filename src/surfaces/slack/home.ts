/** The Home tab: for staff the overview, for everybody their own machines and what they can do about them. */
import type { Actor } from '../../core/actor.ts';
import { AppError } from '../../core/errors.ts';
import { isStaff, offers } from '../../core/policy.ts';
import type { OverviewPart, ToolCall } from '../../core/presentation.ts';
import { type AnyTool, callShowing } from '../../core/tool.ts';
import { machineLine, STATUS_SIGNS } from './cards/blocks.ts';
import { slackProblem } from './cards/problems.ts';
import { callButton, relatedBlocks } from './cards/related.ts';
import {
  type Block,
  bullets,
  button,
  clip,
  dateElement,
  header,
  lineBlocks,
  note,
  paragraph,
  textElement,
} from './cards/text.ts';
import { failure, toolNamed } from './commands/calls.ts';
import { MAX_COMMENT_CHARS, toolForm } from './commands/forms.ts';
import { type Machine, machinesOf } from './commands/hosts.ts';
import type { Asker, Click, SlackContext } from './context.ts';
import type { Person } from './people.ts';

const MOST_MACHINES = 10;
const MOST_EXPLAINED = 3;
/** The cause, what shows it, what helps. */
const MOST_REASON_LINES = 3;
const MOST_LINES_CHARS = 2000;
const MOST_DECISIONS = 5;
const MAX_QUESTION_CHARS = 500;

/** Shows the Home tab anew; problems are logged, since nobody asked in words. */
export async function publishHome(slack: SlackContext, person: Person): Promise<void> {
  const actor = await slack.people.actor(person);
  const own = await ownMachines(slack, actor, person);
  const blocks = [
    // What waits for staff comes first.
    ...(isStaff(actor) ? [...(await staffPart(slack, actor)), { type: 'divider' } as const, ...own] : own),
    { type: 'actions', elements: [button('home_refresh', 'Refresh', 'now')] } as const,
  ];
  try {
    await slack.client.views.publish({ user_id: person.id, view: { type: 'home', blocks } });
  } catch (error) {
    slack.log.error({ user: person.id, problem: slackProblem(error).message }, 'the Home tab could not be shown');
  }
}

async function ownMachines(slack: SlackContext, actor: Actor, person: Person): Promise<Block[]> {
  try {
    const own = await machinesOf(slack, actor, person.id);
    if (own.length === 0)
      return [header('My machines'), paragraph(textElement('No machine is registered in your name.'))];
    return [
      header(own.length === 1 ? 'My machine' : 'My machines'),
      bullets(own.slice(0, MOST_MACHINES).map((machine) => [textElement(asPlainText(machine))])),
      ...(own.length > MOST_MACHINES ? [note(`and ${own.length - MOST_MACHINES} more`)] : []),
      ...(isStaff(actor) ? [] : await reasons(slack, actor, own)),
      ...ownMachineButtons(slack, actor),
    ];
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return [header('My machines'), paragraph(textElement(error.message))];
  }
}

/** Why the machines that could be better are so, each with one thing that helps. */
async function reasons(slack: SlackContext, actor: Actor, own: readonly Machine[]): Promise<Block[]> {
  const unwell = own.filter(({ score, score_status }) => score !== null && score_status !== 'healthy');
  const read = unwell.slice(0, MOST_EXPLAINED).map(async ({ hostname }) => {
    const { tool, input } = callShowing(slack.tools, 'diagnosis', hostname);
    const { text } = await slack.invoke(tool, input, actor);
    return lineBlocks(text.split('\n').slice(0, MOST_REASON_LINES), MOST_LINES_CHARS);
  });
  return (await Promise.all(read)).flat();
}

/** What people can do about their own machines. */
function ownMachineButtons(slack: SlackContext, actor: Actor): Block[] {
  const elements = slack.tools
    .filter((tool) => tool.ownMachineLabel !== undefined && offers(tool, actor))
    .map(({ name, ownMachineLabel = '' }) =>
      callButton(`form:${name}`, ownMachineLabel, { tool: name, input: {} }, 'primary'),
    )
    .filter((it) => it !== null);
  return elements.length > 0 ? [{ type: 'actions', elements }] : [];
}

const PLAIN_WORDS: Record<string, string> = {
  healthy: 'works well',
  at_risk: 'could work better; we are aware of it',
  critical: 'has serious problems; we are aware of it',
  unreachable: 'could not be reached; its last score was',
  unknown: 'was measured in part only; of that part',
};

function asPlainText({ hostname, score, score_status, state }: Machine): string {
  const sign = STATUS_SIGNS[score_status] ?? '';
  if (score === null) return `${sign} ${hostname} has not been scanned yet`;
  const old = state === 'stale' ? ' (not seen lately)' : '';
  return `${sign} ${hostname} ${PLAIN_WORDS[score_status] ?? 'is being watched'}: ${score} of 100${old}`;
}

/** What is worth a glance: the parts that tools declare, in their order. */
async function staffPart(slack: SlackContext, actor: Actor): Promise<Block[]> {
  const tools = slack.tools
    .filter((tool) => offers(tool, actor))
    .flatMap(({ name, overview }) => (overview ? [{ name, overview }] : []))
    .toSorted((a, b) => a.overview.place - b.overview.place);
  const parts = await Promise.all(tools.map(({ name, overview }) => partsOf(slack, actor, name, overview)));
  return parts.flat();
}

/** One broken part leaves the others standing. */
async function partsOf(
  slack: SlackContext,
  actor: Actor,
  tool: string,
  { input = {}, parts }: NonNullable<AnyTool['overview']>,
): Promise<Block[]> {
  try {
    const { output } = await slack.invoke(tool, input, actor);
    const blocks = await Promise.all(parts(output, actor).map((part) => partBlocks(slack, part)));
    return blocks.flat();
  } catch (error) {
    slack.log.warn({ err: error, tool }, 'a part of the Home tab could not be read');
    return [];
  }
}

async function partBlocks(slack: SlackContext, part: OverviewPart): Promise<Block[]> {
  const { title, lines = [], machines = [], decisions = [], chart = null } = part;
  const image = await slack.pictures.show(chart);
  const more = decisions.length - MOST_DECISIONS;
  return [
    ...(title === null ? [] : [header(title)]),
    ...lineBlocks(lines, MOST_LINES_CHARS),
    ...(machines.length > 0 ? [bullets(machines.map((machine) => [textElement(machineLine(machine))]))] : []),
    ...decisions
      .slice(0, MOST_DECISIONS)
      .flatMap(({ text, until, related }) => [
        paragraph(textElement(clip(text, MAX_QUESTION_CHARS)), textElement(' until '), dateElement(until)),
        ...relatedBlocks(related),
      ]),
    ...(more > 0 ? [note(`and ${more} more`)] : []),
    ...(image ? [image] : []),
  ];
}

/** Opens the form of a tool for the machines of the one who clicks. */
export async function openOwnForm(slack: SlackContext, click: Click, call: ToolCall): Promise<void> {
  const tool = toolNamed(slack, call.tool);
  if (tool?.ownMachineLabel === undefined) throw new AppError('not_found', 'This form is of another version.');
  await openForm(slack, tool, click.person, click.triggerId);
}

/**
 * The first form that people are offered beside their own machines, as Slack's own menus open it.
 * @param text what is known of the problem already, as the message that it stands in
 */
export async function openReportForm(
  slack: SlackContext,
  { person, respond }: Asker,
  triggerId: string,
  text: string | null,
): Promise<void> {
  const tool = slack.tools.find(({ ownMachineLabel }) => ownMachineLabel !== undefined);
  try {
    if (tool) await openForm(slack, tool, person, triggerId, text);
  } catch (error) {
    await respond(await failure(slack, person.id, { tool: tool?.name ?? '', input: {} }, error));
  }
}

/** Staff may name any machine; the others pick one of theirs. */
async function openForm(
  slack: SlackContext,
  tool: AnyTool,
  person: Person,
  triggerId: string,
  text: string | null = null,
): Promise<void> {
  const actor = await slack.people.actor(person);
  const isAnybodys = text !== null && isStaff(actor);
  const own = isAnybodys ? [] : await machinesOf(slack, actor, person.id);
  if (own.length === 0 && !isAnybodys) throw new AppError('not_found', 'No machine is registered in your name.');
  const view = toolForm(
    tool,
    isAnybodys ? {} : { hostname: own.map(({ hostname }) => hostname) },
    text === null ? {} : { [tool.command?.args.at(-1) ?? '']: clip(text, MAX_COMMENT_CHARS) },
  );
  await slack.client.views.open({ trigger_id: triggerId, view });
}
