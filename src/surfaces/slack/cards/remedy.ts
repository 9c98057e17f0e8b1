/** An offer to the owner of a machine: what it means, one safe thing to do, and the way out of such messages. */
import type { ComposedRemedy } from '../../../core/remedies/remedyMessage.ts';
import { relatedBlocks } from './related.ts';
import { plainReply, type Reply } from './text.ts';

export function remedyCard({ title, lines, calls, optOut }: ComposedRemedy): Reply {
  const all = optOut ? [...calls, optOut] : calls;
  return plainReply([title, ...lines].join('\n'), ...relatedBlocks(all, { action: 'replace' }));
}
