/** "Did that fix it?": the question to a machine's owner after a remediation. */
import type { RelatedCall } from '../../../core/presentation.ts';
import { alertIn } from './alertFacts.ts';
import { relatedBlocks } from './related.ts';
import { plainReply, type Reply } from './text.ts';

/** @param answers what the owner can say; the answer takes the place of the question */
export function fixCheck(facts: Record<string, unknown>, answers: readonly RelatedCall[]): Reply {
  const { hostname, alert_name } = alertIn(facts);
  return plainReply(
    `Did that fix it?\n${hostname} had a problem (${alert_name}) and was repaired just now. Does it work again?`,
    ...relatedBlocks(answers, { action: 'replace' }),
  );
}
