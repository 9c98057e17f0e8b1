/** Every metric of the service, as Prometheus sees it: names, helps, labels and buckets. */
import type * as PromClient from 'prom-client';

interface Declaration {
  name: string;
  help: string;
  labelNames: readonly string[];
}

const COUNTERS = {
  runs: {
    name: 'orchestrator_runs_total',
    help: 'Runs that ended, by kind and status',
    labelNames: ['kind', 'status'],
  },
  agentCalls: {
    name: 'orchestrator_agent_calls_total',
    help: 'Times that an agent was set to work, by the name of its profile',
    labelNames: ['agent'],
  },
  answersRated: {
    name: 'orchestrator_answers_rated_total',
    help: 'Answers of agents that somebody rated, by whether they helped',
    labelNames: ['helpful'],
  },
  llmCost: {
    name: 'orchestrator_llm_cost_usd_total',
    help: 'Estimated cost of language models in US dollars, by the price list',
    labelNames: ['provider', 'model'],
  },
  scans: {
    name: 'dex_scans_total',
    help: 'Scans of endpoints, by collector and outcome',
    labelNames: ['collector', 'outcome'],
  },
  alertMoves: {
    name: 'dex_alert_transitions_total',
    help: 'Moves of alerts from one status to another',
    labelNames: ['alert_name', 'from', 'to'],
  },
  predictions: {
    name: 'dex_predictions_total',
    help: 'Predictions of a limit: verdict open when made, then what became of them',
    labelNames: ['alert_name', 'verdict'],
  },
  deliveries: {
    name: 'dex_webhook_deliveries_total',
    help: 'Webhook deliveries by what became of them',
    labelNames: ['webhook', 'outcome'],
  },
  truncated: {
    name: 'dex_webhook_truncated_alerts_total',
    help: 'Alerts that deliveries say they lack, held back by the sender',
    labelNames: [],
  },
  messages: {
    name: 'dex_messages_total',
    help: 'Attempts to send something outside, by what became of them',
    labelNames: ['messenger', 'outcome'],
  },
  remediations: {
    name: 'dex_remediations_total',
    help: 'Remediations that ended, by playbook and outcome',
    labelNames: ['playbook', 'outcome'],
  },
  approvals: {
    name: 'dex_approvals_total',
    help: 'Approvals that ended, by what they were for and how',
    labelNames: ['kind', 'outcome'],
  },
  refusedConfig: {
    name: 'dex_config_refused_total',
    help: 'Edits of configuration files that were refused; the last good version stays in force',
    labelNames: ['file'],
  },
  calls: {
    name: 'dex_tool_calls_total',
    help: 'Calls through the invoker, by tool, interface and outcome',
    labelNames: ['tool', 'interface', 'outcome'],
  },
  jobs: {
    name: 'dex_jobs_total',
    help: 'Jobs that this process worked on, by outcome',
    labelNames: ['job', 'outcome'],
  },
  failures: {
    name: 'dex_job_failures_total',
    help: 'Failures of a scheduled job, in whichever process',
    labelNames: ['job'],
  },
  lostLogLines: {
    name: 'dex_log_lines_lost_total',
    help: 'Log lines that could not be written, as on a full disk',
    labelNames: [],
  },
} as const satisfies Record<string, Declaration>;

const GAUGES = {
  endpoints: { name: 'dex_endpoints', help: 'Registered endpoints by status of their score', labelNames: ['status'] },
  average: { name: 'dex_fleet_score', help: 'Average score of the fleet', labelNames: [] },
  openAlerts: {
    name: 'dex_open_alerts',
    help: 'Alerts that are not resolved, by severity and name',
    labelNames: ['severity', 'alert_name'],
  },
  precision: {
    name: 'dex_prediction_precision',
    help: 'Share of the judged predictions of the last 28 days whose limit was reached, 0-1',
    labelNames: [],
  },
  leadHoursMedian: {
    name: 'dex_prediction_lead_hours',
    help: 'Median hours of warning of the predictions of the last 28 days that came true',
    labelNames: [],
  },
  falseAlarmsPerEndpointWeek: {
    name: 'dex_prediction_false_alarms_per_endpoint_week',
    help: 'False predictions for each week that an endpoint was watched, over the last 28 days',
    labelNames: [],
  },
  deadMessages: {
    name: 'dex_dead_messages',
    help: 'Messages to the outside that were given up, by messenger',
    labelNames: ['messenger'],
  },
  lastSuccess: {
    name: 'dex_job_last_success_timestamp_seconds',
    help: 'When a scheduled job last went well, in whichever process; Unix time',
    labelNames: ['job'],
  },
  lastFailure: {
    name: 'dex_job_last_failure_timestamp_seconds',
    help: 'When a scheduled job last failed, in whichever process; Unix time',
    labelNames: ['job'],
  },
  lag: {
    name: 'dex_queue_lag_seconds',
    help: 'For how long the job that waits the longest has been due and not taken',
    labelNames: [],
  },
  waiting: { name: 'dex_queue_waiting', help: 'Jobs that are due and not taken yet', labelNames: [] },
  workers: { name: 'dex_workers', help: 'Processes that work on jobs and are alive', labelNames: [] },
} as const satisfies Record<string, Declaration>;

/** Buckets in seconds. */
const HISTOGRAMS = {
  runSeconds: {
    name: 'orchestrator_run_duration_seconds',
    help: 'How long runs took',
    labelNames: ['kind'],
    buckets: [0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600],
  },
  scanSeconds: {
    name: 'dex_scan_duration_seconds',
    help: 'How long the scan of one endpoint took',
    labelNames: ['collector'],
    buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
  },
  callSeconds: {
    name: 'dex_tool_duration_seconds',
    help: 'How long calls through the invoker took',
    labelNames: ['tool'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30],
  },
  jobSeconds: {
    name: 'dex_job_duration_seconds',
    help: 'How long jobs took in this process',
    labelNames: ['job'],
    buckets: [0.01, 0.1, 0.5, 1, 5, 10, 30, 60, 120, 300, 600],
  },
} as const satisfies Record<string, Declaration & { buckets: readonly number[] }>;

export type Instruments = ReturnType<typeof makeInstruments>;

type LabelOf<D extends Declaration> = D['labelNames'][number];

/** All in one new registry, with what prom-client reports about the process itself. */
export function makeInstruments({ Counter, collectDefaultMetrics, Gauge, Histogram, Registry }: typeof PromClient) {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const counters = made(COUNTERS, (declaration) => new Counter({ ...declaration, registers }));
  const gauges = made(GAUGES, (declaration) => new Gauge({ ...declaration, registers }));
  const histograms = made(
    HISTOGRAMS,
    (declaration) => new Histogram({ ...declaration, buckets: [...declaration.buckets], registers }),
  );
  return {
    registry,
    ...(counters as { [N in keyof typeof COUNTERS]: PromClient.Counter<LabelOf<(typeof COUNTERS)[N]>> }),
    ...(gauges as { [N in keyof typeof GAUGES]: PromClient.Gauge<LabelOf<(typeof GAUGES)[N]>> }),
    ...(histograms as { [N in keyof typeof HISTOGRAMS]: PromClient.Histogram<LabelOf<(typeof HISTOGRAMS)[N]>> }),
  };
}

function made<N extends string, D, T>(declarations: Record<N, D>, make: (declaration: D) => T): Record<N, T> {
  return Object.fromEntries(
    Object.entries<D>(declarations).map(([name, declaration]) => [name, make(declaration)]),
  ) as Record<N, T>;
}
