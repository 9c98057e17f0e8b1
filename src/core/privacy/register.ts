/** The register of processing, as lines with their days filled in. */
import type { OutsideRecipient, Settings } from '../ports/ports.ts';
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

/** Recipients that there are only where such a system is connected. */
const OUTSIDE: Partial<Record<keyof typeof RECIPIENTS, OutsideRecipient['kind']>> = {
  channel: 'slack',
  tickets: 'tickets',
  model: 'model',
};

export function registerLines({
  retentionDays,
  recipients: outside,
}: Pick<Settings, 'retentionDays' | 'recipients'>): RegisterLine[] {
  const daysOf = (kept: StoredThing['kept']): string => {
    if (typeof kept === 'object') return kept.text;
    const known = kept === 'as samples' ? 'as samples' : KEPT_DAYS[kept];
    const days = known === 'as samples' ? retentionDays : known;
    return days === 1 ? '1 day' : `${days} days`;
  };
  const isThere = (recipient: keyof typeof RECIPIENTS): boolean => {
    const needed = OUTSIDE[recipient];
    return needed === undefined || outside.some(({ kind }) => kind === needed);
  };
  return Object.entries(STORED).map(([table, { what, purpose, about, kept, recipients }]) => ({
    table,
    what,
    purpose,
    about,
    kept: daysOf(kept),
    recipients: recipients.filter(isThere).map((recipient) => RECIPIENTS[recipient]),
  }));
}
