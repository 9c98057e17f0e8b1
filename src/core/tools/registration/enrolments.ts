/** Tools for enrolments: making the line that lets machines join, seeing which there are, taking one back. */
import { z } from 'zod';
import { PERSONAS } from '../../../domain/fleet/endpoint.ts';
import { INTERFACES } from '../../actor.ts';
import { ENROLMENT_STATES, enrolmentState } from '../../enrolment/enrolments.ts';
import { installLines } from '../../enrolment/installLines.ts';
import { AppError } from '../../errors.ts';
import type { Enrolment } from '../../ports/enrolmentPorts.ts';
import { iso } from '../../present.ts';
import { tagsInput, tierInput } from '../../registration/registrationInput.ts';
import { timestamp } from '../../shapes.ts';
import { defineTool } from '../../tool.ts';

/** The secret belongs into no model's context. */
const NOT_FOR_MODELS = INTERFACES.filter((via) => !['rest', 'slack', 'cli'].includes(via));

/** A year: who enrols machines for longer makes a new secret in between. */
const LONGEST_HOURS = 366 * 24;

/** Where machines would reach the service, when nobody said. */
const UNSAID_URL = 'https://YOUR-DEXOPS-ADDRESS';

const enrolmentShape = z.object({
  id: z.number().int(),
  state: z.enum(ENROLMENT_STATES),
  tags: z.record(z.string(), z.string()),
  persona: z.enum(PERSONAS),
  criticality_tier: z.number().int(),
  owner_rule: z.string().nullable(),
  machines: z.number().int(),
  max_machines: z.number().int(),
  expires_at: timestamp,
  created_by: z.string(),
  created_at: timestamp,
  last_used_at: timestamp.nullable(),
  revoked_at: timestamp.nullable(),
});

export const createEnrolment = defineTool({
  name: 'create_enrolment',
  namesMachines: true,
  title: 'Create an enrolment',
  effect: 'write',
  reach: 'fleet',
  hiddenFrom: NOT_FOR_MODELS,
  description:
    'Make the line that installs the agent on a machine and lets it join the fleet, for each system; where the service has no built agent it starts that of a checkout. Its secret is shown only in this answer, expires, is for so many machines, and can do nothing else.',
  http: { method: 'POST', path: '/api/v1/dex/enrolments', status: 201 },
  command: {
    name: 'enroll create',
    args: [],
    example: 'enroll create --tag dept=sales --expires 7d --max 200',
  },
  input: z.strictObject({
    tags: tagsInput.default({}).describe('What each machine that joins is tagged with, as dept=sales'),
    expires_in_hours: z.coerce
      .number()
      .min(0.1)
      .max(LONGEST_HOURS, 'must be at most 366 days')
      .default(168)
      .describe('For how long machines may join'),
    max_machines: z.coerce.number().int().min(1).max(100_000).default(50).describe('How many machines may join'),
    persona: z.enum(PERSONAS).default('general'),
    criticality_tier: tierInput.default(2),
    owner_rule: z
      .string()
      .max(200)
      .regex(
        /^[\w.+-]*\{user\}[\w.+-]*@[a-z0-9-]+(\.[a-z0-9-]+)+$/i,
        'must be an address with {user} in it, as {user}@example.com',
      )
      .nullish()
      .describe('The owner’s mail address, from the user who is logged in: {user}@example.com'),
  }),
  output: z.object({
    enrolment: enrolmentShape,
    secret: z.string(),
    install: z.object({ linux: z.string(), macos: z.string(), windows: z.string() }),
  }),
  async run(input, { ports, actor, now }) {
    const { token: secret, digest } = ports.tokens.issue('dexe');
    const enrolment = await ports.store.enrolments.add(
      {
        tags: input.tags,
        persona: input.persona,
        criticalityTier: input.criticality_tier,
        ownerRule: input.owner_rule ?? null,
        expiresAt: new Date(now.getTime() + input.expires_in_hours * 3_600_000),
        maxMachines: input.max_machines,
        createdBy: actor.id,
        createdAt: now,
      },
      digest,
    );
    const build = await ports.agentReleases.current();
    return {
      enrolment: presentEnrolment(enrolment, now),
      secret,
      install: installLines(
        ports.settings.publicUrl || UNSAID_URL,
        { secret, isPrivate: ports.privacy !== undefined },
        Object.keys(build?.archives ?? {}),
      ),
    };
  },
  summary: ({ enrolment, install }) =>
    [
      `Enrolment ${enrolment.id}, for ${enrolment.max_machines} machines until ${enrolment.expires_at}. Its secret is shown only now.`,
      'Linux and macOS:',
      install.linux,
      'Windows, in PowerShell:',
      install.windows,
      ...(install.linux.includes(UNSAID_URL) ? ['Put the address of this service in, or set PUBLIC_URL.'] : []),
    ].join('\n'),
});

