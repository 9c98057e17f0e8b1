/** What is off is said with what switches it on, by names that the configuration reads. */
import { expect, test } from 'vitest';
import { switchedOff } from '../../src/composition/switchedOff.ts';
import { readConfig } from '../../src/config.ts';

const ON = {
  API_KEY: 'a-key-of-sixteen-characters',
  SLACK_BOT_TOKEN: 'xoxb-1',
  SLACK_APP_TOKEN: 'xapp-1',
  DEX_SELF_HEALING_ENABLED: 'true',
  PUBLIC_URL: 'https://dex.example.com',
  OIDC_ISSUER: 'https://login.example.com',
  OIDC_CLIENT_ID: 'dexops',
  DEX_TICKET_WEBHOOK_URL: 'https://jira.example.com/hook',
  DEX_SURVEY_CRON: '0 8 * * 1',
};

test('nothing is off where all is set', () => {
  expect(switchedOff(readConfig(ON), true)).toEqual([]);
});

test('a service without settings names each part once, and only settings that there are', () => {
  const config = readConfig({});
  const off = switchedOff(config, false);
  expect(off.length).toBe(7);
  const named = off.flatMap(({ by }) => by.match(/\b[A-Z][A-Z0-9]*_[A-Z0-9_]+\b/g) ?? []);
  expect(named.filter((name) => !(name in config))).toEqual([]);
  expect(off.filter(({ by }) => !/[A-Z]_[A-Z]/.test(by))).toEqual([]);
});

test.each(['SLACK_BOT_TOKEN', 'DEX_SELF_HEALING_ENABLED', 'OIDC_CLIENT_ID', 'DEX_TICKET_WEBHOOK_URL'])(
  'without %s one thing is off',
  (name) => {
    const { [name as keyof typeof ON]: _left, ...others } = ON;
    expect(switchedOff(readConfig(others), true)).toHaveLength(1);
  },
);
