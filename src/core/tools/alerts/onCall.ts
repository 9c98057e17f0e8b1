/** Tools for being on call: who it is, standing in for them, and handing back. */
import { z } from 'zod';
import type { OnCall } from '../../../domain/escalation/onCall.ts';
import type { Person } from '../../../domain/escalation/target.ts';
import { localText } from '../../characters.ts';
import { releaseOnCall, takeOnCall, whoIsOnCall } from '../../escalation/onCallDuty.ts';
import { iso } from '../../present.ts';
import { timestamp } from '../../shapes.ts';
import { defineTool } from '../../tool.ts';

const personShape = z.object({ id: z.string(), name: z.string().nullable() });
const onCallShape = z.object({
  rotation: z.string(),
  person: personShape,
  until: timestamp,
  /** The same on the clock of whoever asked. */
  until_text: z.string(),
  /** Whose turn it would be, where somebody stands in. */
  instead_of: personShape.nullable(),
  next: personShape,
});
const rotation = z.string().trim().min(1).max(40).optional().describe('Which rotation, where there are several');
const who = z.string().trim().min(1).max(200).optional().describe('Slack user id or mail address; you, when left out');

export const getOnCall = defineTool({
  name: 'get_on_call',
  title: 'Who is on call',
  effect: 'read',
  toolset: 'alerts',
  description: 'Who is on call now in each rotation, until when, who stands in for whom, and who is next.',
  http: { method: 'GET', path: '/api/v1/on-call' },
  command: {
    name: 'on-call',
    args: ['rotation'],
    also: [{ name: 'oncall' }, { name: 'who is on call' }, { name: "who's on call" }],
    everydayFor: ['staff'],
    example: 'on-call',
  },
  input: z.strictObject({ rotation }),
  output: z.object({ on_call: z.array(onCallShape) }),
  async run({ rotation: name }, { ports, actor }) {
    const zone = actor.timeZone ?? ports.settings.timeZone;
    return { on_call: (await whoIsOnCall(ports, name)).map((one) => present(one, zone)) };
  },
  summary: ({ on_call }) =>
    on_call.length === 0
      ? 'Nobody is on call: no rotation is set up. config/escalation.yaml says how to add one.'
      : on_call.map(onCallText).join('\n'),
  shows: { card: 'on_call' },
});

export const takeOnCallTool = defineTool({
  name: 'take_on_call',
  title: 'Take over on call',
  effect: 'write',
  toolset: 'alerts',
  description:
    'Stand in for whoever is on call until a time, as "8:00" or "tomorrow 9:00"; the rotation holds again then.',
  http: { method: 'POST', path: '/api/v1/on-call/take' },
  command: { name: 'take-over', args: ['until'], sentence: true, example: 'take-over until 8:00' },
  input: z.strictObject({
    until: z.string().trim().min(1).max(100).describe('"8:00", "tomorrow 9:00", "4h"'),
    rotation,
    who,
  }),
  output: onCallShape,
  run: async (wish, { ports, actor }) =>
    present(await takeOnCall(ports, wish, actor), actor.timeZone ?? ports.settings.timeZone),
  summary: onCallText,
  shows: { card: 'on_call' },
});

export const releaseOnCallTool = defineTool({
  name: 'release_on_call',
  title: 'Hand back on call',
  effect: 'write',
  toolset: 'alerts',
  description: 'End standing in for whoever is on call, so that the rotation holds again.',
  http: { method: 'POST', path: '/api/v1/on-call/release' },
  command: { name: 'hand-back', args: ['rotation'], example: 'hand-back' },
  input: z.strictObject({ rotation, who }),
  output: onCallShape,
  run: async (wish, { ports, actor }) =>
    present(await releaseOnCall(ports, wish, actor), actor.timeZone ?? ports.settings.timeZone),
  summary: onCallText,
  shows: { card: 'on_call' },
});

function present(one: OnCall, timeZone: string): z.input<typeof onCallShape> {
  return {
    rotation: one.rotation,
    person: one.person,
    until: iso(one.until),
    until_text: localText(one.until, timeZone),
    instead_of: one.insteadOf,
    next: one.next,
  };
}

function onCallText({ rotation, person, until_text, instead_of, next }: z.input<typeof onCallShape>): string {
  const instead = instead_of ? ` in place of ${called(instead_of)}` : '';
  return `${rotation}: ${called(person)}${instead} until ${until_text}, then ${called(next)}`;
}

function called({ id, name }: Person): string {
  return name === null ? id : `${name} (${id})`;
}
