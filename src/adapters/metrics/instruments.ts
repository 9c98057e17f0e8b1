/** Every metric of the service, as Prometheus sees it: names, helps, labels and buckets. */
import type * as PromClient from 'prom-client';

export type Instruments = ReturnType<typeof makeInstruments>;

/** All in one new registry, with what prom-client reports about the process itself. */
export function makeInstruments({ Counter, collectDefaultMetrics, Gauge, Histogram, Registry }: typeof PromClient) {
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
    help: 'Scans of endpoints, by collector and outcome',
    labelNames: ['collector', 'outcome'],
    registers,
  });
  const scanSeconds = new Histogram({
    name: 'dex_scan_duration_seconds',
    help: 'How long the scan of one endpoint took',
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
  const truncated = new Counter({
    name: 'dex_webhook_truncated_alerts_total',
    help: 'Alerts that deliveries say they lack, held back by the sender',
    registers,
  });
  const messages = new Counter({
    name: 'dex_messages_total',
    help: 'Attempts to send something outside, by what became of them',
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
    help: 'Calls through the invoker, by tool, interface and outcome',
    labelNames: ['tool', 'interface', 'outcome'],
    registers,
  });
  const callSeconds = new Histogram({
    name: 'dex_tool_duration_seconds',
    help: 'How long calls through the invoker took',
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
  const lostLogLines = new Counter({
    name: 'dex_log_lines_lost_total',
    help: 'Log lines that could not be written, as on a full disk',
    registers,
  });
  const waiting = new Gauge({ name: 'dex_queue_waiting', help: 'Jobs that are due and not taken yet', registers });
  const workers = new Gauge({ name: 'dex_workers', help: 'Processes that work on jobs and are alive', registers });

  return {
    registry,
    runs,
    runSeconds,
    agentCalls,
    llmCost,
    scans,
    scanSeconds,
    endpoints,
    average,
    openAlerts,
    alertMoves,
    predictions,
    accuracy,
    deliveries,
    truncated,
    messages,
    remediations,
    approvals,
    deadMessages,
    refusedConfig,
    calls,
    callSeconds,
    jobs,
    jobSeconds,
    lastSuccess,
    lastFailure,
    failures,
    lag,
    lostLogLines,
    waiting,
    workers,
  };
}
