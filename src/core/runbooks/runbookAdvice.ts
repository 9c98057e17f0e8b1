/** Runbooks for whoever asks: found by a question or by what is wrong with an endpoint, with what people said of each page. */

import type { Alert, Severity } from '../../domain/alerts/alert.ts';
import { type AlertRule, LOW_SCORE } from '../../domain/alerts/alertRules.ts';
import type { Endpoint } from '../../domain/fleet/endpoint.ts';
import { withoutName } from '../../domain/runbooks/question.ts';
import { PLATFORMS, type Platform } from '../../domain/runbooks/runbook.ts';
import { NO_VOTES, type VoteCount, voteBalance } from '../../domain/runbooks/runbookVotes.ts';
import { didYouMean } from '../commands/didYouMean.ts';
import { AppError } from '../errors.ts';
import type { StoredScore } from '../ports/endpointPorts.ts';
import type { Ports } from '../ports/ports.ts';
import type { RunbookAnswer, RunbookHit, RunbookPage, SearchOptions } from '../ports/runbookPorts.ts';

/** Each problem is a search of its own; an endpoint with more than these needs a person, not a longer list. */
const MAX_TROUBLES = 5;
const SEVERITY_ORDER: Record<Severity, number> = { critical: 0, warning: 1, info: 2 };

interface Voted {
  votes: VoteCount;
}
interface Advice extends Omit<RunbookAnswer, 'results'> {
  query: string;
  results: (RunbookHit & Voted)[];
}
interface EndpointAdvice extends Omit<RunbookAnswer, 'results'> {
  query: string;
  /** `problem`: what the page was searched for. */
  results: (RunbookHit & Voted & { problem: string })[];
}

type AdvicePorts = Pick<Ports, 'store' | 'runbooks'>;

/** @throws AppError `invalid` for an empty query */
export async function searchRunbooks(
  { store, runbooks }: AdvicePorts,
  query: string,
  options: Omit<SearchOptions, 'prior'>,
): Promise<Advice> {
  const votes = await store.runbookVotes.counts();
  return { query, ...(await searchWithVotes(runbooks, votes, query, options)) };
}

/**
 * What fits one endpoint: the alert named, else its open alerts and what lowers its score. Every problem's best page comes
 * before any problem's second, so that the loudest does not drown the others.
 */
export async function adviseEndpoint(
  ports: AdvicePorts & Pick<Ports, 'scoreRules'>,
  endpoint: Endpoint,
  alertName: string | null,
  k: number,
): Promise<EndpointAdvice> {
  const { store, runbooks } = ports;
  const alerts = await store.alerts.open([endpoint.id]);
  const problems =
    alertName === null
      ? problemsOf(endpoint, alerts, await store.scores.latest(endpoint.id), ports.scoreRules.current().alerts)
      : [{ alertName, text: alerts.find((alert) => alert.alertName === alertName)?.message ?? '' }];
  const votes = await store.runbookVotes.counts();
  const platform = PLATFORMS.find((name) => name === endpoint.osPlatform) ?? null;
  const answers = await Promise.all(
    problems.map(async (problem) => ({
      problem: spoken(problem),
      ...(await searchWithVotes(runbooks, votes, withoutName(problem.text, endpoint.hostname), {
        k,
        platform,
        alertName: problem.alertName,
      })),
    })),
  );
  const { mode, note } = answers[0] ?? runbooks.status();
  const confident = answers.some((answer) => answer.confident);
  return {
    query: problems.map(spoken).join('; '),
    mode: mode ?? 'lexical',
    note,
    confident,
    results: takeTurns(answers.map(({ problem, results }) => results.map((hit) => ({ ...hit, problem })))).slice(0, k),
  };
}

export async function listRunbooks({ store, runbooks }: AdvicePorts): Promise<(RunbookPage & Voted)[]> {
  const [pages, votes] = await Promise.all([runbooks.list(), store.runbookVotes.counts()]);
  return pages.map((page) => ({ ...page, votes: votes.get(page.docId) ?? NO_VOTES }));
}

