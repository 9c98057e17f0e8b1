/** What the notifier that tells alerts needs of this face: how news look, and what refusals mean. */
import { alertCard, alertDigest, alertIn, alertMoves } from './alertCard.ts';
import { slackProblem } from './problems.ts';

export const slackWording = {
  card: (facts: Record<string, unknown>) => alertCard(alertIn(facts)),
  digest: (facts: Record<string, unknown>[]) => alertDigest(facts.map(alertIn)),
  moves: alertMoves,
  problem: slackProblem,
};
