/** The service's own metrics for Prometheus; every label has a bounded set of values. */
import { createRequire } from 'node:module';
import type { Metrics } from '../../core/ports/ports.ts';
import type { JobRecord } from '../../core/ports/storePorts.ts';
import { boundedLabel } from './boundedLabel.ts';
import { type Instruments, makeInstruments } from './instruments.ts';

export interface MetricsRegistry extends Metrics {
  /** What is known only when somebody looks: set just before a page is made. */
  work(state: {
    waiting: number;
    lagS: number;
    workers: number;
    jobs: readonly JobRecord[];
    lostLogLines: number;
  }): void;
  fleet(current: { counts: Record<string, number>; average: number | null }): void;
  /** The page for a scraper, and its content type. */
  page(): Promise<{ text: string; contentType: string }>;
}

const require = createRequire(import.meta.url);

/** Alert names come from outside; this many have a label of their own, the rest share one. */
const NAMED_ALERTS = 100;

/** prom-client is loaded with the first thing that is counted or asked for: it takes a tenth of a second of every start. */
export function createMetrics(): MetricsRegistry {
  let made: Instruments | null = null;
  const use = (): Instruments => {
    made ??= makeInstruments(require('prom-client'));
    return made;
  };
  const alertLabel = boundedLabel(NAMED_ALERTS);

  return {
    work(state) {
      use().waiting.set(state.waiting);
      use().lag.set(state.lagS);
      use().workers.set(state.workers);
      use().lostLogLines.reset();
      use().lostLogLines.inc(state.lostLogLines);
      use().failures.reset();
      for (const record of state.jobs) {
        const { job, lastSucceededAt, lastFailedAt } = record;
        use().failures.inc({ job }, record.failures);
        if (lastSucceededAt) use().lastSuccess.set({ job }, lastSucceededAt.getTime() / 1000);
        if (lastFailedAt) use().lastFailure.set({ job }, lastFailedAt.getTime() / 1000);
      }
    },
    jobEnded(job, outcome, durationS) {
      use().jobs.inc({ job, outcome });
      use().jobSeconds.observe({ job }, durationS);
    },
    runFinished(kind, status, durationS) {
      use().runs.inc({ kind, status });
      use().runSeconds.observe({ kind }, durationS);
    },
    agentCalled(profile) {
      use().agentCalls.inc({ agent: profile });
    },
    answerRated(helpful) {
      use().answersRated.inc({ helpful: String(helpful) });
    },
    llmSpent({ provider, model }, costUsd) {
      use().llmCost.inc({ provider, model }, costUsd);
    },
    endpointScanned(collector, outcome, durationS) {
      use().scans.inc({ collector, outcome });
      use().scanSeconds.observe({ collector }, durationS);
    },
    fleet(current) {
      for (const [status, count] of Object.entries(current.counts)) use().endpoints.set({ status }, count);
      if (current.average === null) use().average.remove();
      else use().average.set(current.average);
    },
    alertMoved(alertName, from, to) {
      use().alertMoves.inc({ alert_name: alertLabel(alertName), from, to });
    },
    openAlerts(counts) {
      use().openAlerts.reset();
      for (const { severity, alertName, alerts } of counts) {
        use().openAlerts.inc({ severity, alert_name: alertLabel(alertName) }, alerts);
      }
    },
    predictionJudged(alertName, verdict) {
      use().predictions.inc({ alert_name: alertName, verdict });
    },
    predictionAccuracy(figures) {
      for (const name of ['precision', 'leadHoursMedian', 'falseAlarmsPerEndpointWeek'] as const) {
        const value = figures[name];
        if (value === null) use()[name].remove();
        else use()[name].set(value);
      }
    },
    webhookDelivered(webhook, outcome) {
      use().deliveries.inc({ webhook, outcome });
    },
    alertsTruncated(alerts) {
      use().truncated.inc(alerts);
    },
    messageTried(messenger, outcome) {
      use().messages.inc({ messenger, outcome });
    },
    remediationEnded(playbook, outcome) {
      use().remediations.inc({ playbook, outcome });
    },
    approvalEnded(kind, outcome) {
      use().approvals.inc({ kind, outcome });
    },
    deadMessages(counts) {
      use().deadMessages.reset();
      for (const { messenger, messages } of counts) use().deadMessages.set({ messenger }, messages);
    },
    configRefused(file) {
      use().refusedConfig.inc({ file });
    },
    toolCalled(tool, via, outcome, durationS) {
      use().calls.inc({ tool, interface: via, outcome });
      use().callSeconds.observe({ tool }, durationS);
    },
    async page() {
      return { text: await use().registry.metrics(), contentType: use().registry.contentType };
    },
  };
}