/** @throws AppError `not_found` that names pages of nearly that name */
export async function requireRunbook(
  { store, runbooks }: AdvicePorts,
  docId: string,
): Promise<RunbookPage & Voted & { content: string }> {
  const page = await runbooks.read(docId);
  if (page) return { ...page, votes: (await store.runbookVotes.counts()).get(docId) ?? NO_VOTES };
  const near = didYouMean(
    docId,
    (await runbooks.list()).map((known) => known.docId),
  );
  if (near.length > 0)
    throw new AppError('not_found', `There is no runbook ${docId}. Did you mean ${near.join(' or ')}?`, {
      doc_id: docId,
    });
  const next = [{ to: 'List the runbooks', tool: 'list_runbooks' }];
  throw new AppError('not_found', `There is no runbook ${docId}.`, { doc_id: docId }, { next });
}

async function searchWithVotes(
  runbooks: AdvicePorts['runbooks'],
  votes: ReadonlyMap<string, VoteCount>,
  query: string,
  options: { k?: number; platform?: Platform | null; alertName?: string | null },
) {
  const votesOn = (docId: string) => votes.get(docId) ?? NO_VOTES;
  const { results, ...rest } = await runbooks.search(query, {
    ...options,
    prior: (docId) => voteBalance(votesOn(docId)),
  });
  return { ...rest, results: results.map((hit) => ({ ...hit, votes: votesOn(hit.docId) })) };
}

interface Problem {
  alertName: string | null;
  text: string;
}

/**
 * Open alerts, worst and newest first; then what the last scan found and no alert says yet, under the name of the alert it
 * would raise; last the low score itself, which only sums up the others.
 */
function problemsOf(
  endpoint: Endpoint,
  open: readonly Alert[],
  score: StoredScore | null,
  rules: readonly AlertRule[],
): Problem[] {
  const alerts = open
    .toSorted(
      (a, b) =>
        SEVERITY_ORDER[a.severity] - SEVERITY_ORDER[b.severity] || b.createdAt.getTime() - a.createdAt.getTime(),
    )
    .map(({ alertName, message }) => ({ alertName, text: message }));
  const unreachable = rules.find((rule) => 'unreachable' in rule)?.name ?? null;
  const silence = endpoint.unreachableReason;
  const deductions = (score?.deductions ?? [])
    // How many alerts of late were resolved is a matter for the team, not for a page about the machine.
    .filter(({ measure }) => measure !== 'alerts_resolved_pct')
    .toSorted((a, b) => b.points - a.points)
    .map(({ measure, reason }) => ({
      alertName: rules.find((rule) => 'measure' in rule && rule.measure === measure)?.name ?? null,
      text: reason,
    }));
  const problems = [
    ...alerts.filter(({ alertName }) => alertName !== LOW_SCORE),
    ...(silence === null ? [] : [{ alertName: unreachable, text: `it does not answer: ${silence}` }]),
    ...deductions,
    ...alerts.filter(({ alertName }) => alertName === LOW_SCORE),
  ];
  const named = new Map(problems.toReversed().map((problem) => [problem.alertName, problem]));
  return problems
    .filter((problem) => problem.alertName === null || named.get(problem.alertName) === problem)
    .slice(0, MAX_TROUBLES);
}

function spoken({ alertName, text }: Problem): string {
  return [alertName, text].filter(Boolean).join(': ');
}

/** The first of each list, then the second of each …, each page once. */
function takeTurns<T extends { docId: string }>(lists: readonly T[][]): T[] {
  const longest = Math.max(0, ...lists.map(({ length }) => length));
  const inTurn = Array.from({ length: longest }, (_, turn) => lists.flatMap((list) => list[turn] ?? [])).flat();
  const first = new Map(inTurn.toReversed().map((hit) => [hit.docId, hit]));
  return inTurn.filter((hit) => first.get(hit.docId) === hit);
}
