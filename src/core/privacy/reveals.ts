/** Reveals: somebody is shown the name behind a pseudonym, for a reason and for a time, and the person hears of it. */
import type { Actor } from '../actor.ts';
import { AppError } from '../errors.ts';
import { notifyPerson } from '../outbox/messages.ts';
import type { Ports } from '../ports/ports.ts';
import type { Reveal } from '../ports/privacyPorts.ts';
import type { Store } from '../ports/storePorts.ts';
import { requireEndpoint } from '../scans/scanning.ts';

export const LONGEST_REVEAL_MINUTES = 480;

type RevealPorts = Pick<Ports, 'store' | 'ids' | 'clock' | 'settings'>;

/** Asks for a reveal; it begins at once unless a second administrator has to agree. */
export async function requestReveal(
  ports: Ports,
  { hostname, reason, minutes }: { hostname: string; reason: string; minutes: number },
  actor: Actor,
): Promise<Reveal> {
  if (!ports.privacy) throw new AppError('refused', 'Names are shown as they are here: DEX_PRIVACY is named.');
  const endpoint = await requireEndpoint(ports, hostname);
  const now = ports.clock.now();
  const reveal: Reveal = {
    id: ports.ids.next(),
    endpointId: endpoint.id,
    hostname: endpoint.hostname,
    ownerEmail: endpoint.ownerEmail,
    requestedBy: actor.id,
    approvedBy: null,
    role: actor.role,
    reason,
    requestedAt: now,
    minutes,
    startsAt: ports.settings.revealNeedsSecond ? null : now,
    endsAt: ports.settings.revealNeedsSecond ? null : endOf(now, minutes),
  };
  await ports.store.transaction(async (store) => {
    await store.reveals.add(reveal);
    if (reveal.startsAt) await reportToPerson(ports, store, reveal);
  });
  return reveal;
}

/** Lets a reveal begin that another administrator asked for. */
export async function approveReveal(ports: Ports, id: string, actor: Actor): Promise<Reveal> {
  const reveal = await requireReveal(ports, id);
  if (reveal.requestedBy === actor.id)
    throw new AppError('denied', 'Whoever asks for a reveal cannot agree to it: another administrator has to.');
  const now = ports.clock.now();
  const begun = { ...reveal, approvedBy: actor.id, startsAt: now, endsAt: endOf(now, reveal.minutes) };
  await ports.store.transaction(async (store) => {
    if (!(await store.reveals.begin(id, actor.id, now, begun.endsAt)))
      throw new AppError('conflict', 'This reveal does not wait any more: it has begun, or was ended.');
    await reportToPerson(ports, store, begun);
  });
  return begun;
}

export async function endReveal(ports: RevealPorts, id: string): Promise<Reveal> {
  const reveal = await requireReveal(ports, id);
  const now = ports.clock.now();
  if (!(await ports.store.reveals.end(id, now))) throw new AppError('conflict', 'This reveal is over already.');
  return { ...reveal, endsAt: now };
}

async function requireReveal({ store }: RevealPorts, id: string): Promise<Reveal> {
  const reveal = await store.reveals.get(id);
  if (!reveal) throw new AppError('not_found', `There is no reveal ${id}.`);
  return reveal;
}

const endOf = (from: Date, minutes: number) => new Date(from.getTime() + minutes * 60_000);

/** Without an owner there is nobody to report to. */
async function reportToPerson(
  ports: RevealPorts,
  store: Store,
  { id, hostname, ownerEmail, role, reason, endsAt }: Reveal,
): Promise<void> {
  if (ownerEmail === null || !endsAt) return;
  const text = `An IT ${role} is shown that ${hostname} is yours until ${endsAt.toISOString().slice(0, 16).replace('T', ' ')} UTC. Reason: ${reason}`;
  await notifyPerson(ports, store, { what: 'privacy_notice', notice_id: id, owner_email: ownerEmail, text });
}
