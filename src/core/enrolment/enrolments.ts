/** Enrolments: which secrets let machines in at the moment, and why one does not. */
import { AppError } from '../errors.ts';
import type { Enrolment } from '../ports/enrolmentPorts.ts';
import type { Ports } from '../ports/ports.ts';

export const ENROLMENT_STATES = ['valid', 'expired', 'full', 'revoked'] as const;
type EnrolmentState = (typeof ENROLMENT_STATES)[number];

export function enrolmentState({ revokedAt, expiresAt, machines, maxMachines }: Enrolment, now: Date): EnrolmentState {
  if (revokedAt !== null) return 'revoked';
  if (expiresAt <= now) return 'expired';
  return machines >= maxMachines ? 'full' : 'valid';
}

/** A full enrolment still lets machines back in that joined by it. @throws AppError `denied` that says why it is not valid */
export function requireUsable(enrolment: Enrolment | null, now: Date): Enrolment {
  const state = enrolment && enrolmentState(enrolment, now);
  if (enrolment && (state === 'valid' || state === 'full')) return enrolment;
  const why = state === 'expired' ? `has expired at ${enrolment?.expiresAt.toISOString()}` : 'was revoked';
  throw new AppError('denied', `This enrolment ${why}. Ask an administrator for a new one.`);
}

/**
 * The enrolment that a secret belongs to, whatever its state; null for any other text.
 */
export async function enrolmentOf(ports: Pick<Ports, 'store' | 'tokens'>, secret: string): Promise<Enrolment | null> {
  return ports.store.enrolments.byDigest(ports.tokens.digest(secret));
}
