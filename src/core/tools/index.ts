/** The explicit list of all tools; a tool that is not here does not exist on any face. */
import type { AnyTool } from '../tool.ts';
import { startRun } from './agents.ts';
import { ingestAlerts, listUnknownHosts, tendAlerts } from './alertIntake.ts';
import { acknowledgeAlertTool, getAlert, listAlerts, resolveAlertTool } from './alerts.ts';
import { decideApprovalTool, getApproval, listApprovals } from './approvals.ts';
import { listAudit } from './audit.ts';
import { createBackup } from './backups.ts';
import { deregisterEndpoint, getEndpoint, listEndpoints, registerEndpoint, updateEndpoint } from './endpoints.ts';
import { getFeedbackSummary, submitFeedback } from './feedback.ts';
import { listIncidents } from './incidents.ts';
import { createApiKey, listApiKeys, revokeApiKey } from './keys.ts';
import { getKpis } from './kpis.ts';
import { measureEndpoint } from './measure.ts';
import { checkPredictions, getPredictionAccuracy, setPredictionThreshold } from './predictions.ts';
import {
  answerFixCheckTool,
  cancelRemediationTool,
  listRemediations,
  remediateAlertTool,
  tendHealing,
} from './remediations.ts';
import { tendRetentionTool } from './retention.ts';
import {
  endpointRunbooks,
  getRunbook,
  indexRunbook,
  indexRunbooks,
  listRunbooksTool,
  rateRunbook,
  searchRunbooksTool,
} from './runbooks.ts';
import { cancelRunTool, getRun, listRuns } from './runs.ts';
import { scanEndpoint, scanFleetTool } from './scans.ts';
import { getFleet, getScore, getScoreHistory } from './scores.ts';
import { submitSnapshot } from './snapshots.ts';
import { answerSurvey, closeSurvey, getSurvey, listSurveys, optOut, startSurvey, tendSurveys } from './surveys.ts';
import { takeTicketWordTool } from './ticketWords.ts';

import { getTrends } from './trends.ts';

export const TOOLS: readonly AnyTool[] = [
  registerEndpoint,
  listEndpoints,
  getEndpoint,
  updateEndpoint,
  deregisterEndpoint,
  scanEndpoint,
  scanFleetTool,
  getScore,
  getScoreHistory,
  getTrends,
  getFleet,
  listAlerts,
  getAlert,
  acknowledgeAlertTool,
  resolveAlertTool,
  listIncidents,
  getKpis,
  listUnknownHosts,
  ingestAlerts,
  tendAlerts,
  getPredictionAccuracy,
  setPredictionThreshold,
  checkPredictions,
  measureEndpoint,
  startRun,
  listApprovals,
  getApproval,
  decideApprovalTool,
  remediateAlertTool,
  listRemediations,
  cancelRemediationTool,
  answerFixCheckTool,
  tendHealing,
  takeTicketWordTool,
  submitFeedback,
  getFeedbackSummary,
  startSurvey,
  closeSurvey,
  listSurveys,
  getSurvey,
  answerSurvey,
  optOut,
  tendSurveys,
  getRun,
  listRuns,
  cancelRunTool,
  searchRunbooksTool,
  endpointRunbooks,
  listRunbooksTool,
  getRunbook,
  rateRunbook,
  indexRunbook,
  indexRunbooks,
  submitSnapshot,
  createApiKey,
  listApiKeys,
  revokeApiKey,
  listAudit,
  createBackup,
  tendRetentionTool,
];
