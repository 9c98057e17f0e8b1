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
  /** Removes jobs and schedules by name. */
  remove(jobs: readonly string[]): Promise<void>;
}

/** What earlier versions scheduled under names that no job has any more. */
export function retiredJobs(tools: readonly AnyTool[]): string[] {
  return tools.flatMap(({ schedule: planned }) => planned?.retiredJobs ?? []);
}

/** The jobs that tools declare, in the order of the tools. */
export function schedule(tools: readonly AnyTool[], settings: ScheduleSettings): ScheduledJob[] {
  return tools.flatMap(({ name, schedule: planned }) => {
    const cron = planned?.cron(settings) ?? null;
    if (!planned || cron === null) return [];
    return [{ name: planned.job, cron, tool: name, input: planned.input?.(settings) ?? {} }];
  });
}

/** Schedules the jobs, and removes the retired ones from the queue: nobody would work on them, and the queue's lag would grow. */
export async function startJobs(
  jobs: ScheduledJob[],
  retired: readonly string[],
  scheduler: JobScheduler,
  invoke: Invoke,
): Promise<void> {
  await scheduler.remove(retired);
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
