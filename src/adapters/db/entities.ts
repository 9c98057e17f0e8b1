/** The tables: one entity each, mapped one to one onto plain values that core knows. */
import { defineEntity, type EntityProperty, type Platform, p, Type } from '@mikro-orm/core';
import { SqlitePlatform } from '@mikro-orm/sql';
import type { Actor, Role } from '../../core/actor.ts';
import type { AlertStatus, AlertType, Resolution, Severity, TicketLink } from '../../domain/alert.ts';
import type { ApprovalAnswer, ApprovalKind, ApprovalStatus, Execution } from '../../domain/approval.ts';
import type { FeedbackSource } from '../../domain/confidentiality.ts';
import type { CriticalityTier, Persona, ScoreStatus } from '../../domain/endpoint.ts';
import type { FeedbackCategory, Tally } from '../../domain/enps.ts';
import type { Verdict } from '../../domain/prediction.ts';
import type { PredictiveAlertName } from '../../domain/predictiveAlert.ts';
import type { Remediation, RemediationStatus, Variable } from '../../domain/remediation.ts';
import type { RunKind, RunStatus } from '../../domain/run.ts';
import type { AppliedCap, Component, Deduction, Improvement } from '../../domain/score.ts';
import type { Invitation, Survey } from '../../domain/survey.ts';
import type { CollectorKind, CollectorOptions, OsPlatform, Unmeasured } from '../../domain/telemetry.ts';
import type { TicketStatus } from '../../domain/ticket.ts';
import type { TrendMetric } from '../../domain/trendRules.ts';

/** A string column with a narrower TypeScript type; the check lives at the gate, not in the database. */
const word = <T extends string>() => p.string().$type<T>();

/** A key of 47 bits. Only as `integer` it is also the place of the row in SQLite; in PostgreSQL that type ends at 31 bits. */
class DrawnId extends Type<number, number | string> {
  override getColumnType(_property: EntityProperty, platform: Platform): string {
    return platform instanceof SqlitePlatform ? 'integer' : 'bigint';
  }

  override convertToJSValue(value: number | string): number {
    return Number(value);
  }
}

/** A floating-point number; the ORM's own type allows text too. */
const real = () => p.double().$type<number>();

export const EndpointRow = defineEntity({
  name: 'Endpoint',
  tableName: 'endpoint',
  properties: {
    id: p.integer().primary(),
    hostname: p.string().length(253),
    ipAddress: p.string().nullable(),
    ownerEmail: p.string().nullable(),
    persona: word<Persona>(),
    criticalityTier: p.integer().$type<CriticalityTier>(),
    osPlatform: word<OsPlatform>(),
    tags: p.json<Record<string, string>>(),
    collector: word<CollectorKind>(),
    options: p.json<CollectorOptions>(),
    agentTokenDigest: p.string().nullable(),
    hostKey: p.string().nullable(),
    registeredAt: p.datetime(3),
    updatedAt: p.datetime(3),
    deregisteredAt: p.datetime(3).nullable(),
    lastScanAt: p.datetime(3).nullable(),
    lastSeenAt: p.datetime(3).nullable(),
    unreachableReason: p.text().nullable(),
    score: real().nullable(),
    scoreStatus: word<ScoreStatus>(),
    coverage: real().nullable(),
    scoredAt: p.datetime(3).nullable(),
    breaches: p.json<Record<string, number>>(),
  },
  uniques: [
    { name: 'endpoint_hostname_live', properties: ['hostname'], where: 'deregistered_at is null' },
    { name: 'endpoint_agent_token', properties: ['agentTokenDigest'] },
  ],
  indexes: [
    { name: 'endpoint_score', properties: ['score'] },
    { name: 'endpoint_ip_address', properties: ['ipAddress'] },
    { name: 'endpoint_owner_email', properties: ['ownerEmail'] },
  ],
});