export const listEnrolments = defineTool({
  name: 'list_enrolments',
  title: 'List enrolments',
  effect: 'read',
  reach: 'fleet',
  role: 'operator',
  hiddenFrom: NOT_FOR_MODELS,
  description: 'Enrolments, newest first, with how many machines joined by each. Never their secrets.',
  http: { method: 'GET', path: '/api/v1/dex/enrolments' },
  command: { name: 'enroll', args: [], example: 'enroll' },
  input: z.strictObject({}),
  output: z.object({ enrolments: z.array(enrolmentShape) }),
  async run(_input, { ports, now }) {
    return { enrolments: (await ports.store.enrolments.list()).map((enrolment) => presentEnrolment(enrolment, now)) };
  },
  summary: ({ enrolments }) =>
    enrolments.length === 0
      ? 'There is no enrolment. Make one: enroll create --expires 7d --max 200'
      : enrolments
          .map(({ id, state, machines, max_machines, expires_at, tags }) => {
            const tagged = Object.entries(tags).map(([name, value]) => `${name}=${value}`);
            return `${id}: ${state}, ${machines} of ${max_machines} machines, until ${expires_at}${tagged.length > 0 ? `, ${tagged.join(' ')}` : ''}`;
          })
          .join('\n'),
});

export const revokeEnrolment = defineTool({
  name: 'revoke_enrolment',
  title: 'Revoke an enrolment',
  effect: 'write',
  reach: 'fleet',
  hiddenFrom: NOT_FOR_MODELS,
  description: 'End an enrolment: no machine joins by it any more. Machines that have joined stay.',
  http: { method: 'DELETE', path: '/api/v1/dex/enrolments/:enrolment_id' },
  command: { name: 'enroll revoke', args: ['enrolment_id'], example: 'enroll revoke 3' },
  input: z.strictObject({ enrolment_id: z.coerce.number().int().min(1).max(2_147_483_647) }),
  output: z.object({ enrolment: enrolmentShape }),
  async run({ enrolment_id }, { ports, now }) {
    const enrolment = await ports.store.enrolments.revoke(enrolment_id, now);
    if (!enrolment) {
      const next = [{ to: 'List the enrolments', tool: 'list_enrolments' }];
      throw new AppError('not_found', `There is no enrolment ${enrolment_id} to revoke.`, { enrolment_id }, { next });
    }
    return { enrolment: presentEnrolment(enrolment, now) };
  },
  summary: ({ enrolment }) => `Enrolment ${enrolment.id} is revoked; ${enrolment.machines} machines have joined by it.`,
});

function presentEnrolment(enrolment: Enrolment, now: Date): z.input<typeof enrolmentShape> {
  return {
    id: enrolment.id,
    state: enrolmentState(enrolment, now),
    tags: enrolment.tags,
    persona: enrolment.persona,
    criticality_tier: enrolment.criticalityTier,
    owner_rule: enrolment.ownerRule,
    machines: enrolment.machines,
    max_machines: enrolment.maxMachines,
    expires_at: iso(enrolment.expiresAt),
    created_by: enrolment.createdBy,
    created_at: iso(enrolment.createdAt),
    last_used_at: iso(enrolment.lastUsedAt),
    revoked_at: iso(enrolment.revokedAt),
  };
}
