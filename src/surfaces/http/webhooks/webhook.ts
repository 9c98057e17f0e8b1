/** A route that another system posts to: counted, limited, authenticated by the shared secret, and answered once its tool has stored the delivery. */
import { createHmac } from 'node:crypto';
import type Router from '@koa/router';
import type { Context } from 'koa';
import type { Actor } from '../../../core/actor.ts';
import { AppError } from '../../../core/errors.ts';
import type { Invoke } from '../../../core/invoke.ts';
import type { Metrics } from '../../../core/ports/ports.ts';
import { basicPassword, bearer, sameSecret } from '../auth.ts';
import { jsonBody } from '../jsonBody.ts';
import { createRouter } from '../router.ts';

/** What all webhooks of a service have in common. */
export interface WebhookOptions {
  /** The tool that takes in what is delivered. */
  tool: string;
  invoke: Invoke;
  metrics: Metrics;
  /** WEBHOOK_SECRET; while a secret is required, an empty one lets nobody in. */
  secret: string;
  required: boolean;
}

/** What one webhook is. */
interface Webhook {
  /** The sender's label in metrics, and its id as an actor. */
  sender: string;
  /** How the sender is called in the audit log. */
  name: string;
  paths: string[];
  /** The largest body, such as `1mb`. */
  bodyLimit: string;
  /** What the sender signs with the secret, and how messages call it. */
  signed: { text(ctx: Context): string; called: string };
  /** Whether the secret may be the password of basic authentication, for senders whose address alone can be configured. */
  takesPassword?: boolean;
  /** @throws AppError when a delivery whose sender is known is refused all the same */
  check?(ctx: Context): void;
  /** What metrics count a delivery as that went well. */
  outcome(output: Record<string, unknown>): string;
}

/** The router of one webhook. A caller without any credential is turned away before its body is read. */
export function webhookRoutes(webhook: Webhook, { tool, invoke, metrics, secret, required }: WebhookOptions): Router {
  const { sender, name, paths, bodyLimit, signed, takesPassword = false, check, outcome } = webhook;
  const actor: Actor = { id: `webhook:${sender}`, name, kind: 'system', via: 'webhook', role: 'operator' };
  const readBody = jsonBody({ limit: bodyLimit, methods: ['POST'], anyKeys: true });
  const router = createRouter();
  router.post(paths, async (ctx: Context) => {
    let counted = 'failed';
    try {
      const password = takesPassword ? basicPassword(ctx.headers) : null;
      if (required) requireCredential(ctx, secret, signed.called, password);
      await readBody(ctx, async () => {
        if (required) checkCredential(ctx, secret, signed.text(ctx), password);
        check?.(ctx);
        const { body } = ctx.request as { body?: unknown };
        const { output } = await invoke(tool, body, actor);
        counted = outcome(output);
        ctx.body = output;
      });
    } catch (error) {
      if (error instanceof AppError) counted = error.kind;
      throw error;
    } finally {
      metrics.webhookDelivered(sender, counted);
    }
  });
  return router;
}

function requireCredential(ctx: Context, secret: string, signed: string, password: string | null): void {
  if (secret === '') {
    throw new AppError('unauthenticated', 'Deliveries are refused while WEBHOOK_SECRET is not set on this service.');
  }
  if (bearer(ctx.headers) === null && ctx.get('X-Webhook-Token') === '' && password === null) {
    throw new AppError(
      'unauthenticated',
      `A delivery needs Authorization: Bearer with the webhook secret, or X-Webhook-Token with the secret or the HMAC-SHA256 of ${signed} in hex.`,
    );
  }
}

/** The secret itself, or what only its holder can make of the signed text; all are compared, so that time says nothing. */
function checkCredential(ctx: Context, secret: string, text: string, password: string | null): void {
  const token = ctx.get('X-Webhook-Token');
  const signature = createHmac('sha256', secret).update(text).digest('hex');
  const accepted = [
    sameSecret(bearer(ctx.headers) ?? '', secret),
    sameSecret(token, secret),
    sameSecret(password ?? '', secret),
    sameSecret(token.replace(/^sha256=/, '').toLowerCase(), signature),
  ];
  if (!accepted.includes(true)) {
    throw new AppError('unauthenticated', 'The webhook secret, or the signature of the delivery, is wrong.');
  }
}
