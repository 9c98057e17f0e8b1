/** All tables: one entity each, mapped one to one onto plain values that core knows. */
import { AlertEventRow, AlertRow, PredictionRow, PredictionThresholdRow, UnknownHostRow } from './entities/alerts.ts';
import { AgentReleaseRow, AgentRow, EnrolmentRow } from './entities/enrolment.ts';
import { EscalationRow, OnCallOverrideRow } from './entities/escalation.ts';
import {
  ApprovalRow,
  OwnerRemedyOptOutRow,
  OwnerRemedyRow,
  OwnerReportRow,
  RemediationRow,
  TicketDeliveryRow,
  TicketRow,
} from './entities/healing.ts';
import { OutboxRow, SlackMessageRow } from './entities/messages.ts';
import {
  FeedbackCellRow,
  FeedbackCommentRow,
  FeedbackRow,
  RunbookFeedbackRow,
  SurveyInvitationRow,
  SurveyPersonRow,
  SurveyRow,
  SurveySeatRow,
} from './entities/people.ts';
import { AccessRow, PauseRow, RevealRow } from './entities/privacy.ts';
import { ApiKeyRow, AuditRow, JobRow, LlmSpendRow, RunRow, ScanShardRow, WorkerRow } from './entities/runs.ts';
import { SignInSessionRow } from './entities/sessions.ts';
import {
  EndpointAliasRow,
  EndpointRow,
  FleetScoreHourRow,
  FleetScoreRow,
  SampleBlockRow,
  ScoreRow,
  SnapshotRow,
} from './entities/telemetry.ts';

export const ENTITIES = [
  EndpointRow,
  EndpointAliasRow,
  EnrolmentRow,
  AgentRow,
  AgentReleaseRow,
  SnapshotRow,
  ScoreRow,
  AlertRow,
  AlertEventRow,
  PredictionRow,
  PredictionThresholdRow,
  FeedbackRow,
  FeedbackCellRow,
  FeedbackCommentRow,
  SurveyRow,
  SurveyInvitationRow,
  SurveySeatRow,
  SurveyPersonRow,
  RunRow,
  LlmSpendRow,
  ScanShardRow,
  AuditRow,
  ApiKeyRow,
  SignInSessionRow,
  WorkerRow,
  JobRow,
  RunbookFeedbackRow,
  OutboxRow,
  SlackMessageRow,
  ApprovalRow,
  EscalationRow,
  OnCallOverrideRow,
  RemediationRow,
  OwnerRemedyRow,
  OwnerRemedyOptOutRow,
  OwnerReportRow,
  TicketRow,
  TicketDeliveryRow,
  UnknownHostRow,
  FleetScoreRow,
  FleetScoreHourRow,
  SampleBlockRow,
  RevealRow,
  AccessRow,
  PauseRow,
];
