/** The schema of config/ticket_mappings/*.yaml: how a ticket of ours becomes one of another system. */
import { z } from 'zod';
import type { MappedFields, TicketMapping } from '../../domain/alerts/ticketMapping.ts';

const FIELDS = [
  'id',
  'event',
  'title',
  'description',
  'severity',
  'hostname',
  'alert_id',
  'alert_name',
  'owner_email',
  'persona',
  'criticality_tier',
  'comment',
  'created_at',
  'url',
  'external_id',
  'external_ref',
] as const satisfies (keyof MappedFields)[];

const pattern = z.string().transform((text, context) => {
  try {
    return new RegExp(text);
  } catch (error) {
    context.addIssue({ code: 'custom', message: (error as Error).message });
    return z.NEVER;
  }
});

const bodyParts = {
  derive: z
    .record(
      z.string(),
      z.strictObject({ from: z.enum(FIELDS), values: z.record(z.string(), z.union([z.string(), z.number()])) }),
    )
    .default({}),
  body: z.json(),
};

export const TicketMappingFile = z
  .strictObject({
    name: z.string(),
    target: pattern,
    headers: z.record(z.string(), z.strictObject({ env: z.string().regex(/^[A-Z][A-Z0-9_]+$/) })).default({}),
    ...bodyParts,
    answer: z.strictObject({ id: z.string(), url: z.string().optional(), ref: z.string().optional() }),
    update: z.strictObject({
      method: z.enum(['POST', 'PUT', 'PATCH']).default('POST'),
      path: z
        .string()
        .regex(
          /^(\/([A-Za-z0-9_-]+|\{\{ ticket\.external_ref \}\}))*$/,
          'must be empty or as /{{ ticket.external_ref }}/word',
        )
        .default(''),
      ...bodyParts,
      success: z.string().optional(),
    }),
  })
  .transform(
    ({ headers, ...same }): TicketMapping => ({
      ...same,
      headers: Object.fromEntries(Object.entries(headers).map(([name, { env }]) => [name, env])),
    }),
  );
