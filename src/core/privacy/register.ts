/** The register of processing, as lines with their days filled in. */
import { KEPT_DAYS } from '../processes/retention.ts';
import { type About, RECIPIENTS, STORED, type StoredThing } from './storedTables.ts';

export interface RegisterLine {
  table: string;
  what: string;
  purpose: string;
  about: About;
  kept: string;
  recipients: string[];
}

/** @param retentionDays DEX_RETENTION_DAYS */
export function registerLines(retentionDays: number): RegisterLine[] {
  const daysOf = (kept: StoredThing['kept']): string => {
    if (typeof kept === 'object') return kept.text;
    const days = kept === 'as samples' ? 'as samples' : KEPT_DAYS[kept];
    return days === 'as samples' ? `${retentionDays} days` : `${days} days`;
  };
  return Object.entries(STORED).map(([table, { what, purpose, about, kept, recipients }]) => ({
    table,
    what,
    purpose,
    about,
    kept: daysOf(kept),
    recipients: recipients.map((recipient) => RECIPIENTS[recipient]),
  }));
}
