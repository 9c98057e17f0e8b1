/** What the adapters that post to Slack need of this interface: how notifications and survey messages look, and what refusals mean. */
import { alertCard, alertDigest, alertIn, alertMoves } from './cards/alertCard.ts';
import { approvalCard, approvalShown } from './cards/approvalCard.ts';
import { slackProblem } from './cards/problems.ts';
import { plainReply } from './cards/text.ts';
import { fixCheck } from './commands/fixCheck.ts';
import { surveyMessage } from './surveys.ts';

export const slackFormatting = {
  card: (facts: Record<string, unknown>) => alertCard(alertIn(facts)),
  digest: (facts: Record<string, unknown>[]) => alertDigest(facts.map(alertIn)),
  moves: alertMoves,
  approval(facts: Record<string, unknown>) {
    const approval = approvalShown.parse(facts.approval);
    return { news: approvalCard(approval), waiting: approval.status === 'pending' };
  },
  fixCheck,
  letter: surveyMessage,
  note: (text: string) => plainReply(text),
  problem: slackProblem,
};
