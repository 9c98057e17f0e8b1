/** The service's own metrics for Prometheus; every label has a bounded set of values. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Metrics } from '../core/ports.ts';
import type { JobRecord } from '../core/storePorts.ts';

export interface MetricsRegistry extends Metrics {
  /** What is known only when somebody looks: set just before a page is made. */
  work(state: { waiting: number; lagS: number; workers: number; jobs: readonly JobRecord[] }): void;
  fleet(standing: { counts: Record<string, number>; average: number | null }): void;
  /** The page for a scraper, and its content type. */
  page(): Promise<{ text: string; contentType: string }>;
}

/** Alert names come from outside; this many have a label of their own, the rest share one. */
const NAMED_ALERTS = 100;

/** Lets the first values through and calls all later ones `other`, so that a sender cannot grow the page without end. */
function boundedLabel(limit: number): (value: string) => string {
  const known = new Set<string>();
  return (value) => {
    if (known.size < limit) known.add(value);
    return known.has(value) ? value : 'other';
  };
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
  const agentCalls = new Counter({
    name: 'orchestrator_agent_calls_total',
    help: 'Times that an agent was set to work, by the name of its profile',
    labelNames: ['agent'],
    registers,
  });
  const llmCost = new Counter({
    name: 'orchestrator_llm_cost_usd_total',
    help: 'Estimated cost of language models in US dollars, by the price list',
    labelNames: ['provider', 'model'],
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
  const alertLabel = boundedLabel(NAMED_ALERTS);
  const openAlerts = new Gauge({
    name: 'dex_open_alerts',
    help: 'Alerts that are not resolved, by severity and name',
    labelNames: ['severity', 'alert_name'],
    registers,
  });
  const alertMoves = new Counter({
    name: 'dex_alert_transitions_total',
    help: 'Moves of alerts from one status to another',
    labelNames: ['alert_name', 'from', 'to'],
    registers,
  });
  const predictions = new Counter({
    name: 'dex_predictions_total',
    help: 'Predictions of a limit: verdict open when made, then what became of them',
    labelNames: ['alert_name', 'verdict'],
    registers,
  });
  const accuracy = {
    precision: new Gauge({
      name: 'dex_prediction_precision',
      help: 'Share of the judged predictions of the last 28 days whose limit was reached, 0-1',
      registers,
    }),
    leadHoursMedian: new Gauge({
      name: 'dex_prediction_lead_hours',
      help: 'Median hours of warning of the predictions of the last 28 days that came true',
      registers,
    }),
    falseAlarmsPerEndpointWeek: new Gauge({
      name: 'dex_prediction_false_alarms_per_endpoint_week',
      help: 'False predictions for each week that an endpoint was watched, over the last 28 days',
      registers,
    }),
  };
  const deliveries = new Counter({
    name: 'dex_webhook_deliveries_total',
    help: 'Webhook deliveries by what became of them',
    labelNames: ['webhook', 'outcome'],
    registers,
  });
  const messages = new Counter({
    name: 'dex_messages_total',
    help: 'Attempts to tell something outside, by what became of them',
    labelNames: ['messenger', 'outcome'],
    registers,
  });
  const remediations = new Counter({
    name: 'dex_remediations_total',
    help: 'Remediations that ended, by playbook and outcome',
    labelNames: ['playbook', 'outcome'],
    registers,
  });
  const approvals = new Counter({
    name: 'dex_approvals_total',
    help: 'Approvals that ended, by what they were for and how',
    labelNames: ['kind', 'outcome'],
    registers,
  });
  const deadMessages = new Gauge({
    name: 'dex_dead_messages',
    help: 'Messages to the outside that were given up, by messenger',
    labelNames: ['messenger'],
    registers,
  });
  const refusedConfig = new Counter({
    name: 'dex_config_refused_total',
    help: 'Edits of configuration files that were refused; the last good version stays in force',
    labelNames: ['file'],
    registers,
  });
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
  const failures = new Counter({
    name: 'dex_job_failures_total',
    help: 'Failures of a scheduled job, in whichever process',
    labelNames: ['job'],
    registers,
  });
  const lag = new Gauge({
    name: 'dex_queue_lag_seconds',
    help: 'For how long the job that waits the longest has been due and not taken',
    registers,
  });
  const waiting = new Gauge({ name: 'dex_queue_waiting', help: 'Jobs that are due and not taken yet', registers });
  const workers = new Gauge({ name: 'dex_workers', help: 'Processes that work on jobs and are alive', registers });

  return {
    work(state) {
      waiting.set(state.waiting);
      lag.set(state.lagS);
      workers.set(state.workers);
      failures.reset();
      for (const record of state.jobs) {
        const { job, lastSucceededAt, lastFailedAt } = record;
        failures.inc({ job }, record.failures);
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
    agentCalled(profile) {
      agentCalls.inc({ agent: profile });
    },
    llmSpent({ provider, model }, costUsd) {
      llmCost.inc({ provider, model }, costUsd);
    },
    endpointScanned(collector, outcome, durationS) {
      scans.inc({ collector, outcome });
      scanSeconds.observe({ collector }, durationS);
    },
    fleet(standing) {
      for (const [status, count] of Object.entries(standing.counts)) endpoints.set({ status }, count);
      if (standing.average === null) average.remove();
      else average.set(standing.average);
    },
    alertMoved(alertName, from, to) {
      alertMoves.inc({ alert_name: alertLabel(alertName), from, to });
    },
    openAlerts(counts) {
      openAlerts.reset();
      for (const { severity, alertName, alerts } of counts) {
        openAlerts.inc({ severity, alert_name: alertLabel(alertName) }, alerts);
      }
    },
    predictionJudged(alertName, verdict) {
      predictions.inc({ alert_name: alertName, verdict });
    },
    predictionAccuracy(figures) {
      for (const name of ['precision', 'leadHoursMedian', 'falseAlarmsPerEndpointWeek'] as const) {
        const value = figures[name];
        if (value === null) accuracy[name].remove();
        else accuracy[name].set(value);
      }
    },
    webhookDelivered(webhook, outcome) {
      deliveries.inc({ webhook, outcome });
    },
    messageTried(messenger, outcome) {
      messages.inc({ messenger, outcome });
    },
    remediationEnded(playbook, outcome) {
      remediations.inc({ playbook, outcome });
    },
    approvalEnded(kind, outcome) {
      approvals.inc({ kind, outcome });
    },
    deadMessages(counts) {
      deadMessages.reset();
      for (const { messenger, messages } of counts) deadMessages.set({ messenger }, messages);
    },
    configRefused(file) {
      refusedConfig.inc({ file });
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
