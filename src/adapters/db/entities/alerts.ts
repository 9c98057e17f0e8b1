/** The tables of alerts and predictions. */

import { defineEntity, p } from '@mikro-orm/core';
import type { AlertStatus, AlertType, Resolution, Severity, TicketLink } from '../../../domain/alerts/alert.ts';
import type { PredictionVerdict } from '../../../domain/forecasts/prediction.ts';
import type { PredictiveAlertName } from '../../../domain/forecasts/predictiveAlert.ts';
import type { TrendMetric } from '../../../domain/forecasts/trendRules.ts';
import { real, word } from './columns.ts';

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
    seriesStartsMs: p.json<(number | null)[]>().default([]),
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
    // Only those that were: a new alert is in five other indexes already.
    { name: 'alert_acknowledged', properties: ['acknowledgedAt'], where: 'acknowledged_at is not null' },
    { name: 'alert_resolved', properties: ['resolvedAt'], where: 'resolved_at is not null' },
    { name: 'alert_identity', properties: ['hostname', 'alertName'] },
    // Asked after every delivery: without it, every open alert would be read for the few that are new.
    { name: 'alert_unhandled', properties: ['id'], where: "handled_at is null and status <> 'resolved'" },
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
    verdict: word<PredictionVerdict>(),
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

/** Horizons of predictive alerts that people set. */
export const PredictionThresholdRow = defineEntity({
  name: 'PredictionThreshold',
  tableName: 'prediction_threshold',
  properties: {
    alertName: p.string().primary().$type<PredictiveAlertName>(),
    horizonHours: p.integer(),
    setBy: p.string(),
    setAt: p.datetime(3),
  },
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
