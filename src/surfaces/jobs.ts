/** The schedule: each job is an invocation of a tool at set times, by an actor that came by job. */
import { jobActor } from '../core/actor.ts';
import type { Invoke } from '../core/invoke.ts';
import type { AnyTool, ScheduleSettings } from '../core/tool.ts';

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

/** The jobs that tools declare, in the order of the tools. */
export function schedule(tools: readonly AnyTool[], settings: ScheduleSettings): ScheduledJob[] {
  return tools.flatMap(({ name, schedule: planned }) => {
    const cron = planned?.cron(settings) ?? null;
    if (!planned || cron === null) return [];
    return [{ name: planned.job, cron, tool: name, input: planned.input?.(settings) ?? {} }];
  });
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
