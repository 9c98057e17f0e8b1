/** A part of the fleet as people and files write it: one text with conditions that all hold, or several of which one is enough. */
import { z } from 'zod';
import { readSelectionPart, type Selection } from '../../domain/fleet/selection.ts';

const part = z
  .string()
  .max(500)
  .transform((text, context) => {
    const read = readSelectionPart(text);
    if (typeof read !== 'string') return read;
    context.addIssue({ code: 'custom', message: read });
    return z.NEVER;
  });

export const selectionInput = z
  .union([part.transform((only) => [only]), z.array(part).min(1).max(20)])
  .transform((parts): Selection => parts);