export const SnapshotRow = defineEntity({
  name: 'Snapshot',
  tableName: 'snapshot',
  properties: {
    id: p.integer().primary(),
    endpointId: p.integer(),
    collectedAt: p.datetime(3),
    collector: word<CollectorKind>(),
    durationMs: p.integer(),
    reachable: p.boolean(),
    unreachableReason: p.text().nullable(),
    cpuPct: real().nullable(),
    memoryPct: real().nullable(),
    diskPct: real().nullable(),
    diskMount: p.string().nullable(),
    latencyMs: real().nullable(),
    packetLossPct: real().nullable(),
    dnsFailures: p.integer().nullable(),
    dnsLookups: p.integer().nullable(),
    servicesDown: p.json<string[]>().nullable(),
    logErrors: p.integer().nullable(),
    bootedAt: p.datetime(3).nullable(),
    unmeasured: p.json<Unmeasured[]>(),
  },
  indexes: [
    {
      name: 'snapshot_endpoint_time',
      // With the metrics whose course is read for the whole fleet every hour: an endpoint's rows lie far apart in the table.
      properties: ['endpointId', 'collectedAt', 'cpuPct', 'memoryPct', 'diskPct'],
    },
    { name: 'snapshot_time', properties: ['collectedAt'] },
  ],
});

export const ScoreRow = defineEntity({
  name: 'Score',
  tableName: 'score',
  properties: {
    id: p.integer().primary(),
    endpointId: p.integer(),
    scoredAt: p.datetime(3),
    score: real(),
    status: word<ScoreStatus>(),
    coverage: real(),
    components: p.json<Record<Component, number | null>>(),
    deductions: p.json<Deduction[]>(),
    caps: p.json<AppliedCap[]>(),
    improvements: p.json<Improvement[]>(),
  },
  indexes: [
    { name: 'score_endpoint_time', properties: ['endpointId', 'scoredAt'] },
    { name: 'score_time', properties: ['scoredAt'] },
  ],
});

export const AlertRow = defineEntity({
  name: 'Alert',
  tableName: 'alert',
  properties: {
    id: p.integer().primary(),
    endpointId: p.integer(),
    hostname: p.string().length(253),
    alertName: p.string(),
    severity: word<Severity>(),
    alertType: word<AlertType>(),
    message: p.text(),
    status: word<AlertStatus>(),
    labels: p.json<Record<string, string>>(),
    series: p.json<string[]>(),
    startsAt: p.datetime(3),
    acknowledgedAt: p.datetime(3).nullable(),
    acknowledgedUntil: p.datetime(3).nullable(),
    acknowledgedBy: p.string().nullable(),
    predictedTimeToImpact: p.string().nullable(),
    remediationRunId: p.string().nullable(),
    ticket: p.json<TicketLink>().nullable(),
    flaps: p.integer(),
    handledAt: p.datetime(3).nullable(),
    createdAt: p.datetime(3),
    updatedAt: p.datetime(3),
    resolvedAt: p.datetime(3).nullable(),
    resolution: word<Resolution>().nullable(),
  },
  uniques: [{ name: 'alert_one_open', properties: ['hostname', 'alertName'], where: "status <> 'resolved'" }],
  indexes: [
    { name: 'alert_endpoint_created', properties: ['endpointId', 'createdAt'] },
    { name: 'alert_status_created', properties: ['status', 'createdAt'] },
    { name: 'alert_created', properties: ['createdAt'] },
    { name: 'alert_identity', properties: ['hostname', 'alertName'] },
  ],
});

export const AlertEventRow = defineEntity({
  name: 'AlertEvent',
  tableName: 'alert_event',
  properties: {
    id: p.integer().primary(),
    alertId: p.integer(),
    at: p.datetime(3),
    from: word<AlertStatus>().fieldName('from_status').nullable(),
    to: word<AlertStatus>().fieldName('to_status'),
    actor: p.string(),
    via: p.string(),
    why: p.text(),
  },
  indexes: [{ name: 'alert_event_alert', properties: ['alertId', 'id'] }],
});

