/** What the audit leaves out, where it would say what the call itself keeps apart. */
import type { AuditEntry } from '../ports/storePorts.ts';

export const ANONYMOUS = 'anonymous';

/** Leaves nothing that leads to the caller or the input: a digest of few possible inputs can be guessed, a time be matched. */
export function withoutCaller({ at, tool, outcome }: AuditEntry): AuditEntry {
  return {
    at: new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate())),
    actor: ANONYMOUS,
    actorKind: ANONYMOUS,
    via: ANONYMOUS,
    role: ANONYMOUS,
    tool,
    inputDigest: '',
    subject: null,
    outcome,
    error: null,
    durationMs: 0,
  };
}

/** Of a call that took a real name: read beside it, the pseudonym of its subject would say whose that is. */
export function withoutMachine(entry: AuditEntry): AuditEntry {
  return { ...entry, subject: null, error: entry.error?.split(':', 1)[0] ?? null };
}
