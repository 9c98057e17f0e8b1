/** Whom a step of an escalation reaches: a person, a user group, whoever is on call, or the machine's owner. */

export type Target =
  | { kind: 'person'; person: Person }
  | { kind: 'group'; id: string }
  | { kind: 'rotation'; name: string }
  | { kind: 'owner' };

/** Somebody by the id of their Slack account or by mail address, with a name where the configuration gives one. */
export interface Person {
  id: string;
  name: string | null;
}

const NAMED = /^(.{1,80}?)\s*<([^<>\s]+)>$/;
const SLACK_USER = /^[UW][A-Z0-9]{2,20}$/;
const SLACK_GROUP = /^S[A-Z0-9]{2,20}$/;
const MAIL = /^[^\s@<>]{1,64}@[^\s@<>]{1,190}$/;

/** `U0123ABCD`, `otto@example.com` or either with a name before it: `Otto Brandt <otto@example.com>`; null for anything else. */
export function readPerson(text: string): Person | null {
  const [, name = null, inner = text.trim()] = NAMED.exec(text.trim()) ?? [];
  if (SLACK_USER.test(inner)) return { id: inner, name };
  return MAIL.test(inner) ? { id: inner.toLowerCase(), name } : null;
}

/** A person, the id of a user group, `rotation:NAME`, or `owner`; null for anything else. */
export function readTarget(text: string): Target | null {
  const written = text.trim();
  if (written === 'owner') return { kind: 'owner' };
  if (written.startsWith('rotation:')) return { kind: 'rotation', name: written.slice('rotation:'.length).trim() };
  if (SLACK_GROUP.test(written)) return { kind: 'group', id: written };
  const person = readPerson(written);
  return person && { kind: 'person', person };
}
