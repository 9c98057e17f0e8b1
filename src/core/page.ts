/** Lists in parts: which part is wanted, a part with the number of all, and where the next begins. */
import { z } from 'zod';

export interface Page {
  limit: number;
  offset: number;
}

export interface Paged<T> {
  items: T[];
  total: number;
}

/** What every list says of itself beside its rows. */
export const pageOutput = {
  total: z.number().int(),
  /** The offset of the next part; null at the end. */
  next_offset: z.number().int().nullable(),
};

/** @param shown rows of this part */
export function pageOf(
  { total, offset }: { total: number; offset: number },
  shown: number,
): { total: number; next_offset: number | null } {
  const next = offset + shown;
  return { total, next_offset: shown > 0 && next < total ? next : null };
}

/** `134 alerts, 1–25:`; all of them without the part. */
export function countLine(
  { total, next_offset }: { total: number; next_offset: number | null },
  shown: number,
  noun: string,
): string {
  const count = `${total} ${noun}${total === 1 ? '' : 's'}`;
  if (shown >= total) return count;
  const end = next_offset ?? total;
  return `${count}, ${end - shown + 1}–${end}${next_offset === null ? '' : `; the next with offset ${next_offset}`}`;
}
