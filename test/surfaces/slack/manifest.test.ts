/** The manifests ask Slack for exactly what the code uses. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SLACK_PATH } from '../../../src/surfaces/slack/app.ts';
import { COMMAND } from '../../../src/surfaces/slack/commands/command.ts';
import { EVENTS, SHORTCUTS } from '../../../src/surfaces/slack/listeners.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const manifest = (name: string) => JSON.parse(read(`config/${name}`));

const CODE = [
  ...['src/surfaces/slack', 'src/adapters/slack'].flatMap((dir) =>
    readdirSync(join(ROOT, dir), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => `${dir}/${name}`),
  ),
].map(read);

/** Scopes of the bot token by Web API method (docs.slack.dev/reference/methods). */
const SCOPES: Record<string, string[]> = {
  'assistant.threads.setStatus': ['assistant:write'],
  'assistant.threads.setSuggestedPrompts': ['assistant:write'],
  'assistant.threads.setTitle': ['assistant:write'],
  'auth.test': [],
  'chat.appendStream': ['chat:write'],
  'chat.postMessage': ['chat:write'],
  'chat.startStream': ['chat:write'],
  'chat.stopStream': ['chat:write'],
  'chat.unfurl': ['links:write'],
  'chat.update': ['chat:write'],
  'files.info': ['files:read'],
  filesUploadV2: ['files:write'],
  'usergroups.users.list': ['usergroups:read'],
  'users.lookupByEmail': ['users:read', 'users:read.email'],
  'users.info': ['users:read', 'users:read.email'],
  'views.open': [],
  'views.publish': [],
};

/** Scopes by event (docs.slack.dev/reference/events). */
const EVENT_SCOPES: Record<string, string[]> = {
  app_home_opened: [],
  app_mention: ['app_mentions:read'],
  assistant_thread_started: ['assistant:write'],
  link_shared: ['links:read'],
  'message.im': ['im:history'],
};

const METHODS = new Set(
  CODE.flatMap((text) =>
    [...text.matchAll(/\bclient\s*\.((?:\w+\s*\.\s*)*\w+)\(/g)].map((match) => match[1]!.replace(/\s/g, '')),
  ),
);

describe.each(['slack-manifest.json', 'slack-manifest-http.json'])('%s', (name) => {
  const { features, oauth_config, settings } = manifest(name);

  it('has the shortcuts that are answered', () => {
    const ids = features.shortcuts.map(({ callback_id }: { callback_id: string }) => callback_id);
    expect(ids.toSorted()).toEqual(Object.values(SHORTCUTS).toSorted());
  });

  it('asks for the scopes of the methods that are called, and no more', () => {
    expect([...METHODS].filter((method) => !(method in SCOPES))).toEqual([]);
    const needed = new Set([
      'commands',
      ...[...METHODS].flatMap((method) => SCOPES[method] ?? []),
      ...EVENTS.flatMap((event) => EVENT_SCOPES[event] ?? ['(unknown)']),
    ]);
    expect(METHODS.size).toBeGreaterThan(5);
    expect(oauth_config.scopes.bot.toSorted()).toEqual([...needed].toSorted());
  });

  it('names the command, the events and the Home tab that the code listens to', () => {
    expect(features.slash_commands.map(({ command }: any) => command)).toEqual([COMMAND]);
    // Mentions reach the code as ids only when Slack escapes them.
    expect(features.slash_commands[0].should_escape).toBe(true);
    expect(settings.event_subscriptions.bot_events).toEqual([...EVENTS]);
    const listened = CODE.flatMap((text) => [...text.matchAll(/bolt\.event\('(\w+)'/g)].map((match) => match[1]));
    // Of messages only those of one kind of place are asked for.
    expect(listened.toSorted()).toEqual(EVENTS.map((event) => event.split('.')[0]).toSorted());
    expect(features.app_home.home_tab_enabled).toBe(true);
    // Of other domains Slack reports no links.
    expect(features.unfurl_domains).toHaveLength(1);
    // Slack grants assistant:write only with this view.
    expect(features.agent_view.suggested_prompts.length).toBeGreaterThan(1);
    expect(features.app_home.messages_tab_read_only_enabled).toBe(false);
    expect(settings.interactivity.is_enabled).toBe(true);
  });

  it('reaches the app the way it says', () => {
    const urls = [
      features.slash_commands[0].url,
      settings.event_subscriptions.request_url,
      settings.interactivity.request_url,
    ];
    const socket = name === 'slack-manifest.json';
    expect(settings.socket_mode_enabled).toBe(socket);
    for (const url of urls) expect(url && new URL(url).pathname).toBe(socket ? undefined : SLACK_PATH);
  });
});
