/** What people's votes say about a runbook: how often it helped, and how far that may be believed. */

export interface VoteCount {
  helped: number;
  notHelped: number;
}

export const NO_VOTES: VoteCount = { helped: 0, notHelped: 0 };

/** How many of the votes say that the page helped, in whole percent; null when nobody has voted. */
export function fixRatePct({ helped, notHelped }: VoteCount): number | null {
  const votes = helped + notHelped;
  return votes === 0 ? null : Math.round((100 * helped) / votes);
}

/**
 * The votes as −1 (never helped) to 1 (always helped), for ranking. Two imagined votes each way (additive smoothing) keep
 * the first click from saying as much as the hundredth.
 */
export function voteBalance({ helped, notHelped }: VoteCount): number {
  return (helped - notHelped) / (helped + notHelped + 4);
}
