/** Scans by an agent: its answer becomes a snapshot, and where there is no usable answer the machine is looked at directly. */
import { z } from 'zod';
import { type ScanTarget, type Snapshot, unreachableSnapshot } from '../domain/telemetry.ts';
import { agentSnapshotWire, snapshotFromWire } from './agentSnapshot.ts';
import { AppError } from './errors.ts';
import type { PlannerResult } from './planner.ts';
import type { Collector } from './ports.ts';

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
export function snapshotFromAnswer(answer: unknown, target: ScanTarget, startedAt: Date, durationMs: number): Snapshot {
  const { hostname, reachable, unreachable_reason, ...measured } = checked(about, answer);
  if (hostname !== target.hostname) {
    throw new AppError('refused', `The agent was asked about ${target.hostname} and answered about ${hostname}.`);
  }
  if (!reachable) return unreachableSnapshot(target, startedAt, unreachable_reason ?? 'not said', durationMs);
  const wire = { ...measured, collected_at: startedAt.toISOString(), duration_ms: durationMs };
  return snapshotFromWire(checked(agentSnapshotWire, wire), target, startedAt);
}

function checked<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new AppError('refused', `The agent's answer is no snapshot: ${z.prettifyError(parsed.error)}`);
}

export interface AgentCollectorOptions {
  direct: Collector;
  /** One planner run with the scanning profile about this endpoint and no other. */
  investigate(target: ScanTarget, signal: AbortSignal): Promise<PlannerResult>;
  /** Tells why a machine was looked at directly after all. */
  onFallback(hostname: string, why: string): void;
  now: () => Date;
}

/** A collector that lets an agent look, for `DEX_SCAN_MODE=agent`. */
export function agentCollector({ direct, investigate, onFallback, now }: AgentCollectorOptions): Collector {
  return {
    async collect(target, context) {
      try {
        const { status, answer, error } = await investigate(target, context.signal);
        if (status !== 'completed') {
          throw new AppError('unavailable', error ? `${error.kind}: ${error.message}` : `the agent's run is ${status}`);
        }
        return snapshotFromAnswer(answer, target, context.now, now().getTime() - context.now.getTime());
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        onFallback(target.hostname, error.message);
        return direct.collect(target, context);
      }
    },
  };
}
