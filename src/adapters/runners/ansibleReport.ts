/** Reads what Ansible's JSON callback prints: each task's result, the sums of the playbook, and why it failed. */
import { z } from 'zod';
import type { PlaybookReport, TaskResult } from '../../core/ports/ports.ts';

/** Text of the endpoint that is kept of one task, and the tasks that are kept; characters. */
const MAX_MESSAGE = 1000;
const MAX_TASKS = 200;

const text = z.union([z.string(), z.unknown().transform((value) => JSON.stringify(value) ?? '')]);

const hostResult = z.looseObject({
  changed: z.boolean().catch(false),
  failed: z.boolean().catch(false),
  skipped: z.boolean().catch(false),
  unreachable: z.boolean().catch(false),
  msg: text.optional(),
  stdout: text.optional(),
  stderr: text.optional(),
});
type HostResult = z.output<typeof hostResult>;

const callback = z.looseObject({
  plays: z.array(
    z.looseObject({
      tasks: z.array(
        z.looseObject({
          task: z.looseObject({
            name: z.string(),
            duration: z.looseObject({ start: z.string().optional(), end: z.string().optional() }).optional(),
          }),
          hosts: z.record(z.string(), hostResult),
        }),
      ),
    }),
  ),
  custom_stats: z.record(z.string(), z.unknown()).optional(),
});

/** Exit codes of ansible-playbook: 0 ok, 2 a task failed, 4 not reachable, others before anything ran. */
const UNREACHABLE = 4;

export function readReport(
  { code, stdout, stderr }: { code: number | null; stdout: string; stderr: string },
  hostname: string,
): PlaybookReport {
  const parsed = callback.safeParse(jsonIn(stdout));
  if (!parsed.success) {
    const said = (stderr.trim() || stdout.trim()).slice(-MAX_MESSAGE);
    return { ok: false, reason: `Ansible gave no report (exit code ${code}): ${said}`, tasks: [], stats: {} };
  }
  const { plays, custom_stats = {} } = parsed.data;
  const tasks = plays
    .flatMap((play) => play.tasks)
    .flatMap(({ task, hosts }) => {
      const result = hosts[hostname];
      return result ? [taskResult(task.name, result, durationMs(task.duration))] : [];
    });
  const sums = custom_stats[hostname];
  return {
    ok: code === 0,
    reason: code === 0 ? null : reasonOf(code, tasks),
    tasks: tasks.slice(0, MAX_TASKS),
    stats: typeof sums === 'object' && sums !== null ? { ...sums } : {},
  };
}

/** Warnings may come before the report. */
function jsonIn(stdout: string): unknown {
  const start = stdout.search(/^\{/m);
  try {
    return start < 0 ? null : JSON.parse(stdout.slice(start));
  } catch {
    return null;
  }
}

function taskResult(name: string, result: HostResult, durationMs: number | null): TaskResult {
  const said = [result.msg, result.stdout, result.stderr].filter((part) => part !== undefined && part !== '');
  return { name, status: statusOf(result), message: said.join('\n').slice(0, MAX_MESSAGE), durationMs };
}

function statusOf({ unreachable, failed, skipped, changed }: HostResult): TaskResult['status'] {
  if (unreachable) return 'unreachable';
  if (failed) return 'failed';
  if (skipped) return 'skipped';
  return changed ? 'changed' : 'ok';
}

function reasonOf(code: number | null, tasks: TaskResult[]): string {
  const last = tasks.findLast(({ status }) => status === 'failed' || status === 'unreachable');
  if (last) return code === UNREACHABLE ? `not reachable: ${last.message}` : `${last.name}: ${last.message}`;
  return `ansible-playbook ended with code ${code}`;
}

function durationMs(duration: { start?: string; end?: string } | undefined): number | null {
  if (duration?.start === undefined || duration.end === undefined) return null;
  const ms = Date.parse(duration.end) - Date.parse(duration.start);
  return Number.isNaN(ms) ? null : ms;
}
