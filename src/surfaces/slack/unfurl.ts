/** Links to pages of this service that somebody posts: shown as cards, with what the one who posts them may read. */
import { AppError } from '../../core/errors.ts';
import { cardOfPage } from '../../core/presentation.ts';
import { callShowing } from '../../core/tool.ts';
import { slackProblem } from './cards/problems.ts';
import type { Block } from './cards/text.ts';
import { answered } from './commands/calls.ts';
import type { SlackContext } from './context.ts';
import type { Person } from './people.ts';

interface PostedLinks {
  person: Person;
  /** A message, or one that is still being written. */
  target: { channel: string; ts: string } | { unfurl_id: string; source: 'composer' };
  urls: readonly string[];
}

/** Slack takes more, and nobody reads them. */
const MOST_CARDS = 5;
const MOST_BLOCKS = 10;

/** Shows the cards; what cannot be shown stays a link. */
export async function unfurlLinks(slack: SlackContext, { person, target, urls }: PostedLinks): Promise<void> {
  const cards = await Promise.all(
    [...new Set(urls)].slice(0, MOST_CARDS).map(async (url) => [url, await cardOf(slack, person, url)] as const),
  );
  const shown = cards.flatMap(([url, blocks]) => (blocks ? [[url, { blocks }] as const] : []));
  if (shown.length === 0) return;
  await slack.client.chat.unfurl({ ...target, unfurls: Object.fromEntries(shown) }).catch((error: unknown) => {
    slack.log.warn({ ...target, problem: slackProblem(error).message }, 'a link could not be shown as a card');
  });
}

/** Null where the address shows no one thing, or not to this person. */
async function cardOf(slack: SlackContext, person: Person, url: string): Promise<Block[] | null> {
  const page = cardOfPage(slack.publicUrl, url);
  if (!page) return null;
  try {
    const reply = await answered(slack, await slack.people.actor(person), callShowing(slack.tools, page.card, page.id));
    // What is pressed would be pressed by anybody who reads it.
    return reply.blocks.filter(({ type }) => type !== 'actions').slice(0, MOST_BLOCKS);
  } catch (error) {
    if (error instanceof AppError) return null;
    slack.log.error({ err: error }, 'a link could not be read');
    return null;
  }
}