/** The ledger of predictions, with what the last check said while the alert stands. */
export const PredictionRow = defineEntity({
  name: 'Prediction',
  tableName: 'prediction',
  properties: {
    id: p.integer().primary(),
    endpointId: p.integer(),
    hostname: p.string().length(253),
    metric: word<TrendMetric>(),
    alertName: word<PredictiveAlertName>(),
    madeAt: p.datetime(3),
    limitPct: real(),
    value: real(),
    slopePerHour: real(),
    expectedAt: p.datetime(3),
    soonestAt: p.datetime(3),
    latestAt: p.datetime(3),
    severity: word<'warning' | 'critical'>(),
    impactText: p.string(),
    impactHours: real(),
    endedAt: p.datetime(3).nullable(),
    verdict: word<Verdict>(),
    judgedAt: p.datetime(3).nullable(),
    reachedAt: p.datetime(3).nullable(),
    leadHours: real().nullable(),
  },
  uniques: [{ name: 'prediction_one_standing', properties: ['endpointId', 'metric'], where: 'ended_at is null' }],
  indexes: [
    { name: 'prediction_made', properties: ['madeAt'] },
    { name: 'prediction_verdict', properties: ['verdict', 'id'] },
  ],
});

/**
 * Answers that wait to be given out. Nothing in a row may tell who answered or when: the id is drawn at random, and as an
 * integer key it is also the place where SQLite keeps the row.
 */
export const FeedbackRow = defineEntity({
  name: 'Feedback',
  tableName: 'feedback',
  properties: {
    id: p.type(DrawnId).primary().autoincrement(false),
    source: word<FeedbackSource>(),
    rating: p.integer(),
    category: word<FeedbackCategory>(),
    comment: p.text().nullable(),
    groups: p.json<string[]>(),
  },
  indexes: [{ name: 'feedback_source', properties: ['source'] }],
});

/** What is kept of answers: counts of at least five. */
export const FeedbackCellRow = defineEntity({
  name: 'FeedbackCell',
  tableName: 'feedback_cell',
  properties: {
    id: p.integer().primary(),
    source: word<FeedbackSource>(),
    on: p.string().length(10).fieldName('given_out_on'),
    groups: p.json<string[]>(),
    tally: p.json<Tally>(),
    answers: p.integer(),
    commentsOut: p.boolean(),
  },
  indexes: [{ name: 'feedback_cell_on', properties: ['on'] }],
});

/** Comments apart from their ratings; without a day while they are withheld. */
export const FeedbackCommentRow = defineEntity({
  name: 'FeedbackComment',
  tableName: 'feedback_comment',
  properties: {
    id: p.type(DrawnId).primary().autoincrement(false),
    source: word<FeedbackSource>(),
    category: word<FeedbackCategory>(),
    text: p.text(),
    on: p.string().length(10).fieldName('given_out_on').nullable(),
  },
  indexes: [{ name: 'feedback_comment_on', properties: ['on'] }],
});

export const SurveyRow = defineEntity({
  name: 'Survey',
  tableName: 'survey',
  properties: {
    id: p.integer().primary(),
    question: p.text(),
    status: word<Survey['status']>(),
    startedBy: p.string(),
    startedAt: p.datetime(3),
    endsAt: p.datetime(3),
    closedAt: p.datetime(3).nullable(),
    invited: p.integer(),
    answered: p.integer(),
  },
  uniques: [{ name: 'survey_one_open', properties: ['status'], where: "status = 'open'" }],
});

