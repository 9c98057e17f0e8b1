/** How offers to owners are kept. */
import type { OwnerRemedyStatus } from '../../domain/healing/ownerRemedy.ts';
import type { Actor } from '../actor.ts';
import type { Page, Paged } from '../page.ts';

/** One offer to one owner about one alert. */
export interface OwnerRemedy {
  id: string;
  alertId: number;
  alertName: string;
  endpointId: number;
  hostname: string;
  email: string;
  /**
   * The owner's day on which it was offered; with the address it is unique, so that nobody is written to twice a day. Null for
   * what the owner asked for.
   */
  day: string | null;
  timeZone: string;
  status: OwnerRemedyStatus;
  /** The dry run whose result is shown; null when no playbook is offered. */
  previewId: string | null;
  /** The remediation that the owner agreed to. */
  remediationId: string | null;
  runAt: Date | null;
  /** Who agreed to the run; null while nobody did. */
  consent: Actor | null;
  createdAt: Date;
  answeredAt: Date | null;
}

export interface OwnerRemedyRepository {
  /** False when this owner was offered something on this day already. */
  add(remedy: OwnerRemedy): Promise<boolean>;
  get(id: string): Promise<OwnerRemedy | null>;
  /** Newest first. */
  list(filter: { hostname?: string | undefined; email?: string | undefined }, page: Page): Promise<Paged<OwnerRemedy>>;
  inStatus(statuses: readonly OwnerRemedyStatus[]): Promise<OwnerRemedy[]>;
  /** The one that a remediation, or its dry run, belongs to. */
  ofRemediation(remediationId: string): Promise<OwnerRemedy | null>;
  /** Changes it if it is in one of these statuses; false when it is not. */
  move(id: string, from: readonly OwnerRemedyStatus[], patch: Partial<OwnerRemedy>): Promise<boolean>;
  /**
   * Open alerts of these names that their owners may be written to about: raised before, of owners who did not opt out and
   * were not written to since `notAskedSince`, nor about the same problem since `notAboutItSince`.
   */
  candidates(where: {
    alertNames: readonly string[];
    raisedBefore: Date;
    notAskedSince: Date;
    notAboutItSince: Date;
  }): Promise<{ alertId: number; email: string }[]>;
  setOptOut(email: string, at: Date | null): Promise<void>;
  /** Whether an owner wants a report every month. @param at since when, null for no more */
  setReportWanted(email: string, at: Date | null): Promise<void>;
  /** Owners who want one and did not get it for this month (`2026-02`). */
  reportsDue(month: string, limit: number): Promise<string[]>;
  /** Notes that it was sent; false when it was already, or is wanted no more. */
  reportSent(email: string, month: string): Promise<boolean>;
}
