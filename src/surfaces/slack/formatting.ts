/** What the adapters that post to Slack need of this interface: how notifications and survey messages look, and what refusals mean. */
import { fixCheckAnswers } from '../../core/healing/fixCheck.ts';
import type { Answer } from '../../core/invoke.ts';
import { type AlertMove, alertCard, alertIn, alertMoves } from './cards/alertCard.ts';
import { alertDigest } from './cards/alertDigest.ts';
import { approvalCard, approvalReminder, approvalShown } from './cards/approvalCard.ts';
import { fixCheck } from './cards/fixCheck.ts';
import { slackProblem } from './cards/problems.ts';
import { remedyCard } from './cards/remedy.ts';
import { plainReply } from './cards/text.ts';
import { surveyMessage } from './surveys.ts';

type Shown = Pick<Answer, 'call' | 'output' | 'related' | 'page'>;

export const slackFormatting = {
  card: ({ output, related, page }: Shown) => alertCard(alertIn(output), related, page),
  digest: (alerts: Shown[]) => alertDigest(alerts.map(({ output, call }) => ({ alert: alertIn(output), call }))),
  moves: ({ output }: Shown, moves: AlertMove[]) => alertMoves(output, moves),
  approval({ output, related, page }: Shown) {
    const approval = approvalShown.parse(output.approval);
    return { news: approvalCard(approval, related, page), waiting: approval.status === 'pending' };
  },
  reminder: ({ output }: Shown, approvers: readonly string[]) =>
    approvalReminder(approvalShown.parse(output.approval), approvers),
  fixCheck: (remediationId: string, { output }: Shown) => fixCheck(output, fixCheckAnswers(remediationId)),
  letter: surveyMessage,
  remedy: remedyCard,
  note: (text: string) => plainReply(text),
  problem: slackProblem,
};
