/** The Home tab: for staff the fleet, for everybody their own machines, and the way to say that something is slow. */
import type { types } from '@slack/bolt';
import { z } from 'zod';
import type { Actor } from '../../core/actor.ts';
import type { ChartSpec } from '../../core/chart.ts';
import { AppError } from '../../core/errors.ts';
import type { Answer } from '../../core/invoke.ts';
import { hasRole } from '../../core/policy.ts';
import { FEEDBACK_CATEGORIES } from '../../domain/people/enps.ts';
import { approvalButtons, approvalShown } from './cards/approvalCard.ts';
import { machineLine, STATUS_SIGNS } from './cards/blocks.ts';
import { slackProblem } from './cards/problems.ts';
import {
  type Block,
  bullets,
  button,
  clip,
  dateElement,
  header,
  lineBlocks,
  note,
  option,
  paragraph,
  words,
} from './cards/text.ts';
import { type FormState, formValue, MAX_COMMENT_CHARS, messageModal, plain } from './commands/forms.ts';
import { type Machine, machinesOf } from './commands/hosts.ts';
import type { Click, SlackContext } from './context.ts';
import type { Person } from './people.ts';

export const REPORT_CALLBACK = 'report_slow';
/** "Something is slow" is a complaint: the lower middle of 1–5. */
const COMPLAINT_RATING = 2;
const MOST_MACHINES = 10;
const MOST_LINES_CHARS = 2000;
const MOST_APPROVALS = 5;
const MAX_QUESTION_CHARS = 500;

/** Shows the Home tab anew; problems are logged, since nobody asked in words. */
export async function publishHome(slack: SlackContext, person: Person): Promise<void> {
  const actor = await slack.people.actor(person);
  const blocks = [
    ...(await ownMachines(slack, actor, person)),
    ...(hasRole(actor, 'operator') ? await staffPart(slack, actor) : []),
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
    if (own.length === 0) return [header('My machines'), paragraph(words('No machine is registered in your name.'))];
    return [
      header(own.length === 1 ? 'My machine' : 'My machines'),
      bullets(own.slice(0, MOST_MACHINES).map((machine) => [words(asPlainText(machine))])),
      ...(own.length > MOST_MACHINES ? [note(`and ${own.length - MOST_MACHINES} more`)] : []),
      { type: 'actions', elements: [button('home_slow', 'Something is slow', 'report', 'primary')] },
    ];
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return [header('My machines'), paragraph(words(error.message))];
  }
}

const PLAIN_WORDS: Record<string, string> = {
  healthy: 'works well',
  at_risk: 'could work better; we are aware of it',
  critical: 'has serious problems; we are aware of it',
};

function asPlainText({ hostname, score, score_status, state }: Machine): string {
  const sign = STATUS_SIGNS[score_status] ?? '';
  if (score === null) return `${sign} ${hostname} has not been scanned yet`;
  const old = state === 'stale' ? ' (not seen lately)' : '';
  return `${sign} ${hostname} ${PLAIN_WORDS[score_status] ?? 'is being watched'}: ${score} of 100${old}`;
}

/** What is worth a glance, each part only where this service has the tool for it. */
async function staffPart(slack: SlackContext, actor: Actor): Promise<Block[]> {
  const [fleet, kpis, incidents, approvals, survey, said] = await Promise.all([
    glance(slack, actor, 'get_fleet'),
    glance(slack, actor, 'get_kpis'),
    glance(slack, actor, 'list_incidents'),
    glance(slack, actor, 'list_approvals'),
    glance(slack, actor, 'list_surveys', { limit: 1 }),
    glance(slack, actor, 'get_feedback_summary'),
  ]);
  const image = await slack.pictures.show(fleetHistory(kpis?.output) ?? fleet?.chart ?? null);
  const atRisk = atRiskMachines
    .safeParse(fleet?.output)
    .data?.worst.filter(({ score_status }) => score_status !== 'healthy');
  return [
    { type: 'divider' },
    ...part('Fleet', fleet?.text.split('\n').slice(0, 1)),
    ...(image ? [image] : []),
    ...(atRisk?.length ? [header('At risk'), bullets(atRisk.map((machine) => [words(machineLine(machine))]))] : []),
    ...part('Open incidents', incidents?.text.split('\n')),
    ...waitingForMe(slack, actor, approvals?.output),
    ...part('Last survey', survey && [...survey.text.split('\n'), ...(said?.text.split('\n') ?? [])]),
  ];
}

const historyShown = z.object({
  lookback_days: z.number(),
  fleet_score_history: z.array(z.object({ at: z.string(), avg_score: z.number() })).min(2),
});

