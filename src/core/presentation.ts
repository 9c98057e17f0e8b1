/** What interfaces need to show an answer and to offer what comes next, all of it from the tool's declaration. */
import type { Actor } from './actor.ts';
import type { ChartSpec } from './chart.ts';

/** A call of a tool, as a button, a menu or a link carries it. */
export interface ToolCall {
  tool: string;
  input: Record<string, unknown>;
}

/** A call that is offered to whoever reads an answer. */
export interface RelatedCall extends ToolCall {
  /** Tells it apart from the others of one answer; letters, digits and underscores. */
  id: string;
  label: string;
  /** Calls of one menu are choices of one kind; its name heads them. */
  menu?: string;
  /** Which of the things in the answer it is about, where there are several. */
  about?: string;
  style?: 'primary' | 'danger';
  /** Asked once more before it is done. */
  confirm?: { title: string; text: string };
  /** A field of the input that whoever does it is asked for first, where the interface can ask. */
  asksFor?: string;
}

/** The kinds of things that answers show. */
export type CardKind =
  | 'score'
  | 'diagnosis'
  | 'fleet'
  | 'alert'
  | 'alerts'
  | 'approval'
  | 'approvals'
  | 'on_call'
  | 'report'
  | 'run'
  | 'endpoint'
  | 'endpoints'
  | 'runbook'
  | 'runbooks';

/** The page's path of a machine. */
export function machinePage(hostname: string): string {
  return `/machines/${encodeURIComponent(hostname)}`;
}

const PAGES_OF_CARDS: readonly [RegExp, CardKind][] = [
  [/^\/machines\/([^/]+)$/, 'score'],
  [/^\/alerts\/(\d+)$/, 'alert'],
  [/^\/approvals\/([^/]+)$/, 'approval'],
  [/^\/runbooks\/([^/]+)$/, 'runbook'],
];

/** What an address of the page shows; null for lists, and for addresses elsewhere. @param publicUrl without a slash at the end */
export function cardOfPage(publicUrl: string, address: string): { card: CardKind; id: string } | null {
  if (publicUrl === '' || !address.startsWith(`${publicUrl}/`)) return null;
  const path = address.slice(publicUrl.length).replace(/[?#].*$/, '');
  for (const [pattern, card] of PAGES_OF_CARDS) {
    const id = pattern.exec(path)?.[1];
    if (id !== undefined) return { card, id: decoded(id) };
  }
  return null;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/**
 * Where a person sees the same on the page.
 * @param publicUrl where the service is reached, without a slash at the end; empty when nobody said
 * @param path on the page; null where it does not show it
 */
export function pageAddress(publicUrl: string, path: string | null): string | null {
  return publicUrl === '' || path === null ? null : `${publicUrl}${path}`;
}

/** A tool's part of the overview for staff. */
export interface Overview<Output> {
  /** Parts stand in the order of these numbers. */
  place: number;
  input?: Record<string, unknown>;
  parts(output: Output, actor: Actor): OverviewPart[];
}

export interface OverviewPart {
  /** Null when it belongs to the part before it. */
  title: string | null;
  lines?: string[];
  machines?: { hostname: string; score: number | null; score_status: string; scored_at?: string | null }[];
  /** Things to decide, each until a time (ISO 8601), with the calls that decide it. */
  decisions?: { text: string; until: string; related: RelatedCall[] }[];
  chart?: ChartSpec;
}
