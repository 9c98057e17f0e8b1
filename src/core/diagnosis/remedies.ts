/** Adds to a cause what helps against it: the section of a runbook that fits, and what self-healing has for its alert. */
import type { DiagnosedCause } from '../../domain/diagnosis/diagnosis.ts';
import type { Endpoint } from '../../domain/fleet/endpoint.ts';
import { withoutName } from '../../domain/runbooks/question.ts';
import { PLATFORMS } from '../../domain/runbooks/runbook.ts';
import type { Ports } from '../ports/ports.ts';
import type { RunbookHit } from '../ports/runbookPorts.ts';

export interface Remedy {
  /** Null when no page fits well. */
  runbook: Pick<RunbookHit, 'docId' | 'title' | 'heading' | 'playbook'> | null;
  /** What the remediation map has for the alert of this cause; null when a person has to. */
  remediation: { alertName: string; action: string; playbook: string | null; asksFirst: boolean } | null;
}

/** Causes after these are seldom the right one, and each costs a search. */
const MOST_SEARCHED = 5;

export async function remediesFor(
  { runbooks, remediationMap, log }: Pick<Ports, 'runbooks' | 'remediationMap' | 'log'>,
  endpoint: Endpoint,
  causes: readonly DiagnosedCause[],
): Promise<Remedy[]> {
  const { map } = remediationMap.current();
  const platform = PLATFORMS.find((name) => name === endpoint.osPlatform) ?? null;

  async function runbookFor({ alertNames, question }: DiagnosedCause): Promise<Remedy['runbook']> {
    try {
      const named = await pagesNaming(alertNames);
      const { confident, results } = await runbooks.search(withoutName(question, endpoint.hostname), {
        k: 1,
        platform,
        alertName: named,
      });
      const [hit] = results;
      return hit && (confident || named !== null) ? hit : null;
    } catch (error) {
      // A diagnosis without its runbook is better than none.
      log.warn({ err: error, hostname: endpoint.hostname }, 'no runbook could be searched for a diagnosis');
      return null;
    }
  }

  /** The first of some alerts that a page answers by name. */
  async function pagesNaming(alertNames: readonly string[]): Promise<string | null> {
    const answered = new Set((await listed).flatMap(({ alerts }) => alerts));
    return alertNames.find((name) => answered.has(name)) ?? null;
  }
  const listed = runbooks.list();
  listed.catch(() => undefined);

  return Promise.all(
    causes.map(async (cause, place) => ({
      runbook: place < MOST_SEARCHED ? await runbookFor(cause) : null,
      remediation: remediationFor(cause.alertNames),
    })),
  );

  function remediationFor(alertNames: readonly string[]): Remedy['remediation'] {
    const name = alertNames.find((alertName) => map.has(alertName));
    const entry = name === undefined ? undefined : map.get(name);
    if (name === undefined || !entry || entry.action === 'ticket') return null;
    return {
      alertName: name,
      action: entry.action,
      playbook: entry.playbook ?? null,
      asksFirst: entry.requiresApproval ?? endpoint.criticalityTier === 1,
    };
  }
}
