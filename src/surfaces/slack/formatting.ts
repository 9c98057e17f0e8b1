/** What the adapters that post to Slack need of this interface: how notifications and survey messages look, and what refusals mean. */
import { fixCheckAnswers } from '../../core/healing/fixCheck.ts';
import { alertCard } from './cards/alertCard.ts';
import { alertDigest } from './cards/alertDigest.ts';
import { factsIn, isScoreAlert, type ShownAnswer } from './cards/alertFacts.ts';
import { alertAsk, alertMoves, alertTimeline, isLoud, reachPeople } from './cards/alertThread.ts';
import { approvalCard, approvalReminder, approvalShown } from './cards/approvalCard.ts';
import { fixCheck } from './cards/fixCheck.ts';
import { createPictures } from './cards/pictures.ts';
import { slackProblem } from './cards/problems.ts';
import { remedyCard } from './cards/remedy.ts';
import { reportMessage } from './cards/report.ts';
import { plainReply } from './cards/text.ts';
import { surveyMessage } from './surveys.ts';

export const slackFormatting = {
  /** What the notifier has to know of an alert to give it its place. */
  about({ output }: ShownAnswer) {
    const { alert, approval, escalation } = factsIn(output);
    return {
      hostname: alert.hostname,
      createdAtMs: Date.parse(alert.created_at),
      severity: alert.severity,
      follows: isScoreAlert(alert),
      asks: approval?.status === 'pending' ? approval.approval_id : null,
      reached: escalation ? { beganAt: escalation.began_at, people: escalation.people } : null,
    };
  },
  card: alertCard,
  digest: (alerts: ShownAnswer[]) =>
    alertDigest(alerts.map(({ output, call }) => ({ alert: factsIn(output).alert, call }))),
  timeline: alertTimeline,
  ask: alertAsk,
  moves: alertMoves,
  isLoud,
  reach: reachPeople,
  approval({ output, related, page }: ShownAnswer) {
    const approval = approvalShown.parse(output.approval);
    return {
      news: approvalCard(approval, related, page),
      waiting: approval.status === 'pending',
      // What an agent asks about an alert is a question of its own.
      alertId: approval.kind === 'remediation' ? approval.alert_id : null,
    };
  },
  reminder: ({ output }: ShownAnswer, approvers: readonly string[]) =>
    approvalReminder(approvalShown.parse(output.approval), approvers),
  fixCheck: (remediationId: string, { output }: ShownAnswer) => fixCheck(output, fixCheckAnswers(remediationId)),
  report: reportMessage,
  pictures: createPictures,
  letter: surveyMessage,
  remedy: remedyCard,
  note: (text: string) => plainReply(text),
  problem: slackProblem,
};
