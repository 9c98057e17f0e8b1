/** Since when a list reaches back, in whatever way somebody says it. */
import { z } from 'zod';
import { readSince } from '../../domain/time/since.ts';
import type { Actor } from '../actor.ts';
import { AppError } from '../errors.ts';
import type { Settings } from '../ports/ports.ts';

export const sinceInput = z
  .string()
  .trim()
  .min(1)
  .max(100)
  .optional()
  .describe('Then or later: ISO 8601, "yesterday", "Monday", "last week" or "2 days"');

/** @throws AppError `invalid` when it is no time, or one ahead */
export function sinceMeant(
  text: string | undefined,
  actor: Actor,
  settings: Pick<Settings, 'timeZone'>,
  now: Date,
): Date | undefined {
  if (text === undefined) return undefined;
  const read = readSince(text, now, actor.timeZone ?? settings.timeZone);
  if (read.kind === 'at') return read.at;
  throw new AppError('invalid', `since: ${read.reason}.`, { fields: [{ field: 'since', problem: read.reason }] });
}
