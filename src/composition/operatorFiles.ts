/** The configuration files that operators edit while the service runs. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { z } from 'zod';
import { tokens } from '../adapters/identity.ts';
import { readYaml, reloadedFile } from '../adapters/reloadedFile.ts';
import type { Config } from '../config.ts';
import { createLimiter } from '../core/concurrency/limiter.ts';
import { EscalationFile, NO_ESCALATION } from '../core/escalation/escalationFile.ts';
import { RemediationFile } from '../core/healing/remediationMap.ts';
import { notice } from '../core/outbox/messages.ts';
import type { Log, Metrics, Ports } from '../core/ports/ports.ts';
import { ScoreFile } from '../core/scores/scoreRules.ts';

/** How machines are judged, what healing may do, and who is reached; an edit that is refused is counted, and a notice of it is sent. */
export function openOperatorFiles(
  config: Config,
  metrics: Metrics,
  log: Log,
  ports: () => Ports,
): Pick<Ports, 'scoreRules' | 'remediationMap' | 'escalation' | 'edits'> {
  const open = <S extends z.ZodType>(name: string, schema: S) =>
    reloadedFile(join(config.CONFIG_DIR, name), schema, {
      log,
      onRefused(problem) {
        metrics.configRefused(name);
        const text = `An edit of ${name} was refused; the last good one stays in force. ${problem}`;
        notice(ports(), `config_refused:${tokens.digest(problem)}`, text).catch((error: unknown) =>
          log.error({ err: error }, 'a notice could not be kept'),
        );
      },
    });
  const hasEscalation = existsSync(join(config.CONFIG_DIR, ESCALATION_FILE));
  return {
    scoreRules: open('dex_score.yaml', ScoreFile),
    remediationMap: open('dex_remediation_map.yaml', RemediationFile),
    edits: {
      scoreRules: (text) => readYaml('dex_score.yaml', text, ScoreFile),
      remediationMap: (text) => readYaml('dex_remediation_map.yaml', text, RemediationFile),
      inTurn: createLimiter(1),
    },
    escalation: hasEscalation ? open(ESCALATION_FILE, EscalationFile) : { current: () => NO_ESCALATION },
  };
}

/** Configuration of before this file existed has none. */
const ESCALATION_FILE = 'escalation.yaml';
