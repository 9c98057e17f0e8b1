/** What an observation, a person or the passing of time does to an alert: pure decisions, the same for every source. */
import {
  type Alert,
  type AlertEvent,
  type AlertIdentity,
  type AlertStatus,
  type AlertType,
  isWorse,
  mayMove,
  type Resolution,
  type Severity,
} from './alert.ts';
import { beginning, holding, startsOf } from './alertSeries.ts';

/** An alert that comes back within this time is the same one flapping, not a new one. Milliseconds. */
export const REOPEN_WINDOW_MS = 15 * 60_000;

/** The series by which predictions speak of any alert. */
export const FORECAST_SERIES = 'forecast';

/** Series remembered per alert; a group that has more ends when those remembered have ended. */
const MAX_SERIES = 100;

/** What a source says about one problem on one endpoint. */
export type Observation = AlertIdentity & {
  endpointId: number;
  /** Distinguishes the problems that share one alert (two disks, a scan and Prometheus); empty when the source cannot. */
  series: string;
} & (Firing | Clear);

export interface Firing {
  state: 'firing';
  alertType: AlertType;
  severity: Severity;
  message: string;
  labels: Record<string, string>;
  /** When it began as the source reports it; null when the source does not say, or says something impossible. */
  startsAt: Date | null;
  predictedTimeToImpact?: string;
}

export interface Clear {
  state: 'clear';
  resolution: Resolution;
  why: string;
  /** When the problem that ended had begun, if the source says. */
  startsAt: Date | null;
  /** When it ended as the source reports it. */
  endedAt: Date | null;
}

/** An alert that may not be stored yet. */
export type AlertDraft = Omit<Alert, 'id'> & { id: number | null };

export interface Move<A extends AlertDraft = AlertDraft> {
  kind: 'created' | 'reopened' | 'updated' | 'resolved' | 'unchanged';
  alert: A;
  /** What the timeline says of it; null when only the text changed. */
  event: Pick<AlertEvent, 'from' | 'to' | 'why'> | null;
}

export interface Refusal {
  kind: 'refused';
  reason: string;
}

/** @param known the open alert of this identity, or else the one resolved last; null when there is neither */
export function observe(known: AlertDraft | null, observation: Observation, now: Date): Move | Refusal {
  const open = known !== null && known.status !== 'resolved';
  if (observation.state === 'clear') {
    return open ? clear(known, observation, now) : { kind: 'refused', reason: 'it ended, and no alert is open for it' };
  }
  if (open) return refresh(known, observation, now);
  return known && withinReopenWindow(known, now) ? reopen(known, observation, now) : create(observation, now);
}

function withinReopenWindow({ resolvedAt }: AlertDraft, now: Date): boolean {
  return resolvedAt !== null && now.getTime() - resolvedAt.getTime() <= REOPEN_WINDOW_MS;
}

function create(observation: Observation & Firing, now: Date): Move {
  const { endpointId, hostname, alertName, alertType, severity, message, labels } = observation;
  return {
    kind: 'created',
    alert: {
      id: null,
      endpointId,
      hostname,
      alertName,
      severity,
      alertType,
      message,
      status: 'active',
      labels,
      ...holding([beginning(observation)]),
      startsAt: observation.startsAt ?? now,
      acknowledgedAt: null,
      acknowledgedUntil: null,
      acknowledgedBy: null,
      predictedTimeToImpact: observation.predictedTimeToImpact ?? null,
      remediationRunId: null,
      ticket: null,
      flaps: 0,
      handledAt: null,
      createdAt: now,
      updatedAt: now,
      resolvedAt: null,
      resolution: null,
    },
    event: { from: null, to: 'active', why: message },
  };
}

function reopen(known: AlertDraft, observation: Observation & Firing, now: Date): Move {
  const { alertType, severity, message, labels } = observation;
  return {
    kind: 'reopened',
    alert: {
      ...known,
      status: 'active',
      alertType,
      severity,
      message,
      labels,
      ...holding([beginning(observation)]),
      startsAt: observation.startsAt ?? now,
      predictedTimeToImpact: observation.predictedTimeToImpact ?? null,
      flaps: known.flaps + 1,
      handledAt: null,
      updatedAt: now,
      resolvedAt: null,
      resolution: null,
    },
    event: { from: 'resolved', to: 'active', why: `came back: ${message}` },
  };
}

