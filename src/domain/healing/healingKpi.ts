/** KPIs of self-healing: how often playbooks fix, how often owners agree, and how long people let approvals wait. */
import type { Approval } from './approval.ts';
import { type Remediation, wasRun } from './remediation.ts';

interface PlaybookFigures {
  playbook: string;
  runs: number;
  /** Verified by a rescan. */
  fixed: number;
  /** Owners' answers to "Did that fix it?". */
  confirmed: number;
  denied: number;
  /** Share of the owners' answers that are yes, 0–100; null without any. */
  confirmedFixRatePct: number | null;
}

interface HealingKpis {
  confirmedFixRatePct: number | null;
  byPlaybook: PlaybookFigures[];
}

type Ended = Pick<Remediation, 'playbook' | 'status' | 'ownerSaysFixed'>;

export function healingKpis(ended: readonly Ended[]): HealingKpis {
  const run = ended.filter(({ status }) => wasRun({ status, dryRun: false }));
  return {
    confirmedFixRatePct: figures('', run).confirmedFixRatePct,
    byPlaybook: [...Map.groupBy(run, ({ playbook }) => playbook)]
      .map(([playbook, list]) => figures(playbook, list))
      .sort((a, b) => b.runs - a.runs || a.playbook.localeCompare(b.playbook)),
  };
}

function figures(playbook: string, list: readonly Ended[]): PlaybookFigures {
  const count = (is: (one: Ended) => boolean) => list.filter(is).length;
  const confirmed = count(({ ownerSaysFixed }) => ownerSaysFixed === true);
  const denied = count(({ ownerSaysFixed }) => ownerSaysFixed === false);
  const answers = confirmed + denied;
  return {
    playbook,
    runs: list.length,
    fixed: count(({ status }) => status === 'fixed'),
    confirmed,
    denied,
    confirmedFixRatePct: answers === 0 ? null : Math.round((confirmed / answers) * 1000) / 10,
  };
}

/** Mean time from a request to its answer by people, minutes; null when people answered none. */
export function approvalLatencyMinutes(
  approvals: readonly Pick<Approval, 'requestedAt' | 'decidedAt' | 'status'>[],
): number | null {
  const waits = approvals.flatMap(({ requestedAt, decidedAt, status }) =>
    decidedAt !== null && (status === 'approved' || status === 'denied')
      ? [(decidedAt.getTime() - requestedAt.getTime()) / 60_000]
      : [],
  );
  if (waits.length === 0) return null;
  return Math.round((waits.reduce((sum, wait) => sum + wait, 0) / waits.length) * 1000) / 1000;
}
