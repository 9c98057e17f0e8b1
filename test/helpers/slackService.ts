/** The whole service connected to a Slack of the tests, with otto as its operator unless a test says otherwise. */
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Overrides } from '../../src/app.ts';
import { PROJECT_DIR } from '../../src/projectDir.ts';
import { startTestService, type TestService } from './service.ts';
import { BOT_TOKEN, httpTransport, SIGNING_SECRET, startSlack, type TestSlack, type Transport } from './slack.ts';

export interface SlackService {
  slack: TestSlack;
  service: TestService;
  /** Over HTTP. */
  send: Transport;
  stop(): Promise<void>;
}

interface SlackServiceOptions {
  env?: (slack: TestSlack) => Record<string, string>;
  /** Files that stand in the place of those of `config/`, by name. */
  config?: (slack: TestSlack) => Record<string, string>;
  overrides?: Overrides;
  /** Scopes of the bot's token, where they are not those of the manifest. */
  scopes?: string[] | undefined;
  /** What is set up at Slack before the service starts. */
  prepare?: (slack: TestSlack) => void;
}

/** Starts both; messages go out unpaced, since this Slack limits no rate. */
export async function startSlackService(options: SlackServiceOptions = {}): Promise<SlackService> {
  const slack = await startSlack(options.scopes);
  options.prepare?.(slack);
  const files = Object.entries(options.config?.(slack) ?? {});
  const configDir = files.length > 0 ? mkdtempSync(join(tmpdir(), 'dexops-config-')) : null;
  if (configDir) cpSync(join(PROJECT_DIR, 'config'), configDir, { recursive: true });
  for (const [name, text] of files) writeFileSync(join(configDir ?? '', name), text);
  const service = await startTestService(
    {
      SLACK_BOT_TOKEN: BOT_TOKEN,
      SLACK_SIGNING_SECRET: SIGNING_SECRET,
      SLACK_API_URL: slack.apiUrl,
      SLACK_OPERATORS: slack.users.otto ?? '',
      ...(configDir && { CONFIG_DIR: configDir }),
      ...options.env?.(slack),
    },
    { paced: false, ...options.overrides },
  );
  return {
    slack,
    service,
    send: httpTransport(service.url),
    async stop() {
      await service.stop();
      await slack.close();
      if (configDir) rmSync(configDir, { recursive: true });
    },
  };
}

/** Has `users.lookupByEmail` know people by the name in their address, at work in London. @param more ids by address */
export function knowPeople(slack: TestSlack, more: Record<string, string> = {}): void {
  slack.overrides.set('users.lookupByEmail', ({ email }) => {
    const id = more[String(email)] ?? slack.users[String(email).split('@')[0] ?? ''];
    return { json: id ? { ok: true, user: { id, tz: 'Europe/London' } } : { ok: false, error: 'users_not_found' } };
  });
}
