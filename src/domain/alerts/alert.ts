/** An alert and the ways it may go: one state machine, whatever raised it. */

export const ALERT_STATUSES = [
  'active',
  'acknowledged',
  'pending_approval',
  'remediating',
  'needs_human',
  'resolved',
] as const;
export type AlertStatus = (typeof ALERT_STATUSES)[number];

export const SEVERITIES = ['info', 'warning', 'critical'] as const;
export type Severity = (typeof SEVERITIES)[number];

export function isWorse(severity: Severity, than: Severity): boolean {
  return SEVERITIES.indexOf(severity) > SEVERITIES.indexOf(than);
}

export const ALERT_TYPES = ['threshold', 'metric', 'predictive', 'prometheus'] as const;
export type AlertType = (typeof ALERT_TYPES)[number];

/** How an alert ended. `auto`: a remediation, verified by a rescan. */
export const RESOLUTIONS = ['clear', 'source', 'auto', 'ticket', 'person', 'deregistered'] as const;
export type Resolution = (typeof RESOLUTIONS)[number];

export interface TicketLink {
  id: string;
  url: string | null;
}

/** What an alert is known by: at most one open alert exists for it. */
export interface AlertIdentity {
  hostname: string;
  alertName: string;
}

export interface Alert extends AlertIdentity {
  id: number;
  endpointId: number;
  severity: Severity;
  alertType: AlertType;
  message: string;
  status: AlertStatus;
  /** Labels of the source; untrusted text. */
  labels: Record<string, string>;
  /**
   * The problems behind this alert that still hold, by their source's key (a scan, each Prometheus series): it ends with
   * the last of them. The first is the one whose severity, message and labels the alert carries.
   */
  series: string[];
  /** When each of `series` began, as its source reports it, in Unix milliseconds and in the order of `series`; null when unknown. */
  seriesStartsMs: (number | null)[];
  /** When the problem began as the source reports it. */
  startsAt: Date;
  /** When somebody first acknowledged it. */
  acknowledgedAt: Date | null;
  /** Null while acknowledged means: until it clears. */
  acknowledgedUntil: Date | null;
  acknowledgedBy: string | null;
  predictedTimeToImpact: string | null;
  remediationRunId: string | null;
  ticket: TicketLink | null;
  /** How often it came back within the reopen window. */
  flaps: number;
  /** When healing handled it; null while it still has to. */
  handledAt: Date | null;
  createdAt: Date;
  updatedAt: Date;
  resolvedAt: Date | null;
  resolution: Resolution | null;
}

/** One move of an alert: who, through which interface, when, why. */
export interface AlertEvent {
  alertId: number;
  at: Date;
  from: AlertStatus | null;
  to: AlertStatus;
  actor: string;
  via: string;
  why: string;
}

/** Which status may follow which; everything else is refused. Staying in place (a new severity, a note) is always allowed. */
export const TRANSITIONS: Readonly<Record<AlertStatus, readonly AlertStatus[]>> = {
  active: ['acknowledged', 'pending_approval', 'remediating', 'needs_human', 'resolved'],
  acknowledged: ['active', 'pending_approval', 'remediating', 'needs_human', 'resolved'],
  pending_approval: ['active', 'acknowledged', 'remediating', 'needs_human', 'resolved'],
  remediating: ['needs_human', 'resolved'],
  needs_human: ['active', 'acknowledged', 'pending_approval', 'remediating', 'resolved'],
  resolved: ['active', 'needs_human'],
};

export function mayMove(from: AlertStatus, to: AlertStatus): boolean {
  return from === to || TRANSITIONS[from].includes(to);
}
