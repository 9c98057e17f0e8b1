/** The report of the last days: figures, what got better by whom, what waits for whom, and one picture. */
import { z } from 'zod';
import type { Answer } from '../../../core/invoke.ts';
import { type Block, escapeText, header, pageBlocks, paragraph, type Reply, textElement, who } from './text.ts';

const shares = z.array(z.object({ actor: z.string(), alerts: z.number() }));
const reportShown = z.object({
  resolved_by: z.object({ self_healing: z.number(), owners: z.number(), people: shares }),
  waiting: z.object({ approvals: z.number(), unanswered: z.number(), in_hands: shares }),
});

type Elements = Parameters<typeof paragraph>;

/** Lines of the summary that name people are written anew, so that people stand there under the names they have in Slack. */
export function reportBody(text: string, output: Record<string, unknown>): Block[] {
  const { resolved_by, waiting } = reportShown.parse(output);
  const [title = '', figures = '', better = ''] = text.split('\n');
  return [
    header(title),
    paragraph(textElement(figures)),
    paragraph(textElement(better)),
    paragraph(
      textElement('Resolved by: ', { bold: true }),
      ...counted([
        [resolved_by.self_healing, textElement(' self-healing')],
        [resolved_by.owners, textElement(' owners themselves')],
        ...people(resolved_by.people),
      ]),
    ),
    paragraph(
      textElement('Waiting: ', { bold: true }),
      ...counted([
        [waiting.approvals, textElement(' for approval')],
        [waiting.unanswered, textElement(' for somebody to take it')],
        ...people(waiting.in_hands),
      ]),
    ),
  ];
}

export function reportMessage(
  { text, output, page }: Pick<Answer, 'text' | 'output' | 'page'>,
  image: Block | null,
): Reply {
  return {
    text: escapeText(text),
    blocks: [...reportBody(text, output), ...(image ? [image] : []), ...pageBlocks(page)],
  };
}

type Count = readonly [number, Elements[number]];

const people = (all: z.output<typeof shares>): Count[] => all.map(({ actor, alerts }) => [alerts, who(actor)]);

function counted(counts: readonly Count[]): Elements {
  const some = counts.filter(([count]) => count > 0);
  if (some.length === 0) return [textElement('nothing')];
  return some.flatMap(([count, name], i) => [textElement(`${i > 0 ? ', ' : ''}${count} `), name]);
}
