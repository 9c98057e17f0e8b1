/** The explicit list of all tools; a tool that is not here does not exist on any face. */
import type { AnyTool } from '../tool.ts';
import { listAudit } from './audit.ts';
import { createBackup } from './backups.ts';
import { deregisterEndpoint, getEndpoint, listEndpoints, registerEndpoint, updateEndpoint } from './endpoints.ts';
import { createApiKey, listApiKeys, revokeApiKey } from './keys.ts';
import { measureEndpoint } from './measure.ts';
import { getRun, listRuns } from './runs.ts';
import { scanEndpoint, scanFleetTool } from './scans.ts';
import { getFleet, getScore, getScoreHistory } from './scores.ts';
import { submitSnapshot } from './snapshots.ts';

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
  getFleet,
  measureEndpoint,
  getRun,
  listRuns,
  submitSnapshot,
  createApiKey,
  listApiKeys,
  revokeApiKey,
  listAudit,
  createBackup,
];
