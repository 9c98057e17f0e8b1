/** A run: one piece of work that was asked for, with what became of it. */

export const RUN_KINDS = ['scan', 'fleet_scan', 'planner', 'remediation', 'runbook_index', 'survey'] as const;
export type RunKind = (typeof RUN_KINDS)[number];

export const RUN_STATUSES = [
  'queued',
  'running',
  'waiting_approval',
  'completed',
  'failed',
  'cancelled',
  'interrupted',
] as const;
export type RunStatus = (typeof RUN_STATUSES)[number];

const FINISHED_RUN_STATUSES: readonly RunStatus[] = ['completed', 'failed', 'cancelled', 'interrupted'];

export interface Run {
  id: string;
  kind: RunKind;
  status: RunStatus;
  /** The endpoint it is about, when it is about one. */
  hostname: string | null;
  /** Planner runs: what to reach, and with which profile. */
  goal: string | null;
  agentProfile: string | null;
  /** Who asked, and through which interface. */
  requestedBy: string;
  via: string;
  createdAt: Date;
  startedAt: Date | null;
  finishedAt: Date | null;
  error: string | null;
  /** JSON; its shape depends on the kind. While running it holds the progress. */
  result: unknown;
  steps: unknown[];
  /** What the work needs to begin or to go on, and nobody reads from outside; its shape depends on the kind. */
  state: unknown;
  usage: { inputTokens: number; outputTokens: number } | null;
  costUsd: number | null;
}

export function isFinished(status: RunStatus): boolean {
  return FINISHED_RUN_STATUSES.includes(status);
}
