/**
 * Messages to people besides the notifications about alerts: what each is about is its subject and its payload, how it looks is the
 * messenger's business. All are of kind `changed`, so that a digest of new alerts never swallows one.
 */
import type { OutboxMessage } from '../../domain/outbox.ts';
import type { Ports } from '../ports/ports.ts';
import type { Store } from '../ports/storePorts.ts';

/** Payloads by `what`. Ids are to be read again when the message is sent: the payload only says what to look at. */
type PeopleMessage =
  /** Subject `approval:ID`: asked for, answered or ended; one card, edited in place (list_approvals has its plan). */
  | { what: 'approval'; approval_id: string; status: string; reminder?: true }
  /** Subject `fix_check:ID`: a direct message to the owner, "Did that fix it?", answered by answer_fix_check. */
  | { what: 'fix_check'; remediation_id: string; alert_id: number; hostname: string; owner_email: string }
  /** Subject `privacy_notice:ID`: a direct message to the very person whom it is about. */
  | { what: 'privacy_notice'; notice_id: string; owner_email: string; text: string }
  /** Subject `escalation:KEY`: mentions people where alerts or approvals (subjects) wait for an answer. */
  | ({ what: 'escalation' } & Escalation)
  /** Subject `direct:KEY`: writes to one person about the same. */
  | ({ what: 'direct' } & Escalation)
  /** Subject `report:DAY`: the report of the last days, for the channel. */
  | { what: 'report'; days: number }
  /** Subject `notice:KEY`: one sentence for the channel. */
  | { what: 'notice'; text: string };

interface Escalation {
  /** `alert:42`, `approval:ID`. */
  subjects: string[];
  policy: string;
  began_at: string;
  steps_done: number;
  /** Ids of users and user groups, or mail addresses. */
  people: string[];
}

/** Hands a notification to every messenger that serves people, inside the transaction of what it reports on. */
export async function notifyPeople(ports: Ports, store: Store, message: PeopleMessage): Promise<void> {
  const now = ports.clock.now();
  await store.outbox.add(
    ports.settings.alertMessengers.map((messenger) => outboxMessage(messenger, message, ports.ids.next())),
    now,
  );
}

/** Hands a message for one person to Slack, which alone reaches people; nothing where it is not connected. */
export async function notifyPerson(
  ports: Pick<Ports, 'settings' | 'ids' | 'clock'>,
  store: Store,
  message: Extract<PeopleMessage, { what: 'privacy_notice' }>,
): Promise<void> {
  if (!ports.settings.alertMessengers.includes('slack')) return;
  await store.outbox.add([outboxMessage('slack', message, ports.ids.next())], ports.clock.now());
}

/** Posts to the channel once, however often the same thing is noticed. @param key what makes it the same */
export async function notice(ports: Ports, key: string, text: string): Promise<void> {
  for (const messenger of ports.settings.alertMessengers) {
    const message = outboxMessage(messenger, { what: 'notice', text }, `notice:${messenger}:${key}`);
    await ports.store.outbox.addOnce({ ...message, subject: `notice:${key}` }, ports.clock.now());
  }
}

/** Posts the report of the last days to the channel. @param day on which it is posted, once */
export async function postReport(ports: Ports, day: string, days: number): Promise<void> {
  for (const messenger of ports.settings.alertMessengers) {
    const message = outboxMessage(messenger, { what: 'report', days }, `report:${messenger}:${day}`);
    await ports.store.outbox.addOnce({ ...message, subject: `report:${day}` }, ports.clock.now());
  }
}

/** Reminds people once that an approval will expire. */
export async function remind(ports: Ports, approvalId: string): Promise<void> {
  for (const messenger of ports.settings.alertMessengers) {
    const about = { what: 'approval', approval_id: approvalId, status: 'pending', reminder: true } as const;
    const message = outboxMessage(messenger, about, `reminder:${messenger}:${approvalId}`);
    await ports.store.outbox.addOnce(message, ports.clock.now());
  }
}

function outboxMessage(messenger: string, message: PeopleMessage, idempotencyKey: string): OutboxMessage {
  return {
    messenger,
    kind: 'changed',
    subject: subjectOf(message, idempotencyKey),
    idempotencyKey,
    payload: { ...message },
  };
}

function subjectOf(message: PeopleMessage, key: string): string {
  if (message.what === 'approval') return `approval:${message.approval_id}`;
  if (message.what === 'privacy_notice') return `privacy_notice:${message.notice_id}`;
  if (message.what === 'escalation' || message.what === 'direct') return `${message.what}:${key}`;
  return message.what === 'fix_check' ? `fix_check:${message.remediation_id}` : `notice:${key}`;
}
