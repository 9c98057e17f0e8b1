/** An edit of the rules that is not in force, and the rules as they would be with it. */
import type { AlertRule, ScoreConfig } from '../../domain/alerts/alertRules.ts';
import type { RemediationRules } from '../../domain/healing/remediationGuards.ts';
import { linesOf } from '../../domain/plan/bands.ts';
import type { ReplayRules } from '../../domain/plan/replayMachine.ts';
import type { ScoreThresholds } from '../../domain/scores/score.ts';
import { AppError } from '../errors.ts';
import type { Ports } from '../ports/ports.ts';

const DAY_MS = 86_400_000;

/** What would change; what is absent stays as it is now. */
export interface Edit {
  scoreRules?: ScoreConfig;
  remediationMap?: RemediationRules;
  thresholds?: Partial<ScoreThresholds>;
  /** Scans in a row that must breach, by alert name. */
  for?: Record<string, number>;
}

/** @throws AppError `invalid` for an edit that names what is not there, or whose lines contradict each other */
export function rulesUnder(ports: Ports, edit: Edit): ReplayRules {
  const base = edit.scoreRules ?? ports.scoreRules.current();
  const unknown = Object.keys(edit.for ?? {}).filter((name) => !base.alerts.some((rule) => rule.name === name));
  if (unknown.length > 0) {
    throw new AppError(
      'invalid',
      `No rule raises ${unknown.join(' or ')}: \`for\` takes names of alerts in dex_score.yaml.`,
    );
  }
  const alerts = base.alerts.map((rule) => ({ ...rule, for: edit.for?.[rule.name] ?? rule.for }));
  const rules = { ...base, alerts };
  const thresholds = { ...ports.settings.thresholds, ...edit.thresholds };
  if (thresholds.critical > thresholds.warning) {
    throw new AppError(
      'invalid',
      `The critical line (${thresholds.critical}) lies above the alert line (${thresholds.warning}).`,
    );
  }
  return { rules, thresholds, lines: linesOf(rules) };
}

/** So long before the stretch that is compared a replay begins, for rules that wait for many scans in a row; scans may be missed meanwhile. */
export function warmUpMs(alerts: readonly AlertRule[], scanIntervalMs: number): number {
  return Math.max(DAY_MS, 2 * Math.max(0, ...alerts.map((rule) => rule.for)) * scanIntervalMs);
}
