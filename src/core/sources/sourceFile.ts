/** What `config/sources.yaml` may say: systems that know machines already, and how to read them. */
import { z } from 'zod';
import { PERSONAS, type Persona } from '../../domain/fleet/endpoint.ts';
import type { SourceConfig } from '../ports/sourcePorts.ts';

const variable = z.string().regex(/^[A-Z][A-Z0-9_]*$/, 'must be the name of an environment variable');
const labelNames = z.union([z.string().transform((name) => [name]), z.array(z.string()).max(20)]);

const auth = z.union([
  z.strictObject({ bearer: variable }),
  z.strictObject({ username: z.string().min(1), password: variable }),
]);

const tls = z.strictObject({
  ca_file: z.string().optional(),
  server_name: z.string().optional(),
  insecure: z.boolean().default(false),
});

/** What each kind of source has. */
const common = {
  url: z.url({ protocol: /^https?$/, error: 'must be an http or https address' }),
  tls: tls.optional(),
  persona: z.enum(PERSONAS).default('general'),
  timeout_seconds: z.number().min(1).max(120).default(30),
  leave_after_days: z.number().min(0).max(365).default(7),
};

const prometheus = z.strictObject({
  ...common,
  type: z.literal('prometheus'),
  auth: auth.optional(),
  selector: z
    .string()
    .max(2000)
    .default('')
    .transform((text) =>
      text
        .trim()
        .replace(/^\{([\s\S]*)\}$/, '$1')
        .replace(/,\s*$/, '')
        .trim(),
    ),
  labels: z
    .strictObject({
      hostname: labelNames.default(['hostname']),
      owner: labelNames.default(['owner']),
      persona: labelNames.default(['persona']),
      tags: labelNames.default([]),
    })
    .prefault({}),
});

const fleet = z.strictObject({
  ...common,
  type: z.literal('fleet'),
  token: variable,
  team_id: z.number().int().min(0).optional(),
});

export const SourcesFile = z
  .strictObject({
    sources: z.record(
      z.string().regex(/^[a-z][a-z0-9-]{0,40}$/, 'lower-case letters, digits and hyphens'),
      z.discriminatedUnion('type', [prometheus, fleet]),
    ),
  })
  .transform(({ sources }): SourceConfig[] =>
    Object.entries(sources).map(([name, source]) => {
      if (source.type === 'prometheus') return { name, ...source };
      const { token, ...rest } = source;
      return { name, ...rest, auth: { bearer: token } };
    }),
  );

/** A label's value as a persona; the usual one of the source where it is none. */
export function personaOf(label: string | undefined, usual: Persona): Persona {
  const wanted = label?.trim().toLowerCase();
  return PERSONAS.find((persona) => persona === wanted) ?? usual;
}
