/** What a call is about, and whose that is: finders for the declarations of tools. */
import type { Endpoint } from '../domain/fleet/endpoint.ts';
import type { Actor } from './actor.ts';
import type { Ports } from './ports/ports.ts';

export interface Subject {
  /** The machine it is, or is about; null for what belongs to no machine. */
  endpoint: Endpoint | null;
  /** Whose it is: ids of actors and mail addresses in lower case. */
  owners: readonly string[];
}

/** Whether a subject is this actor's own: asked for by them, or registered under the mail address that their interface vouches for. */
export function isOwn(subject: Subject, actor: Actor): boolean {
  return (
    subject.owners.includes(actor.id) ||
    (actor.email !== undefined && subject.owners.includes(actor.email.toLowerCase()))
  );
}

/** The machine of this name. */
export async function machineSubject(
  { hostname }: { hostname?: string | null },
  { store }: Pick<Ports, 'store'>,
): Promise<Subject | null> {
  const endpoint = hostname ? await store.endpoints.get(hostname) : null;
  return endpoint && { endpoint, owners: endpoint.ownerEmail === null ? [] : [endpoint.ownerEmail.toLowerCase()] };
}

/** The machine that has this alert. */
export async function alertSubject(
  { alert_id }: { alert_id: number },
  { store }: Pick<Ports, 'store'>,
): Promise<Subject | null> {
  return machineSubject({ hostname: (await store.alerts.get(alert_id))?.hostname }, { store });
}

/** A run belongs to whoever asked for it. */
export async function runSubject(
  { run_id }: { run_id: string },
  { store }: Pick<Ports, 'store'>,
): Promise<Subject | null> {
  const run = await store.runs.get(run_id);
  if (!run) return null;
  const machine = run.hostname === null ? null : await store.endpoints.get(run.hostname);
  return { endpoint: machine, owners: [run.requestedBy] };
}

/** Whatever is registered under this mail address. */
export async function personSubject({ owner_email }: { owner_email?: string }): Promise<Subject | null> {
  return owner_email === undefined ? null : { endpoint: null, owners: [owner_email.toLowerCase()] };
}
