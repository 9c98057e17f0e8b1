/** The schedule: each job is an invocation of a tool at set times, by an actor that came by job. */
import { jobActor } from '../core/actor.ts';
import type { Invoke } from '../core/invoke.ts';

interface ScheduledJob {
  name: string;
  /** Cron expression, UTC. */
  cron: string;
  tool: string;
  input: Record<string, unknown>;
}

interface JobScheduler {
  define(
    job: string,
    handler: (data: Record<string, unknown>, signal: AbortSignal) => Promise<void>,
    concurrency: number,
  ): void;
  every(cron: string, job: string): Promise<void>;
}

const WEEKLY_REPORT: ScheduledJob = {
  name: 'dex_weekly_report',
  cron: '0 7 * * 1',
  tool: 'start_run',
  input: { agent_profile: 'dex_report', goal: 'Write the digest of the last seven days.' },
};

interface SurveySchedule {
  /** Cron expression, UTC; empty is never. */
  cron: string;
  /** Share of those who may be asked, 1–100. */
  sharePct: number;
}

/**
 * @param scanIntervalMinutes a divisor of 60
 * @param has.agents whether there is a model for agents to think with
 */
export function schedule(
  scanIntervalMinutes: number,
  survey: SurveySchedule,
  has: { agents: boolean },
): ScheduledJob[] {
  const scanCron = scanIntervalMinutes === 60 ? '0 * * * *' : `*/${scanIntervalMinutes} * * * *`;
  return [
    { name: 'dex_scan_all_endpoints', cron: scanCron, tool: 'scan_fleet', input: {} },
    { name: 'dex_tend_alerts', cron: '* * * * *', tool: 'tend_alerts', input: {} },
    ...(has.agents ? [WEEKLY_REPORT] : []),
    { name: 'dex_expire_approvals', cron: '* * * * *', tool: 'tend_healing', input: {} },
    // Some minutes after the full hour, when the fleet scan has brought the newest samples.
    { name: 'dex_check_predictive_alerts', cron: '7 * * * *', tool: 'check_predictions', input: {} },
    { name: 'dex_tend_retention', cron: '22 * * * *', tool: 'tend_retention', input: {} },
    { name: 'dex_tend_surveys', cron: '* * * * *', tool: 'tend_surveys', input: {} },
    ...(survey.cron
      ? [{ name: 'dex_survey', cron: survey.cron, tool: 'start_survey', input: { share_pct: survey.sharePct } }]
      : []),
  ];
}

export async function startJobs(jobs: ScheduledJob[], scheduler: JobScheduler, invoke: Invoke): Promise<void> {
  for (const job of jobs) {
    const actor = jobActor(job.name);
    scheduler.define(
      job.name,
      async (_data, signal) => {
        await invoke(job.tool, job.input, actor, { signal });
      },
      1,
    );
    await scheduler.every(job.cron, job.name);
  }
}
