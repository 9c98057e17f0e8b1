/** The schema of config/ticket_mappings/*.yaml: how a ticket of ours becomes one of another system. */
import { z } from 'zod';
import type { TicketMapping } from '../domain/ticketMapping.ts';

const FIELDS = [
  'id',
  'title',
  'description',
  'severity',
  'hostname',
  'alert_id',
  'alert_name',
  'owner_email',
  'persona',
  'criticality_tier',
  'created_at',
  'url',
] as const;

const pattern = z.string().transform((text, context) => {
  try {
    return new RegExp(text);
  } catch (error) {
    context.addIssue({ code: 'custom', message: (error as Error).message });
    return z.NEVER;
  }
});

export const TicketMappingFile = z
  .strictObject({
    name: z.string(),
    target: pattern,
    headers: z.record(z.string(), z.strictObject({ env: z.string().regex(/^[A-Z][A-Z0-9_]+$/) })).default({}),
    derive: z
      .record(
        z.string(),
        z.strictObject({ from: z.enum(FIELDS), values: z.record(z.string(), z.union([z.string(), z.number()])) }),
      )
      .default({}),
    body: z.json(),
    answer: z.strictObject({ id: z.string(), url: z.string().optional() }),
  })
  .transform(
    ({ headers, ...same }): TicketMapping => ({
      ...same,
      headers: Object.fromEntries(Object.entries(headers).map(([name, { env }]) => [name, env])),
    }),
  );
