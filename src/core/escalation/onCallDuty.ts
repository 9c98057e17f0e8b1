/** Who is on call now, and standing in for whoever is. */
import { type OnCall, type OnCallOverride, onCallAt, type Rotation } from '../../domain/escalation/onCall.ts';
import { type Person, readPerson } from '../../domain/escalation/target.ts';
import { readUntil } from '../../domain/time/until.ts';
import type { Actor } from '../actor.ts';
import { didYouMean } from '../commands/didYouMean.ts';
import { AppError } from '../errors.ts';
import type { Ports } from '../ports/ports.ts';
import { zoneOf } from './escalating.ts';

/** Longer is no override but another rotation. */
const MOST_MS = 31 * 86_400_000;

/** All rotations, or the one named. @throws AppError `not_found` when there is none of this name */
export async function whoIsOnCall(ports: Ports, rotation?: string): Promise<OnCall[]> {
  const rules = ports.escalation.current();
  const rotations = rotation === undefined ? [...rules.rotations.values()] : [requireRotation(ports, rotation)];
  const now = ports.clock.now();
  const overrides = await ports.store.onCall.standing(now);
  return rotations.map((one) => onCallAt(one, overrides, now, zoneOf(rules, ports)));
}

/**
 * Puts somebody in the place of whoever is on call.
 *
 * @param who a Slack id or a mail address; absent for the actor
 * @throws AppError `invalid` when the time or the person cannot be read, `not_found` without such a rotation
 */
export async function takeOnCall(
  ports: Ports,
  { rotation, until, who }: { rotation?: string | undefined; until: string; who?: string | undefined },
  actor: Actor,
): Promise<OnCall> {
  const { name } = requireRotation(ports, rotation);
  const now = ports.clock.now();
  const timeZone = actor.timeZone ?? zoneOf(ports.escalation.current(), ports);
  const end = readUntil(until, now, timeZone);
  if (end.kind === 'cleared')
    throw new AppError('invalid', 'until: an override needs a time, as "8:00" or "tomorrow 9:00".');
  if (end.kind === 'unreadable') throw new AppError('invalid', `until: ${end.reason}.`);
  if (end.at.getTime() - now.getTime() > MOST_MS)
    throw new AppError(
      'invalid',
      'until: at most 31 days ahead; change the rotation in config/escalation.yaml instead.',
    );
  const override: OnCallOverride = {
    id: ports.ids.next(),
    rotation: name,
    person: personMeant(who, actor),
    from: now,
    until: end.at,
    setBy: actor.id,
  };
  await ports.store.onCall.add(override);
  return (await whoIsOnCall(ports, name))[0] as OnCall;
}

/** Ends a person's overrides, so that the rotation holds again. @throws AppError `conflict` when they stand in for nobody */
export async function releaseOnCall(
  ports: Ports,
  { rotation, who }: { rotation?: string | undefined; who?: string | undefined },
  actor: Actor,
): Promise<OnCall> {
  const { name } = requireRotation(ports, rotation);
  const { id } = personMeant(who, actor);
  const ended = await ports.store.onCall.end(name, id, ports.clock.now());
  if (ended === 0) throw new AppError('conflict', `${who ?? actor.name} stands in for nobody in ${name}.`);
  return (await whoIsOnCall(ports, name))[0] as OnCall;
}

function personMeant(who: string | undefined, actor: Actor): Person {
  if (who !== undefined) {
    const mentioned = /^<@([UW][A-Z0-9]+)(?:\|[^>]*)?>$/.exec(who.trim())?.[1];
    const person = readPerson(mentioned ?? who);
    if (person) return person;
    throw new AppError('invalid', `who: "${who}" is nobody; give a Slack user id or a mail address.`);
  }
  const slackId = /^slack:([UW][A-Z0-9]+)$/.exec(actor.id)?.[1];
  const own = slackId ?? actor.email;
  if (own !== undefined) return { id: own, name: actor.name };
  throw new AppError(
    'invalid',
    'who: say for whom, by Slack user id or mail address; this key is nobody in particular.',
  );
}

function requireRotation(ports: Ports, named: string | undefined): Rotation {
  const { rotations } = ports.escalation.current();
  const names = [...rotations.keys()];
  if (names.length === 0)
    throw new AppError('not_found', 'No rotation is set up; config/escalation.yaml says how to add one.');
  const name = named ?? (names.length === 1 ? names[0] : undefined);
  if (name === undefined) throw new AppError('invalid', `rotation: which one? There are ${names.join(', ')}.`);
  const found = rotations.get(name.toLowerCase());
  if (found) return found;
  const [nearest] = didYouMean(name, names);
  throw new AppError(
    'not_found',
    `There is no rotation ${name}. ${nearest ? `Did you mean ${nearest}?` : `There are ${names.join(', ')}.`}`,
  );
}