/** Who is asked. Answering leaves these rows untouched, so that not even their place on the disk tells in what order. */
export const SurveyInvitationRow = defineEntity({
  name: 'SurveyInvitation',
  tableName: 'survey_invitation',
  properties: {
    id: p.integer().primary(),
    surveyId: p.integer(),
    email: p.string(),
    state: word<Invitation['state']>(),
    timeZone: p.string().nullable(),
    askedAt: p.datetime(3).nullable(),
    remindedAt: p.datetime(3).nullable(),
    tokenDigest: p.string().nullable(),
    reminderDigest: p.string().nullable(),
  },
  indexes: [
    { name: 'survey_invitation_survey', properties: ['surveyId', 'state'] },
    { name: 'survey_invitation_token', properties: ['tokenDigest'] },
    { name: 'survey_invitation_reminder', properties: ['reminderDigest'] },
  ],
});

/** The right to answer once; its row goes when it is used, and all go when the survey ends. */
export const SurveySeatRow = defineEntity({
  name: 'SurveySeat',
  tableName: 'survey_seat',
  properties: {
    invitationId: p.integer().primary(),
    surveyId: p.integer(),
  },
  indexes: [{ name: 'survey_seat_survey', properties: ['surveyId'] }],
});

/** When a person was asked last, and whether they want to be. */
export const SurveyPersonRow = defineEntity({
  name: 'SurveyPerson',
  tableName: 'survey_person',
  properties: {
    email: p.string().primary(),
    askedAt: p.datetime(3).nullable(),
    optedOutAt: p.datetime(3).nullable(),
  },
});

export const RunRow = defineEntity({
  name: 'Run',
  tableName: 'run',
  properties: {
    id: p.string().primary(),
    kind: word<RunKind>(),
    status: word<RunStatus>(),
    hostname: p.string().nullable(),
    goal: p.text().nullable(),
    agentProfile: p.string().nullable(),
    requestedBy: p.string(),
    via: p.string(),
    createdAt: p.datetime(3),
    startedAt: p.datetime(3).nullable(),
    finishedAt: p.datetime(3).nullable(),
    error: p.text().nullable(),
    result: p.json<unknown>().nullable(),
    steps: p.json<unknown[]>(),
    state: p.json<unknown>().nullable(),
    usage: p.json<{ inputTokens: number; outputTokens: number }>().nullable(),
    costUsd: real().nullable(),
    workerId: p.string().nullable(),
  },
  uniques: [
    {
      name: 'run_one_fleet_scan',
      properties: ['kind'],
      where: "kind = 'fleet_scan' and status in ('queued', 'running')",
    },
  ],
  indexes: [
    { name: 'run_status_kind', properties: ['status', 'kind'] },
    { name: 'run_created', properties: ['createdAt'] },
    { name: 'run_hostname_created', properties: ['hostname', 'createdAt'] },
  ],
});

export const AuditRow = defineEntity({
  name: 'Audit',
  tableName: 'audit',
  properties: {
    id: p.integer().primary(),
    at: p.datetime(3),
    actor: p.string(),
    actorKind: p.string(),
    via: p.string(),
    role: p.string(),
    tool: p.string(),
    inputDigest: p.string(),
    subject: p.string().nullable(),
    outcome: word<'ok' | 'denied' | 'failed'>(),
    error: p.text().nullable(),
    durationMs: p.integer(),
  },
  indexes: [
    { name: 'audit_at', properties: ['at'] },
    { name: 'audit_actor_at', properties: ['actor', 'at'] },
  ],
});

export const ApiKeyRow = defineEntity({
  name: 'ApiKey',
  tableName: 'api_key',
  properties: {
    id: p.integer().primary(),
    name: p.string().length(64),
    role: word<Role>(),
    digest: p.string().length(64),
    createdBy: p.string(),
    createdAt: p.datetime(3),
    lastUsedAt: p.datetime(3).nullable(),
    revokedAt: p.datetime(3).nullable(),
  },
  uniques: [
    { name: 'api_key_digest', properties: ['digest'] },
    { name: 'api_key_name_valid', properties: ['name'], where: 'revoked_at is null' },
  ],
});