/**
 * The alert speaks for its first series. Another series only joins, unless it is worse: then it goes first. So repeats of
 * several series in any order settle on one state and change nothing more. Of two equally bad, what was measured goes
 * before what is only predicted; an alert that has one measured problem is no prediction any more and stays so.
 */
function refresh(known: AlertDraft, observation: Observation & Firing, now: Date): Move {
  const worse = isWorse(observation.severity, known.severity);
  const starts = startsOf(known);
  const own = starts.find(({ series }) => series === observation.series);
  const start = beginning(observation, own);
  const joins = own === undefined && starts.length < MAX_SERIES;
  const beganAgain = own !== undefined && own.startsMs !== start.startsMs;
  const comesTrue =
    known.series[0] === FORECAST_SERIES &&
    observation.series !== FORECAST_SERIES &&
    known.severity === observation.severity;
  const speaks = worse || comesTrue || known.series.length === 0 || known.series[0] === observation.series;
  const alertType = known.alertType === 'predictive' ? observation.alertType : known.alertType;
  const impact = observation.predictedTimeToImpact ?? known.predictedTimeToImpact;
  if (!speaks) {
    if (!joins && !beganAgain && known.alertType === alertType && known.predictedTimeToImpact === impact) {
      return { kind: 'unchanged', alert: known, event: null };
    }
    const others = starts.map((other) => (other === own ? start : other));
    return {
      kind: 'updated',
      alert: {
        ...known,
        ...holding(joins ? [...others, start] : others),
        alertType,
        predictedTimeToImpact: impact,
        updatedAt: now,
      },
      event: becomesReal(known, alertType, observation),
    };
  }
  const same =
    known.alertType === alertType &&
    known.severity === observation.severity &&
    known.message === observation.message &&
    known.series[0] === observation.series &&
    known.predictedTimeToImpact === impact &&
    sameLabels(known.labels, observation.labels) &&
    !beganAgain;
  if (same) return { kind: 'unchanged', alert: known, event: null };

  const others = starts.filter((other) => other !== own).slice(0, MAX_SERIES - 1);
  // What was acknowledged was the lesser problem; people have to be notified again of the greater one.
  const status: AlertStatus = worse && known.status === 'acknowledged' ? 'active' : known.status;
  return {
    kind: 'updated',
    alert: {
      ...(status === known.status ? known : withoutAcknowledgement(known)),
      status,
      alertType,
      severity: observation.severity,
      message: observation.message,
      labels: observation.labels,
      ...holding([start, ...others]),
      startsAt:
        observation.startsAt !== null && observation.startsAt > known.startsAt ? observation.startsAt : known.startsAt,
      predictedTimeToImpact: impact,
      updatedAt: now,
    },
    event:
      known.severity === observation.severity
        ? becomesReal(known, alertType, observation)
        : {
            from: known.status,
            to: status,
            why: `${known.severity} became ${observation.severity}: ${observation.message}`,
          },
  };
}

/** The timeline's entry for a prediction that was confirmed. */
function becomesReal(known: AlertDraft, alertType: AlertType, { message }: Firing): Move['event'] {
  if (known.alertType === alertType) return null;
  return { from: known.status, to: known.status, why: `the prediction is confirmed: ${message}` };
}

