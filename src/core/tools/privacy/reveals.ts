/** Tools for reveals: being shown the name behind a pseudonym for a while, agreeing to it, ending it, and seeing which there were. */
import { z } from 'zod';
import type { Interface } from '../../actor.ts';
import type { Reveal } from '../../ports/privacyPorts.ts';
import { iso } from '../../present.ts';
import { approveReveal, endReveal, LONGEST_REVEAL_MINUTES, requestReveal } from '../../privacy/reveals.ts';
import { hostnameInput, timestamp } from '../../shapes.ts';
import { machineSubject } from '../../subjects.ts';
import { defineTool } from '../../tool.ts';

const revealShape = z.object({
  reveal_id: z.string(),
  status: z.enum(['waiting', 'active', 'over']),
  hostname: z.string(),
  owner_email: z.string().nullable(),
  reason: z.string(),
  requested_by: z.string(),
  approved_by: z.string().nullable(),
  requested_at: timestamp,
  until: timestamp.nullable(),
});

/** Nothing that runs by itself is shown a name. */
const NOT_FOR_PROGRAMS: readonly Interface[] = ['planner', 'job'];

export const revealName = defineTool({
  name: 'reveal_name',
  title: 'Reveal a name',
  effect: 'write',
  reach: 'fleet',
  role: 'admin',
  toolset: 'admin',
  humansOnly: true,
  subject: machineSubject,
  hiddenFrom: NOT_FOR_PROGRAMS,
  description:
    'Be shown whose machine a pseudonym is, for a written reason and some minutes. A second administrator may have to agree; it ends by itself, is in the audit, and the person is told.',
  http: { method: 'POST', path: '/api/v1/privacy/reveals', status: 201 },
  command: {
    name: 'reveal',
    args: ['hostname', 'reason'],
    sentence: true,
    example: 'reveal pc-4f7k2m9x1q the disk is failing and has to be exchanged today --minutes 60',
  },
  input: z.strictObject({
    hostname: hostnameInput.describe('The pseudonym of the machine'),
    reason: z.string().trim().min(10).max(500).describe('Why the name is needed; the person reads it'),
    minutes: z.coerce.number().int().min(5).max(LONGEST_REVEAL_MINUTES).default(60),
  }),
  output: revealShape,
  async run(input, { ports, actor, now }) {
    return present(await requestReveal(ports, input, actor), now);
  },
  summary: textOf,
});

export const approveRevealTool = defineTool({
  name: 'approve_reveal',
  title: 'Agree to a reveal',
  effect: 'write',
  reach: 'fleet',
  role: 'admin',
  toolset: 'admin',
  humansOnly: true,
  hiddenFrom: NOT_FOR_PROGRAMS,
  description: 'Agree, as a second administrator, that another one is shown a name.',
  http: { method: 'POST', path: '/api/v1/privacy/reveals/:reveal_id/approve' },
  command: { name: 'reveal approve', args: ['reveal_id'], example: 'reveal approve 01K…' },
  input: z.strictObject({ reveal_id: z.string().min(1).max(64) }),
  output: revealShape,
  async run({ reveal_id }, { ports, actor, now }) {
    return present(await approveReveal(ports, reveal_id, actor), now);
  },
  summary: textOf,
});

export const endRevealTool = defineTool({
  name: 'end_reveal',
  title: 'End a reveal',
  effect: 'write',
  reach: 'fleet',
  role: 'admin',
  toolset: 'admin',
  hiddenFrom: NOT_FOR_PROGRAMS,
  description: 'End a reveal before its time, or refuse one that waits.',
  http: { method: 'POST', path: '/api/v1/privacy/reveals/:reveal_id/end' },
  command: { name: 'reveal end', args: ['reveal_id'], example: 'reveal end 01K…' },
  input: z.strictObject({ reveal_id: z.string().min(1).max(64) }),
  output: revealShape,
  async run({ reveal_id }, { ports, now }) {
    return present(await endReveal(ports, reveal_id), now);
  },
  summary: textOf,
});

export const listReveals = defineTool({
  name: 'list_reveals',
  title: 'List reveals',
  effect: 'read',
  reach: 'fleet',
  role: 'admin',
  toolset: 'admin',
  description:
    'Which names were revealed to whom, why and until when, newest first; those that wait for a second administrator too.',
  http: { method: 'GET', path: '/api/v1/privacy/reveals' },
  command: { name: 'reveals', args: [], example: 'reveals' },
  input: z.strictObject({ limit: z.coerce.number().int().min(1).max(1000).default(100) }),
  output: z.object({ reveals: z.array(revealShape) }),
  async run({ limit }, { ports, now }) {
    const reveals = await ports.store.reveals.list({}, limit);
    return { reveals: reveals.map((reveal) => present(reveal, now)) };
  },
  summary: ({ reveals }) => (reveals.length === 0 ? 'No name was revealed.' : reveals.map(textOf).join('\n')),
  rows: ({ reveals }) => reveals,
});

function present(reveal: Reveal, now: Date): z.input<typeof revealShape> {
  const { id, hostname, ownerEmail, reason, requestedBy, approvedBy, requestedAt, startsAt, endsAt } = reveal;
  const status = endsAt !== null && endsAt <= now ? 'over' : startsAt === null ? 'waiting' : 'active';
  return {
    reveal_id: id,
    status,
    hostname,
    owner_email: ownerEmail,
    reason,
    requested_by: requestedBy,
    approved_by: approvedBy,
    requested_at: iso(requestedAt),
    until: iso(endsAt),
  };
}

function textOf({
  reveal_id,
  status,
  hostname,
  owner_email,
  reason,
  requested_by,
  until,
}: z.output<typeof revealShape>) {
  const about = `${hostname}${owner_email ? ` of ${owner_email}` : ''} to ${requested_by}: ${reason}`;
  if (status === 'waiting') return `${reveal_id} waits for a second administrator: ${about}`;
  return `${reveal_id} ${status === 'active' ? 'until' : 'ended'} ${until}: ${about}`;
}
