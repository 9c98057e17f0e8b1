/** The explicit list of all tools; a tool that is not here does not exist on any interface. */
import type { AnyTool } from '../tool.ts';
import { startRun } from './agents.ts';
import { getAlert, reopenAlertTool, unacknowledgeAlertTool } from './alerts/alertDetails.ts';
import { ingestAlerts, listUnknownHosts, maintainAlerts } from './alerts/alertIntake.ts';
import { acknowledgeAlertTool, listAlerts, resolveAlertTool } from './alerts/alerts.ts';
import { decideApprovalTool, getApproval, listApprovals } from './alerts/approvals.ts';
import { ingestFleetEvent } from './alerts/fleetEvents.ts';
import { listIncidents } from './alerts/incidents.ts';
import { getKpis } from './alerts/kpis.ts';
import { acknowledgeAlerts, resolveAlerts } from './alerts/manyAlerts.ts';
import { getOnCall, releaseOnCallTool, takeOnCallTool } from './alerts/onCall.ts';
import {
  answerRemedyTool,
  listOwnerRemedies,
  maintainOwnerRemediesTool,
  offerRemedyTool,
  sendOwnerReportsTool,
  setMonthlyReport,
  setRemedyMessages,
} from './alerts/ownerRemedies.ts';
import {
  answerFixCheckTool,
  cancelRemediationTool,
  listRemediations,
  maintainHealing,
  remediateAlertTool,
} from './alerts/remediations.ts';
import { getReport, postReportTool } from './alerts/report.ts';
import { takeTicketWordTool } from './alerts/ticketCallbacks.ts';
import { listAudit } from './audit.ts';
import { createBackup } from './backups.ts';
import { getFeedbackSummary, submitFeedback } from './feedback.ts';
import { addAlias, removeAlias } from './fleet/aliases.ts';
import { diagnoseMachineTool } from './fleet/diagnosis.ts';
import { deregisterEndpoint, listEndpoints, updateEndpoint } from './fleet/endpoints.ts';
import { getFleet } from './fleet/fleet.ts';
import { getFleetForecast } from './fleet/forecast.ts';
import { getEndpoint } from './fleet/machine.ts';
import { measureEndpoint } from './fleet/measure.ts';
import { planRules } from './fleet/plan.ts';
import { checkPredictions, getPredictionAccuracy, setPredictionThreshold } from './fleet/predictions.ts';
import { scanEndpoint, scanFleetTool } from './fleet/scans.ts';
import { getScore, getScoreHistory } from './fleet/scores.ts';
import { getSignals } from './fleet/signals.ts';
import { submitSnapshot, submitSnapshots } from './fleet/snapshots.ts';
import { getTrends } from './fleet/trends.ts';
import { createApiKey, listApiKeys, revokeApiKey } from './keys.ts';
import { listDeadMessages, resendMessage } from './outbox.ts';
import { eraseMachineData, exportMachineData, getMachineData, pauseCollection } from './privacy/ownData.ts';
import { privacyReport } from './privacy/report.ts';
import { approveRevealTool, endRevealTool, listReveals, revealName } from './privacy/reveals.ts';
import { reportProblem } from './problems.ts';
import { enrolMachineTool, renewAgentTokenTool, signOffAgentTool } from './registration/agentEnrolment.ts';
import { createEnrolment, listEnrolments, revokeEnrolment } from './registration/enrolments.ts';
import { importEndpoints, registerEndpoint, registerEndpoints } from './registration/registration.ts';
import { syncSources } from './registration/sources.ts';
import { testEndpoint } from './registration/testEndpoint.ts';
import { retentionTool } from './retention.ts';
import {
  endpointRunbooks,
  getRunbook,
  indexRunbook,
  indexRunbooks,
  listRunbooksTool,
  rateRunbook,
  searchRunbooksTool,
} from './runbooks.ts';
import { cancelRunTool, getRun, listRuns, rateAnswer } from './runs.ts';
import { listSessions, revokeSession } from './sessions.ts';
import { answerSurvey, closeSurvey, getSurvey, listSurveys, maintainSurveys, optOut, startSurvey } from './surveys.ts';

export const TOOLS: readonly AnyTool[] = [
  registerEndpoint,
  registerEndpoints,
  importEndpoints,
  syncSources,
  testEndpoint,
  listEndpoints,
  getEndpoint,
  updateEndpoint,
  deregisterEndpoint,
  addAlias,
  removeAlias,
  createEnrolment,
  listEnrolments,
  revokeEnrolment,
  enrolMachineTool,
  renewAgentTokenTool,
  signOffAgentTool,
  scanEndpoint,
  scanFleetTool,
  getScore,
  getScoreHistory,
  getSignals,
  getTrends,
  diagnoseMachineTool,
  getFleet,
  listAlerts,
  getAlert,
  acknowledgeAlertTool,
  unacknowledgeAlertTool,
  resolveAlertTool,
  reopenAlertTool,
  acknowledgeAlerts,
  resolveAlerts,
  getOnCall,
  takeOnCallTool,
  releaseOnCallTool,
  listIncidents,
  getKpis,
  getReport,
  postReportTool,
  listUnknownHosts,
  ingestAlerts,
  ingestFleetEvent,
  maintainAlerts,
  getFleetForecast,
  planRules,
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
  maintainHealing,
  listOwnerRemedies,
  offerRemedyTool,
  answerRemedyTool,
  setRemedyMessages,
  setMonthlyReport,
  sendOwnerReportsTool,
  maintainOwnerRemediesTool,
  takeTicketWordTool,
  submitFeedback,
  reportProblem,
  getFeedbackSummary,
  startSurvey,
  closeSurvey,
  listSurveys,
  getSurvey,
  answerSurvey,
  optOut,
  maintainSurveys,
  getRun,
  listRuns,
  cancelRunTool,
  rateAnswer,
  searchRunbooksTool,
  endpointRunbooks,
  listRunbooksTool,
  getRunbook,
  rateRunbook,
  indexRunbook,
  indexRunbooks,
  submitSnapshot,
  submitSnapshots,
  createApiKey,
  listApiKeys,
  revokeApiKey,
  listSessions,
  revokeSession,
  listAudit,
  listDeadMessages,
  resendMessage,
  privacyReport,
  revealName,
  approveRevealTool,
  endRevealTool,
  listReveals,
  getMachineData,
  pauseCollection,
  exportMachineData,
  eraseMachineData,
  createBackup,
  retentionTool,
];
