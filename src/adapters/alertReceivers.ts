/** Carries how alerts move to systems that call people: PagerDuty (Events API v2) and any receiver of signed webhooks. */
import { createHmac } from 'node:crypto';
import { AppError } from '../core/errors.ts';
import type { DeliveryOutcome, Messenger } from '../core/ports/messagePorts.ts';
import type { Delivery } from '../domain/outbox.ts';

/** An alert as the wire has it; null when it is gone. */
type ReadAlert = (alertId: number) => Promise<AlertFacts>;

/** What is passed on of an alert; the wire shape has more. */
export interface AlertFacts extends Record<string, unknown> {
  id: number;
  hostname: string;
  alert_name: string;
  severity: string;
  message: string;
  status: string;
  created_at: string;
}

interface PagerDuty {
  /** Of the service that is called. */
  routingKey: string;
  /** Where events are sent. */
  url: string;
  /** Severities that call somebody. */
  severities: readonly string[];
  readAlert: ReadAlert;
}

interface AlertWebhook {
  url: string;
  /** Signs what is sent; empty: not signed. */
  secret: string;
  readAlert: ReadAlert;
  nowMs(): number;
}

export const PAGERDUTY_EVENTS_URL = 'https://events.pagerduty.com/v2/enqueue';

const ANSWER_LIMIT_MS = 15_000;
/** PagerDuty takes 960 events a minute of one key; a webhook's receiver says itself when it is too fast. */
const PACE_MS = 100;
/** PagerDuty's limit of a summary. */
const MAX_SUMMARY_CHARS = 1024;

/** The actions of the Events API v2, by what an alert's status means to somebody who was called. */
const ACTIONS: Record<string, 'acknowledge' | 'resolve'> = { acknowledged: 'acknowledge', resolved: 'resolve' };

export function createPagerDuty({ routingKey, url, severities, readAlert }: PagerDuty): Messenger {
  return {
    name: 'pagerduty',
    paceMs: PACE_MS,
    async deliver(delivery) {
      const alert = await alertOf(delivery, readAlert);
      if (!alert || !severities.includes(alert.severity)) return { outcome: 'delivered' };
      const event = {
        routing_key: routingKey,
        event_action: ACTIONS[alert.status] ?? 'trigger',
        dedup_key: `dexops-alert-${alert.id}`,
        client: 'DexOps',
        payload: {
          summary: `${alert.alert_name} on ${alert.hostname}: ${alert.message}`.slice(0, MAX_SUMMARY_CHARS),
          source: alert.hostname,
          severity: alert.severity,
          timestamp: alert.created_at,
          class: alert.alert_name,
          custom_details: { alert_id: alert.id, status: alert.status, message: alert.message },
        },
      };
      return send('PagerDuty', url, JSON.stringify(event), { 'Idempotency-Key': delivery.idempotencyKey });
    },
  };
}

/** Signed as the tickets are: HMAC-SHA256 of `timestamp.body` with the shared secret. */
export function createAlertWebhook({ url, secret, readAlert, nowMs }: AlertWebhook): Messenger {
  return {
    name: 'alert_webhook',
    paceMs: PACE_MS,
    async deliver(delivery) {
      const alert = await alertOf(delivery, readAlert);
      if (!alert) return { outcome: 'delivered' };
      const moves = delivery.messages.map(({ payload: { from, to, why } }) => ({ from, to, why }));
      const body = JSON.stringify({ event: 'alert', alert, moves });
      const timestamp = String(Math.floor(nowMs() / 1000));
      const signature = createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex');
      return send('the alert webhook', url, body, {
        'Idempotency-Key': delivery.idempotencyKey,
        ...(secret !== '' && { 'X-DexOps-Timestamp': timestamp, 'X-DexOps-Signature': `sha256=${signature}` }),
      });
    },
  };
}

/** The alert that a delivery is about, as it stands now; null for what is about no alert, or about one that is gone. */
async function alertOf({ messages }: Delivery, readAlert: ReadAlert): Promise<AlertFacts | null> {
  const id = /^alert:(\d+)$/.exec(messages[0]?.subject ?? '')?.[1];
  if (id === undefined) return null;
  return readAlert(Number(id)).catch((error: unknown) => {
    if (error instanceof AppError && error.kind === 'not_found') return null;
    throw error;
  });
}

async function send(
  system: string,
  url: string,
  body: string,
  headers: Record<string, string>,
): Promise<DeliveryOutcome> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      body,
      headers: { 'Content-Type': 'application/json', 'User-Agent': 'DexOps', ...headers },
      // A key must not follow to another address.
      redirect: 'manual',
      signal: AbortSignal.timeout(ANSWER_LIMIT_MS),
    });
    await response.body?.cancel();
    return judge(system, response);
  } catch (error) {
    const { message, cause } = error as Error;
    return {
      outcome: 'later',
      reason: `${system} cannot be reached: ${cause instanceof Error ? cause.message : message}`,
    };
  }
}

/** 400 and its kin say that this event is wrong; everything else may pass. */
function judge(system: string, { status, headers }: Response): DeliveryOutcome {
  if (status >= 200 && status < 300) return { outcome: 'delivered' };
  const reason = `${system} answered ${status}`;
  if ([400, 413, 422].includes(status)) return { outcome: 'refused', reason };
  const seconds = Number(headers.get('retry-after') ?? Number.NaN);
  return { outcome: 'later', reason, ...(seconds > 0 && { afterMs: Math.min(seconds, 3600) * 1000 }) };
}
