/** What an owner reads about an offer: composed anew from what is known whenever the message is sent or edited. */
import { z } from 'zod';
import { type OwnerText, previewText } from '../../domain/healing/ownerRemedy.ts';
import type { OutboxMessage } from '../../domain/outbox.ts';
import type { ChartSpec } from '../chart.ts';
import type { Ports } from '../ports/ports.ts';
import type { OwnerRemedy } from '../ports/remedyPorts.ts';
import { iso } from '../present.ts';
import type { RelatedCall } from '../presentation.ts';

/** The messenger of the outbox that carries offers to owners. */
export const REMEDY_MESSENGER = 'remedy';

/** All that the message to an owner says. */
export interface ComposedRemedy {
  email: string;
  title: string;
  lines: string[];
  /** The id of the actor who has it by now; null when nobody does. */
  handledBy: string | null;
  calls: RelatedCall[];
  /** The call that keeps such messages away from now on. */
  optOut: RelatedCall | null;
  /** Shown below the lines; null without a picture. */
  chart: ChartSpec | null;
}

/** @param fresh the owner is asked something anew, so that an edit of the old message would not be noticed */
export function remedyMessage({ id }: Pick<OwnerRemedy, 'id'>, key: string, fresh = false): OutboxMessage {
  return {
    messenger: REMEDY_MESSENGER,
    kind: 'changed',
    subject: `remedy:${id}`,
    idempotencyKey: `remedy:${id}:${key}`,
    payload: { remedy_id: id, fresh },
  };
}

/** Null when there is nothing to say any more. */
export async function composeRemedyMessage(ports: Ports, id: string): Promise<ComposedRemedy | null> {
  const remedy = await ports.store.ownerRemedies.get(id);
  return remedy && composed(ports, remedy);
}

const FALLBACK: OwnerText = {
  title: 'Your computer has a problem',
  means: 'It may become slow.',
  advice: 'Ask IT for help.',
};

/** The message as it stands now. */
export async function composed(ports: Ports, remedy: OwnerRemedy): Promise<ComposedRemedy> {
  const text = ports.remediationMap.current().map.get(remedy.alertName)?.forOwner ?? FALLBACK;
  const { hostname, email, runAt } = remedy;
  const preview = await previewOf(ports, remedy);
  const run = preview === null ? null : (text.run ?? null);
  const answers = answersOf(remedy.id);
  const say = (title: string, lines: string[], calls: RelatedCall[] = []): ComposedRemedy => {
    const optOut = remedy.status === 'offered' ? optOutCall : null;
    return { email, title, lines, handledBy: null, calls, optOut, chart: null };
  };
  const doing = run ?? text.title;
  switch (remedy.status) {
    case 'preparing':
    case 'offered':
      return say(
        `${text.title} (${hostname})`,
        [text.means, text.advice, ...(preview ? [preview] : [])],
        run === null
          ? [answers.done('I did it, check again'), answers.notNow, answers.help]
          : [answers.now(`${run} now`), answers.tonight, answers.notNow, answers.help],
      );
    case 'scheduled':
      return say(
        'Agreed',
        [`${doing}: planned for ${iso(runAt)}. I will write when it is done.`],
        [answers.now('Do it now'), answers.cancel],
      );
    case 'running':
      return say('I am on it', [`${doing}. I will write when it is done.`]);
    case 'checking':
      return say(
        'Thank you',
        [`${hostname} is checked with its next scan; I will write what it shows.`],
        [answers.help],
      );
    case 'asking':
      return say('Did that fix it?', [await whatIsOver(ports, remedy)], [answers.fixed, answers.notFixed]);
    case 'still_there':
      return say(
        `Not fixed yet (${hostname})`,
        [`The scan still shows it. ${text.advice}`],
        [answers.done('Check again'), answers.help, answers.notNow],
      );
    case 'fixed':
      return say('Fixed', ['Good to hear. Thank you!']);
    case 'declined':
      return say(
        'All right, not now',
        ['I leave it as it is. If you change your mind:'],
        [answers.done('I did it, check again'), answers.help],
      );
    case 'escalated':
      return say('IT has been asked', [await ticketText(ports, remedy)]);
    case 'taken': {
      const alert = await ports.store.alerts.get(remedy.alertId);
      return {
        ...say('Your IT team is on it', ['I will write when it is solved.']),
        handledBy: alert?.acknowledgedBy ?? null,
      };
    }
    case 'over':
      return say('It has gone by itself', [`The scan of ${hostname} is fine again. Nothing is left to do.`]);
  }
}

const optOutCall: RelatedCall = {
  tool: 'set_remedy_messages',
  input: { wanted: false },
  id: 'no_remedies',
  label: 'No such messages',
  confirm: { title: 'No more such messages?', text: 'You can have them back at any time.' },
};

function answersOf(remedy_id: string) {
  const call = (answer: string, id: string, label: string, style?: RelatedCall['style']): RelatedCall => ({
    tool: 'answer_remedy',
    input: { remedy_id, answer },
    id,
    label,
    ...(style && { style }),
  });
  return {
    now: (label: string) => call('now', 'remedy_now', label, 'primary'),
    tonight: call('tonight', 'remedy_tonight', 'At 18:00'),
    notNow: call('not_now', 'remedy_not_now', 'Not now'),
    cancel: call('not_now', 'remedy_not_now', 'Leave it'),
    done: (label: string) => call('done', 'remedy_done', label, 'primary'),
    fixed: call('fixed', 'remedy_fixed', 'Yes', 'primary'),
    notFixed: call('not_fixed', 'remedy_not_fixed', 'No, it is still there'),
    help: call('help', 'remedy_help', 'Ask IT for help'),
  };
}

const previewed = z.object({ stats: z.record(z.string(), z.unknown()).catch({}) });
const steps = z.array(z.object({ name: z.string(), status: z.string() }));

/** What the dry run found, as a sentence or empty; null when no playbook can be offered. */
async function previewOf({ store }: Ports, { previewId }: OwnerRemedy): Promise<string | null> {
  const dryRun = previewId === null ? null : await store.remediations.get(previewId);
  if (dryRun?.status !== 'previewed') return null;
  const run = await store.runs.get(dryRun.id);
  const { stats } = previewed.catch({ stats: {} }).parse(run?.result);
  const changed = steps
    .catch([])
    .parse(run?.steps)
    .filter(({ status }) => status === 'changed');
  return (
    previewText(
      stats,
      changed.map(({ name }) => name),
    ) ?? ''
  );
}

async function ticketText({ store }: Ports, { alertId }: OwnerRemedy): Promise<string> {
  const [ticket] = await store.tickets.ofAlerts([alertId]);
  const number = ticket?.externalId ? ` The ticket is ${ticket.externalId}.` : '';
  return `They see what I found on your computer. I will write when somebody has it.${number}`;
}

async function whatIsOver({ store }: Ports, { alertId, hostname }: OwnerRemedy): Promise<string> {
  const resolution = (await store.alerts.get(alertId))?.resolution;
  const who = resolution === 'person' || resolution === 'ticket' ? 'Your IT team says that it is solved' : null;
  return `${who ?? `The scan of ${hostname} is fine again`}. Does it work for you too?`;
}
