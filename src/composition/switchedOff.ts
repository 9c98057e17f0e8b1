/** What a service does not do as it is set up, and what switches it on. */
import type { Config } from '../config.ts';

interface SwitchedOff {
  what: string;
  /** The settings that switch it on. */
  by: string;
}

/** @param hasModel whether there is a language model */
export function switchedOff(config: Config, hasModel: boolean): SwitchedOff[] {
  const parts: [isOn: boolean, what: string, by: string][] = [
    [config.authRequired, 'Other machines getting in', 'API_KEY (openssl rand -hex 24 makes one)'],
    [config.SLACK_BOT_TOKEN !== '', 'Slack', 'SLACK_BOT_TOKEN and SLACK_APP_TOKEN'],
    [hasModel, 'Answers by a language model', 'LLM_PROVIDER and its key, as OPENAI_API_KEY'],
    [config.DEX_SELF_HEALING_ENABLED, 'Repairs', 'DEX_SELF_HEALING_ENABLED=true'],
    [config.OIDC_CLIENT_ID !== '', 'Sign-in by an identity provider', 'OIDC_ISSUER and OIDC_CLIENT_ID'],
    [config.DEX_TICKET_WEBHOOK_URL !== '', 'Tickets', 'DEX_TICKET_WEBHOOK_URL'],
    [config.DEX_SURVEY_CRON !== '', 'Surveys by schedule', 'DEX_SURVEY_CRON'],
  ];
  return parts.filter(([isOn]) => !isOn).map(([, what, by]) => ({ what, by }));
}
