/** What the adapters that tell things in Slack need of this face: how news and letters look, and what refusals mean. */
import { alertCard, alertDigest, alertIn, alertMoves } from './alertCard.ts';
import { approvalCard, approvalShown } from './approvalCard.ts';
import { fixCheck } from './fixCheck.ts';
import { slackProblem } from './problems.ts';
import { surveyLetter } from './surveys.ts';
import { plainReply } from './text.ts';

export const slackWording = {
  card: (facts: Record<string, unknown>) => alertCard(alertIn(facts)),
  digest: (facts: Record<string, unknown>[]) => alertDigest(facts.map(alertIn)),
  moves: alertMoves,
  approval(facts: Record<string, unknown>) {
    const approval = approvalShown.parse(facts.approval);
    return { news: approvalCard(approval), waiting: approval.status === 'pending' };
  },
  fixCheck,
  letter: surveyLetter,
  note: (text: string) => plainReply(text),
  problem: slackProblem,
};
