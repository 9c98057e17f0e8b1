/** The service's own metrics for Prometheus; every label has a bounded set of values. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { JobRecord, Metrics } from '../core/ports.ts';

export interface MetricsRegistry extends Metrics {
  /** What is known only when somebody looks: set just before a page is made. */
  work(state: { waiting: number; workers: number; jobs: readonly JobRecord[] }): void;
  /** The page for a scraper, and its content type. */
  page(): Promise<{ text: string; contentType: string }>;
}

export function createMetrics(): MetricsRegistry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];

  const runs = new Counter({
    name: 'orchestrator_runs_total',
    help: 'Runs that ended, by kind and status',
    labelNames: ['kind', 'status'],
    registers,
  });
  const runSeconds = new Histogram({
    name: 'orchestrator_run_duration_seconds',
    help: 'How long runs took',
    labelNames: ['kind'],
    buckets: [0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600],
    registers,
  });
  const scans = new Counter({
    name: 'dex_scans_total',
    help: 'Looks at endpoints, by collector and outcome',
    labelNames: ['collector', 'outcome'],
    registers,
  });
  const scanSeconds = new Histogram({
    name: 'dex_scan_duration_seconds',
    help: 'How long a look at one endpoint took',
    labelNames: ['collector'],
    buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
    registers,
  });
  const endpoints = new Gauge({
    name: 'dex_endpoints',
    help: 'Registered endpoints by status of their score',
    labelNames: ['status'],
    registers,
  });
  const average = new Gauge({ name: 'dex_fleet_score', help: 'Average score of the fleet', registers });
  const calls = new Counter({
    name: 'dex_tool_calls_total',
    help: 'Calls through the gate, by tool, face and outcome',
    labelNames: ['tool', 'face', 'outcome'],
    registers,
  });
  const callSeconds = new Histogram({
    name: 'dex_tool_duration_seconds',
    help: 'How long calls through the gate took',
    labelNames: ['tool'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30],
    registers,
  });

  const jobs = new Counter({
    name: 'dex_jobs_total',
    help: 'Jobs that this process worked on, by outcome',
    labelNames: ['job', 'outcome'],
    registers,
  });
  const jobSeconds = new Histogram({
    name: 'dex_job_duration_seconds',
    help: 'How long jobs took in this process',
    labelNames: ['job'],
    buckets: [0.01, 0.1, 0.5, 1, 5, 10, 30, 60, 120, 300, 600],
    registers,
  });
  const lastSuccess = new Gauge({
    name: 'dex_job_last_success_timestamp_seconds',
    help: 'When a scheduled job last went well, in whichever process; Unix time',
    labelNames: ['job'],
    registers,
  });
  const lastFailure = new Gauge({
    name: 'dex_job_last_failure_timestamp_seconds',
    help: 'When a scheduled job last failed, in whichever process; Unix time',
    labelNames: ['job'],
    registers,
  });
  const waiting = new Gauge({ name: 'dex_queue_waiting', help: 'Jobs that are due and not taken yet', registers });
  const workers = new Gauge({ name: 'dex_workers', help: 'Processes that work on jobs and are alive', registers });

  return {
    work(state) {
      waiting.set(state.waiting);
      workers.set(state.workers);
      for (const { job, lastSucceededAt, lastFailedAt } of state.jobs) {
        if (lastSucceededAt) lastSuccess.set({ job }, lastSucceededAt.getTime() / 1000);
        if (lastFailedAt) lastFailure.set({ job }, lastFailedAt.getTime() / 1000);
      }
    },
    jobEnded(job, outcome, durationS) {
      jobs.inc({ job, outcome });
      jobSeconds.observe({ job }, durationS);
    },
    runFinished(kind, status, durationS) {
      runs.inc({ kind, status });
      runSeconds.observe({ kind }, durationS);
    },
    endpointScanned(collector, outcome, durationS) {
      scans.inc({ collector, outcome });
      scanSeconds.observe({ collector }, durationS);
    },
    fleet(counts, averageScore) {
      for (const [status, count] of Object.entries(counts)) endpoints.set({ status }, count);
      if (averageScore === null) average.reset();
      else average.set(averageScore);
    },
    toolCalled(tool, face, outcome, durationS) {
      calls.inc({ tool, face, outcome });
      callSeconds.observe({ tool }, durationS);
    },
    async page() {
      return { text: await registry.metrics(), contentType: registry.contentType };
    },
  };
}
