/** What the notifier works with: how notifications look and how refusals read, lent by the Slack interface, and what it reads. */
import type { types } from '@slack/bolt';
import type { ChartRenderer, ChartSpec } from '../../core/chart.ts';
import type { Answer } from '../../core/invoke.ts';
import type { SlackMessageRepository } from '../../core/ports/messagePorts.ts';
import type { Clock, Log } from '../../core/ports/ports.ts';
import type { ReadProblem, SlackClient, SlackNotifications } from './client.ts';
import type { SlackDirectory } from './directory.ts';

/** The answer that shows an alert or an approval, with what can be done about it. */
export type Facts = Pick<Answer, 'call' | 'output' | 'related' | 'page'>;

export interface Move {
  from: string | null;
  to: string;
  why: string;
}

/** How notifications look and how refusals read: the Slack interface's part, handed in because adapters do not know interfaces. */
export interface NotificationText {
  /** What gives an alert its place: its machine and beginning, the approval that it waits for, whom its escalation reached. */
  about(facts: Facts): {
    hostname: string;
    createdAtMs: number;
    asks: string | null;
    severity: string;
    /** It only follows from others, as a low score does. */
    follows: boolean;
    reached: { beganAt: string; people: string[] } | null;
  };
  /** All alerts of a machine that came together. */
  card(facts: readonly Facts[], approvers: readonly string[]): SlackNotifications;
  digest(facts: Facts[]): SlackNotifications;
  /** What happened to the alerts of a card, with the approvals that somebody has to be asked for; null while nothing has. */
  timeline(facts: readonly Facts[], asks: readonly Facts[], approvers: readonly string[]): SlackNotifications | null;
  /** Asks those who may for an answer. */
  ask(facts: Facts, approvers: readonly string[]): SlackNotifications;
  /** That an alert is open again. */
  moves(facts: Facts, moves: readonly Move[]): SlackNotifications;
  isLoud(move: Move): boolean;
  /** Calls people to what waits for an answer. */
  reach(facts: readonly Facts[], people: readonly string[]): SlackNotifications;
  /** That an approval expires soon, for its thread, with who may answer. */
  reminder(facts: Facts, approvers: readonly string[]): SlackNotifications;
  /** `waiting` while people can answer it; `alertId` of the alert whose card it is a part of. */
  approval(facts: Facts): { news: SlackNotifications; waiting: boolean; alertId?: number | null | undefined };
  /** "Did that fix it?", for the owner. */
  fixCheck(remediationId: string, alert: Facts): SlackNotifications;
  /** The report of the last days with its picture, where Slack took one. */
  report(report: Pick<Answer, 'text' | 'output' | 'page'>, image: types.KnownBlock | null): SlackNotifications;
  pictures(
    client: SlackClient,
    charts: ChartRenderer,
    log: Log,
  ): { show(chart: ChartSpec | null): Promise<types.KnownBlock | null> };
  note(text: string): SlackNotifications;
  problem: ReadProblem;
}

export interface SlackNotifierParts {
  client: SlackClient;
  directory: SlackDirectory;
  /** Channel id or name. */
  channel: string;
  /** Ids of the users and user groups that answer approvals; mentioned where something waits for them. */
  approvers: readonly string[];
  wording: NotificationText;
  messages: SlackMessageRepository;
  /** Both reject with kind `not_found` when what they look for is gone. */
  readAlert(alertId: number): Promise<Facts>;
  readApproval(approvalId: string): Promise<Facts>;
  readReport(days: number): Promise<Pick<Answer, 'text' | 'output' | 'page' | 'chart'>>;
  charts: ChartRenderer;
  /** Numbers of the alerts of a machine, newest first, ended ones too. */
  alertsOf(hostname: string): Promise<number[]>;
  clock: Clock;
  log: Log;
}
