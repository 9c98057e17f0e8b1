/** Sign-in of a command line: the person answers in a browser, with a code, while the command line asks whether it is done. */
import type Router from '@koa/router';
import { z } from 'zod';
import { visibleLine } from '../../../core/characters.ts';
import { AppError } from '../../../core/errors.ts';
import type { SignInSessions } from '../../../core/people/signInSessions.ts';
import type { Sealer, SignInProvider } from '../../../core/ports/identityPorts.ts';
import type { RateLimit } from '../rateLimit.ts';
import { createRouter } from '../router.ts';

interface DeviceSignInOptions {
  provider: SignInProvider;
  sessions: SignInSessions;
  sealer: Sealer;
  /** By address for a new code, by the code for questions whether it is done: each is a question to the provider. */
  rateLimit: RateLimit;
}

const answer = z.strictObject({
  /** What the first answer called `device`. */
  device: z.string().max(4000),
  client: z.string().trim().min(1).max(100),
});

export function deviceSignInRoutes({ provider, sessions, sealer, rateLimit }: DeviceSignInOptions): Router {
  const router = createRouter();
  router.post('/session/device', async (ctx) => {
    rateLimit.take(ctx.ip);
    const asked = await provider.beginDevice();
    ctx.status = 201;
    ctx.body = {
      // The command line keeps it for the service, and cannot use it at the provider.
      device: sealer.seal(asked.deviceCode),
      user_code: asked.userCode,
      address: asked.address,
      complete_address: asked.completeAddress,
      expires_in_s: asked.expiresInS,
      interval_s: asked.intervalS,
    };
  });

  /** 202 while the person has not answered, 201 with the session's token once. */
  router.post('/session/device/answer', async (ctx) => {
    const given = answer.safeParse((ctx.request as { body?: unknown }).body);
    const deviceCode = given.success ? sealer.open(given.data.device) : null;
    if (!given.success || deviceCode === null)
      throw new AppError('invalid', 'Send {"device", "client"} with the device of POST /session/device.');
    rateLimit.take(deviceCode);
    const person = await provider.completeDevice(deviceCode);
    if (person === null) {
      ctx.status = 202;
      ctx.body = { pending: true };
      return;
    }
    const { token, expiresAt } = await sessions.open(person, {
      channel: 'cli',
      client: visibleLine(given.data.client),
    });
    ctx.status = 201;
    ctx.body = { token, name: person.name, expires_at: expiresAt.toISOString() };
  });
  return router;
}
