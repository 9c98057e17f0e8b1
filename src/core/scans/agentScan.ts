/** Scans by an agent: its answer becomes a snapshot, and where there is no usable answer the machine is scanned directly. */
import { z } from 'zod';
import { type ScanTarget, type Snapshot, unreachableSnapshot } from '../../domain/signals/telemetry.ts';
import type { Actor } from '../actor.ts';
import { AppError } from '../errors.ts';
import { newPlannerJob } from '../planner/plannerJob.ts';
import type { Collector, Ports } from '../ports/ports.ts';
import { executeRun } from '../runs/executeRun.ts';
import { addRun } from '../runs/runs.ts';
import { agentSnapshotWire, flatSnapshotWire, snapshotFromWire } from './agentSnapshot.ts';

/** The profile whose answer this is: `config/agent_profiles.yaml` holds the same shape as a JSON Schema. */
export const SCAN_PROFILE = 'dex_proactive';

const about = z.looseObject({
  hostname: z.string(),
  reachable: z.boolean(),
  unreachable_reason: z.string().nullable(),
});

/**
 * The snapshot that a scanning agent's answer stands for.
 * @throws AppError `refused` when it is no snapshot, or one of another endpoint
 */
function snapshotFromAnswer(answer: unknown, target: ScanTarget, startedAt: Date, durationMs: number): Snapshot {
  const { hostname, reachable, unreachable_reason, ...measured } = checked(about, answer);
  if (hostname !== target.hostname) {
    throw new AppError('refused', `The agent was asked about ${target.hostname} and answered about ${hostname}.`);
  }
  if (!reachable) return unreachableSnapshot(target, startedAt, unreachable_reason ?? 'not said', durationMs);
  const wire = { ...measured, collected_at: startedAt.toISOString(), duration_ms: durationMs };
  const flat = checked(flatSnapshotWire, wire);
  return snapshotFromWire(checked(agentSnapshotWire, flat), target, startedAt);
}

function checked<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new AppError('refused', `The agent's answer is no snapshot: ${z.prettifyError(parsed.error)}`);
}

interface AgentCollectorOptions {
  direct: Collector;
  /** What one run of the scanning profile about this endpoint answered; AppError when there is no answer. */
  investigate(target: ScanTarget, signal: AbortSignal): Promise<unknown>;
  now: () => Date;
}

/** A collector that lets an agent measure, for `DEX_SCAN_MODE=agent`. */
export function agentCollector({ direct, investigate, now }: AgentCollectorOptions): Collector {
  return {
    async collect(target, context) {
      try {
        const answer = await investigate(target, context.signal);
        return snapshotFromAnswer(answer, target, context.now, now().getTime() - context.now.getTime());
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        context.note?.(`${target.hostname} was scanned directly, because the agent failed: ${error.message}`);
        return direct.collect(target, context);
      }
    },
  };
}

const AGENT: Actor = { id: 'agent:scan', name: 'the scan', kind: 'model', via: 'planner', role: 'operator' };

/** Looks by a planner run of its own, which keeps the steps and the cost. */
export function investigateByRun(ports: Ports): AgentCollectorOptions['investigate'] {
  return async ({ hostname }, signal) => {
    const { id } = await addRun(ports, AGENT, 'planner', {
      hostname,
      goal: `Measure ${hostname} and return its snapshot.`,
      agentProfile: SCAN_PROFILE,
      state: newPlannerJob(AGENT, { context: { hostname }, attended: true }),
    });
    const { status, result, error } = await executeRun(ports, id, signal);
    if (status === 'completed') return result;
    throw new AppError('unavailable', `${error ?? `its run is ${status}`} (run ${id})`);
  };
}
