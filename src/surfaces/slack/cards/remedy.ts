/** An offer to the owner of a machine: what it means, one safe thing to do, and the way out of such messages. */
import type { ComposedRemedy } from '../../../core/remedies/remedyMessage.ts';
import { relatedBlocks } from './related.ts';
import { type Block, paragraph, plainReply, type Reply, textElement, who } from './text.ts';

export function remedyCard({ title, lines, handledBy, calls, optOut }: ComposedRemedy, image: Block | null): Reply {
  const all = optOut ? [...calls, optOut] : calls;
  const handler = handledBy === null ? [] : [paragraph(who(handledBy), textElement(' has it.'))];
  return plainReply(
    [title, ...lines].join('\n'),
    ...handler,
    ...(image ? [image] : []),
    ...relatedBlocks(all, { action: 'replace' }),
  );
}
