/** The tables of what is done about alerts. */

import { defineEntity, p } from '@mikro-orm/core';
import type { Actor } from '../../../core/actor.ts';
import type { TicketStatus } from '../../../domain/alerts/ticket.ts';
import type { ApprovalAnswer, ApprovalKind, ApprovalStatus, Execution } from '../../../domain/healing/approval.ts';
import type { OwnerRemedyStatus } from '../../../domain/healing/ownerRemedy.ts';
import type { Remediation, RemediationStatus, Variable } from '../../../domain/healing/remediation.ts';
import { word } from './columns.ts';

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
    requiredApprovals: p.integer().name('yes_needed'),
    answers: p.json<ApprovalAnswer[]>(),
    decidedAt: p.datetime(3).nullable(),
    execution: word<Execution>(),
    outcome: p.text().nullable(),
    settledAt: p.datetime(3).nullable(),
    workerId: p.string().nullable(),
    version: p.integer(),
  },
  indexes: [
    { name: 'approval_status_expiry', properties: ['status', 'expiresAt'] },
    { name: 'approval_settled', properties: ['settledAt', 'status'] },
    { name: 'approval_requested', properties: ['requestedAt'] },
    { name: 'approval_decided', properties: ['decidedAt'] },
    { name: 'approval_hostname', properties: ['hostname', 'requestedAt'] },
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
    beganAt: p.datetime(3).nullable(),
    finishedAt: p.datetime(3).nullable(),
    playedAt: p.datetime(3).nullable(),
    verifyBy: p.datetime(3).nullable(),
    cancelledBy: p.string().nullable(),
    ownerSaysFixed: p.boolean().nullable(),
  },
  uniques: [{ name: 'remediation_one_running', properties: ['endpointId'], where: "status = 'running'" }],
  indexes: [
    { name: 'remediation_endpoint_created', properties: ['endpointId', 'createdAt'] },
    { name: 'remediation_status', properties: ['status'] },
    { name: 'remediation_created', properties: ['createdAt'] },
    { name: 'remediation_finished', properties: ['finishedAt'] },
    { name: 'remediation_hostname', properties: ['hostname', 'createdAt'] },
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
    externalRef: p.string().nullable(),
    url: p.text().nullable(),
    createdAt: p.datetime(3),
    openedAt: p.datetime(3).nullable(),
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

export const OwnerRemedyRow = defineEntity({
  name: 'OwnerRemedy',
  tableName: 'owner_remedy',
  properties: {
    id: p.string().primary(),
    alertId: p.integer(),
    alertName: p.string(),
    endpointId: p.integer(),
    hostname: p.string(),
    email: p.string(),
    day: p.string().length(10).nullable(),
    timeZone: p.string(),
    status: word<OwnerRemedyStatus>(),
    previewId: p.string().nullable(),
    remediationId: p.string().nullable(),
    runAt: p.datetime(3).nullable(),
    consent: p.json<Actor>().nullable(),
    createdAt: p.datetime(3),
    answeredAt: p.datetime(3).nullable(),
  },
  uniques: [{ name: 'owner_remedy_one_a_day', properties: ['email', 'day'] }],
  indexes: [
    { name: 'owner_remedy_alert', properties: ['alertId'] },
    { name: 'owner_remedy_status', properties: ['status'] },
    { name: 'owner_remedy_problem', properties: ['endpointId', 'alertName', 'createdAt'] },
    { name: 'owner_remedy_remediation', properties: ['remediationId'] },
    { name: 'owner_remedy_preview', properties: ['previewId'] },
  ],
});

/** Owners who want a report of their machines every month. */
export const OwnerReportRow = defineEntity({
  name: 'OwnerReport',
  tableName: 'owner_report',
  properties: {
    email: p.string().primary(),
    wantedAt: p.datetime(3),
    /** The month that was reported last, `2026-02`. */
    sentFor: p.string().length(7).nullable(),
  },
});

/** Owners who want no such messages. */
export const OwnerRemedyOptOutRow = defineEntity({
  name: 'OwnerRemedyOptOut',
  tableName: 'owner_remedy_opt_out',
  properties: {
    email: p.string().primary(),
    optedOutAt: p.datetime(3),
  },
});