/** The fleet's score over the last days as a picture; null before there is a history. */
function fleetHistory(kpis: Answer['output'] | undefined): ChartSpec | null {
  const { data } = historyShown.safeParse(kpis);
  if (!data) return null;
  const points = data.fleet_score_history.map(({ at, avg_score }) => ({ at: new Date(at), value: avg_score }));
  const values = points.map(({ value }) => value);
  return {
    kind: 'time_series',
    title: `DEX score of the fleet, last ${data.lookback_days} days`,
    alt: `The fleet's average score went from ${values[0]} to ${values.at(-1)}; lowest ${Math.min(...values)}.`,
    yTitle: 'Average score',
    yDomain: [0, 100],
    lines: [{ name: 'fleet', points }],
  };
}

/** Approvals that this person can still answer, with the buttons to do it. */
function waitingForMe(slack: SlackContext, actor: Actor, output: Answer['output'] | undefined): Block[] {
  const listed = z.array(approvalShown).safeParse(output?.approvals);
  if (!listed.success || !slack.people.mayApprove(actor)) return [];
  const mine = listed.data.filter(({ answers }) => !answers.some(({ by }) => by === actor.id));
  if (mine.length === 0) return [];
  const more = mine.length - MOST_APPROVALS;
  return [
    header('Waiting for my approval'),
    ...mine
      .slice(0, MOST_APPROVALS)
      .flatMap((approval) => [
        paragraph(
          words(clip(approval.question, MAX_QUESTION_CHARS)),
          words(' until '),
          dateElement(approval.expires_at),
        ),
        ...approvalButtons(approval),
      ]),
    ...(more > 0 ? [note(`and ${more} more`)] : []),
  ];
}

const atRiskMachines = z.object({
  worst: z.array(z.object({ hostname: z.string(), score: z.number().nullable(), score_status: z.string() })),
});

function part(title: string, lines: string[] | null | undefined): Block[] {
  return lines ? [header(title), ...lineBlocks(lines, MOST_LINES_CHARS)] : [];
}

/** One broken part leaves the others standing. */
async function glance(
  slack: SlackContext,
  actor: Actor,
  tool: string,
  input: Record<string, unknown> = {},
): Promise<Answer | null> {
  if (!slack.tools.some(({ name }) => name === tool)) return null;
  return slack.invoke(tool, input, actor).catch((error: unknown) => {
    slack.log.warn({ err: error, tool }, 'a part of the Home tab could not be read');
    return null;
  });
}

/** Opens the report form with the reporter's own machines. */
export async function openReport(slack: SlackContext, click: Click): Promise<void> {
  const actor = await slack.people.actor(click.person);
  const own = await machinesOf(slack, actor, click.person.id);
  if (own.length === 0) throw new AppError('not_found', 'No machine is registered in your name.');
  await slack.client.views.open({ trigger_id: click.triggerId, view: reportForm(own) });
}

function reportForm(own: Machine[]): types.ModalView {
  // A select holds at most 100 options.
  const machines = own.slice(0, 100).map(({ hostname }) => option(hostname, hostname));
  const categories = FEEDBACK_CATEGORIES.map((category) => option(category, category));
  return {
    type: 'modal',
    callback_id: REPORT_CALLBACK,
    title: plain('Something is slow'),
    submit: plain('Send'),
    close: plain('Cancel'),
    blocks: [
      {
        type: 'input',
        block_id: 'hostname',
        label: plain('Which machine?'),
        element: { type: 'static_select', action_id: 'value', options: machines, initial_option: machines[0] },
      },
      {
        type: 'input',
        block_id: 'category',
        label: plain('What is it about?'),
        element: { type: 'static_select', action_id: 'value', options: categories, initial_option: categories[0] },
      },
      {
        type: 'input',
        block_id: 'comment',
        optional: true,
        label: plain('What happens?'),
        element: { type: 'plain_text_input', action_id: 'value', multiline: true, max_length: MAX_COMMENT_CHARS },
      },
    ],
  };
}

/**
 * Takes a report: feedback, and a scan of the machine. The scan runs with an operator's right because the machine is the
 * reporter's own, which is checked here and not taken from the form.
 */
export async function takeReport(slack: SlackContext, person: Person, state: FormState): Promise<types.ModalView> {
  const actor = await slack.people.actor(person);
  const hostname = formValue(state, 'hostname') ?? '';
  const own = await machinesOf(slack, actor, person.id);
  if (!own.some((machine) => machine.hostname === hostname))
    throw new AppError('denied', `${hostname || 'That machine'} is not registered in your name.`);
  const comment = formValue(state, 'comment')?.trim();
  const feedback = {
    hostname,
    rating: COMPLAINT_RATING,
    category: formValue(state, 'category') ?? 'other',
    ...(comment && { comment }),
  };
  await slack.invoke('submit_feedback', feedback, actor);
  const scan = await slack
    .invoke('scan_endpoint', { hostname }, { ...actor, role: 'operator' })
    .catch((error: unknown) => {
      if (error instanceof AppError) return null;
      throw error;
    });
  const next = scan ? `${hostname} is being scanned now.` : `${hostname} will be checked when it reports next.`;
  return messageModal('Thank you', `Your report has arrived. ${next}`);
}