function clear(known: AlertDraft, observation: Observation & Clear, now: Date): Move | Refusal {
  const starts = startsOf(known);
  const startsMs = starts.find(({ series }) => series === observation.series)?.startsMs ?? null;
  if (observation.startsAt !== null && startsMs !== null && observation.startsAt.getTime() < startsMs) {
    return { kind: 'refused', reason: 'it ended, but has begun again since' };
  }
  const named = observation.series !== '';
  if (named && known.series.length > 0 && !known.series.includes(observation.series) && !known.series.includes('')) {
    return { kind: 'refused', reason: 'it ended, and the open alert is about another series' };
  }
  const left = named ? starts.filter(({ series }) => series !== observation.series && series !== '') : [];
  if (left.length > 0) {
    const impact = observation.series === FORECAST_SERIES ? null : known.predictedTimeToImpact;
    return {
      kind: 'updated',
      alert: { ...known, ...holding(left), predictedTimeToImpact: impact, updatedAt: now },
      event: null,
    };
  }
  return resolved(
    known,
    known.status === 'remediating' ? 'auto' : observation.resolution,
    observation.why,
    now,
    observation.endedAt,
  );
}

function resolved<A extends AlertDraft>(
  known: A,
  resolution: Resolution,
  why: string,
  now: Date,
  endedAt: Date | null = null,
): Move<A> {
  const believable = endedAt !== null && endedAt >= known.createdAt && endedAt <= now;
  return {
    kind: 'resolved',
    alert: {
      ...withoutAcknowledgement(known),
      status: 'resolved',
      ...holding([]),
      updatedAt: now,
      resolvedAt: believable ? endedAt : now,
      resolution,
    },
    event: { from: known.status, to: 'resolved', why },
  };
}

/** Ends an alert whatever its sources say: a person did, its ticket was closed, its endpoint is gone. */
export function resolve<A extends AlertDraft>(
  known: A,
  resolution: Resolution,
  why: string,
  now: Date,
): Move<A> | Refusal {
  if (known.status === 'resolved') return { kind: 'refused', reason: 'it is resolved already' };
  return resolved(known, resolution, why, now);
}

/** @param until null for as long as the problem holds */
export function acknowledge<A extends AlertDraft>(
  known: A,
  who: string,
  until: Date | null,
  why: string,
  now: Date,
): Move<A> | Refusal {
  if (!mayMove(known.status, 'acknowledged')) {
    return { kind: 'refused', reason: `it is ${known.status.replace('_', ' ')}` };
  }
  return {
    kind: 'updated',
    alert: {
      ...known,
      status: 'acknowledged',
      acknowledgedAt: known.acknowledgedAt ?? now,
      acknowledgedUntil: until,
      acknowledgedBy: who,
      updatedAt: now,
    },
    event: { from: known.status, to: 'acknowledged', why },
  };
}

/** The snooze is over and the problem holds. Null when there is no snooze, or it is not over. */
export function expireAcknowledgement<A extends AlertDraft>(known: A, now: Date): Move<A> | null {
  if (known.status !== 'acknowledged' || known.acknowledgedUntil === null || known.acknowledgedUntil > now) return null;
  return {
    kind: 'updated',
    alert: { ...withoutAcknowledgement(known), status: 'active', updatedAt: now },
    event: {
      from: 'acknowledged',
      to: 'active',
      why: `the acknowledgement by ${known.acknowledgedBy} is over and it still holds: ${known.message}`,
    },
  };
}

/** The acknowledgement ends; when it first came stays, for the time people took to react. */
function withoutAcknowledgement<A extends AlertDraft>(alert: A): A {
  return { ...alert, acknowledgedUntil: null, acknowledgedBy: null };
}

/** Databases keep the labels but not their order. */
function sameLabels(a: Record<string, string>, b: Record<string, string>): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}

/** A move that healing or a ticket makes: to a status that may follow, or a note in the timeline when it stays. */
export function advance<A extends AlertDraft>(
  known: A,
  to: AlertStatus,
  why: string,
  now: Date,
  changes: Partial<Pick<Alert, 'remediationRunId' | 'ticket'>> = {},
): Move<A> | Refusal {
  if (!mayMove(known.status, to)) {
    return { kind: 'refused', reason: `it is ${known.status.replace('_', ' ')}` };
  }
  const cleared =
    known.status === to ? known : { ...withoutAcknowledgement(known), resolvedAt: null, resolution: null };
  return {
    kind: known.status === 'resolved' && to !== 'resolved' ? 'reopened' : 'updated',
    alert: { ...cleared, ...changes, status: to, updatedAt: now },
    event: { from: known.status, to, why },
  };
}