export const WorkerRow = defineEntity({
  name: 'Worker',
  tableName: 'worker',
  properties: {
    id: p.string().primary(),
    host: p.string(),
    pid: p.integer(),
    startedAt: p.datetime(3),
    seenAt: p.datetime(3),
    works: p.boolean(),
  },
});

export const JobRow = defineEntity({
  name: 'Job',
  tableName: 'job',
  properties: {
    job: p.string().primary(),
    lastStartedAt: p.datetime(3),
    lastSucceededAt: p.datetime(3).nullable(),
    lastFailedAt: p.datetime(3).nullable(),
    lastError: p.text().nullable(),
  },
});

export const RunbookFeedbackRow = defineEntity({
  name: 'RunbookFeedback',
  tableName: 'runbook_feedback',
  properties: {
    id: p.integer().primary(),
    docId: p.string(),
    voter: p.string(),
    /** 0 for none: a unique index takes nulls for different. */
    alertId: p.integer(),
    helped: p.boolean(),
    votedAt: p.datetime(3),
  },
  uniques: [{ name: 'runbook_feedback_one_word', properties: ['docId', 'voter', 'alertId'] }],
});

export const OutboxRow = defineEntity({
  name: 'Outbox',
  tableName: 'outbox',
  properties: {
    id: p.integer().primary(),
    /** Who delivers it: `slack`, `ticket`. */
    messenger: p.string(),
    kind: word<'raised' | 'changed'>(),
    /** Messages about the same thing share it, so that edits coalesce and repeats are recognised. */
    subject: p.string(),
    idempotencyKey: p.string(),
    payload: p.json<Record<string, unknown>>(),
    state: word<'pending' | 'sent' | 'dead'>(),
    attempts: p.integer(),
    createdAt: p.datetime(3),
    nextAttemptAt: p.datetime(3),
    sentAt: p.datetime(3).nullable(),
    lastError: p.text().nullable(),
  },
  uniques: [{ name: 'outbox_idempotency', properties: ['idempotencyKey'] }],
  indexes: [{ name: 'outbox_due', properties: ['state', 'messenger', 'nextAttemptAt'] }],
});

export const ApprovalRow = defineEntity({
  name: 'Approval',
  tableName: 'approval',
  properties: {
    id: p.string().primary(),
    kind: word<ApprovalKind>(),
    status: word<ApprovalStatus>(),
    question: p.text(),
    plan: p.json<Record<string, unknown>>(),
    tool: p.string(),
    input: p.json<Record<string, unknown>>(),
    hostname: p.string().nullable(),
    alertId: p.integer().nullable(),
    subjectId: p.string().nullable(),
    requester: p.json<Actor>(),
    requestedAt: p.datetime(3),
    expiresAt: p.datetime(3),
    yesNeeded: p.integer(),
    answers: p.json<ApprovalAnswer[]>(),
    decidedAt: p.datetime(3).nullable(),
    execution: word<Execution>(),
    outcome: p.text().nullable(),
    settledAt: p.datetime(3).nullable(),
    version: p.integer(),
  },
  indexes: [
    { name: 'approval_status_expiry', properties: ['status', 'expiresAt'] },
    { name: 'approval_settled', properties: ['settledAt', 'status'] },
    { name: 'approval_requested', properties: ['requestedAt'] },
    { name: 'approval_decided', properties: ['decidedAt'] },
  ],
});

export const RemediationRow = defineEntity({
  name: 'Remediation',
  tableName: 'remediation',
  properties: {
    id: p.string().primary(),
    alertId: p.integer(),
    alertName: p.string(),
    endpointId: p.integer(),
    hostname: p.string(),
    action: word<Remediation['action']>(),
    playbook: p.string(),
    variables: p.json<Record<string, Variable>>(),
    dryRun: p.boolean(),
    status: word<RemediationStatus>(),
    reason: p.text().nullable(),
    approvalId: p.string().nullable(),
    requestedBy: p.string(),
    createdAt: p.datetime(3),
    startedAt: p.datetime(3).nullable(),
    finishedAt: p.datetime(3).nullable(),
    verifyBy: p.datetime(3).nullable(),
    cancelledBy: p.string().nullable(),
    ownerSaysFixed: p.boolean().nullable(),
  },
  uniques: [{ name: 'remediation_one_running', properties: ['endpointId'], where: "status = 'running'" }],
  indexes: [
    { name: 'remediation_endpoint_created', properties: ['endpointId', 'createdAt'] },
    { name: 'remediation_status', properties: ['status'] },
    { name: 'remediation_created', properties: ['createdAt'] },
    { name: 'remediation_alert', properties: ['alertId'] },
  ],
});

export const TicketRow = defineEntity({
  name: 'Ticket',
  tableName: 'ticket',
  properties: {
    id: p.string().primary(),
    alertId: p.integer(),
    status: word<TicketStatus>(),
    externalId: p.string().nullable(),
    url: p.text().nullable(),
    createdAt: p.datetime(3),
    statusAt: p.datetime(3).nullable(),
  },
  indexes: [
    { name: 'ticket_alert', properties: ['alertId'] },
    { name: 'ticket_external', properties: ['externalId'] },
  ],
});

/** Deliveries of the ticket system, so that a repeat is known. */
export const TicketDeliveryRow = defineEntity({
  name: 'TicketDelivery',
  tableName: 'ticket_delivery',
  properties: {
    id: p.string().primary(),
    receivedAt: p.datetime(3),
  },
  indexes: [{ name: 'ticket_delivery_received', properties: ['receivedAt'] }],
});

/** Hosts that alerts came for and that nobody registered. */
export const UnknownHostRow = defineEntity({
  name: 'UnknownHost',
  tableName: 'unknown_host',
  properties: {
    id: p.integer().primary(),
    hostname: p.string(),
    alertName: p.string(),
    firstSeenAt: p.datetime(3),
    lastSeenAt: p.datetime(3),
    count: p.integer(),
  },
  uniques: [{ name: 'unknown_host_alert', properties: ['hostname', 'alertName'] }],
  indexes: [{ name: 'unknown_host_seen', properties: ['lastSeenAt'] }],
});

/** The fleet's average after each fleet scan: its course without reading every score again. */
export const FleetScoreRow = defineEntity({
  name: 'FleetScore',
  tableName: 'fleet_score',
  properties: {
    id: p.integer().primary(),
    at: p.datetime(3),
    average: real(),
    endpoints: p.integer(),
  },
  indexes: [{ name: 'fleet_score_at', properties: ['at'] }],
});

/** The Slack message that tells of something, so that it can be edited. */
export const SlackMessageRow = defineEntity({
  name: 'SlackMessage',
  tableName: 'slack_message',
  properties: {
    id: p.integer().primary(),
    /** As in the outbox: `alert:42`. */
    subject: p.string(),
    channel: p.string(),
    ts: p.string(),
    digest: p.boolean(),
  },
  uniques: [{ name: 'slack_message_subject', properties: ['subject'] }],
});

export const ENTITIES = [
  EndpointRow,
  SnapshotRow,
  ScoreRow,
  AlertRow,
  AlertEventRow,
  PredictionRow,
  FeedbackRow,
  FeedbackCellRow,
  FeedbackCommentRow,
  SurveyRow,
  SurveyInvitationRow,
  SurveySeatRow,
  SurveyPersonRow,
  RunRow,
  AuditRow,
  ApiKeyRow,
  WorkerRow,
  JobRow,
  RunbookFeedbackRow,
  OutboxRow,
  SlackMessageRow,
  ApprovalRow,
  RemediationRow,
  TicketRow,
  TicketDeliveryRow,
  UnknownHostRow,
  FleetScoreRow,
];
