/** The systems outside that the configuration connects, and what each of them gets. */
import { PAGERDUTY_EVENTS_URL } from '../adapters/alertReceivers.ts';
import type { Config } from '../config.ts';
import type { OutsideRecipient } from '../core/ports/ports.ts';

/** Only what is set up: a system that is not named here gets nothing. */
export function recipientsOf(config: Config): OutsideRecipient[] {
  const model = modelHost(config);
  return [
    ...(model === null
      ? []
      : [
          {
            kind: 'model' as const,
            name: `Model provider (${config.LLM_PROVIDER})`,
            where: model,
            gets: 'the question, the rules of the agent, the descriptions of its tools, and what the tools it calls answer',
            purpose: 'Answers questions about machines.',
          },
        ]),
    ...(config.SLACK_BOT_TOKEN === ''
      ? []
      : [
          {
            kind: 'slack' as const,
            name: 'Slack',
            where: hostOf(config.SLACK_API_URL) ?? 'slack.com',
            gets: 'alerts, approvals, answers to questions, survey invitations and messages to the people concerned',
            purpose: 'Reaches IT staff and employees where they work.',
          },
        ]),
    ...outside(
      'Ticket system',
      config.DEX_TICKET_WEBHOOK_URL,
      'alerts that a person has to look after',
      'Opens and closes tickets.',
      'tickets',
    ),
    ...(config.PAGERDUTY_ROUTING_KEY === ''
      ? []
      : outside(
          'PagerDuty',
          config.PAGERDUTY_EVENTS_URL || PAGERDUTY_EVENTS_URL,
          'alerts of the chosen severities',
          'Calls the person on duty.',
        )),
    ...outside('Alert webhook', config.ALERT_WEBHOOK_URL, 'every change of an alert', 'Hands alerts on.'),
    ...outside(
      'Identity provider',
      config.OIDC_ISSUER,
      'who signs in, and when',
      'Says who somebody is and in which groups.',
    ),
    ...outside(
      'Trace collector',
      config.OTEL_EXPORTER_OTLP_ENDPOINT,
      'how long calls took, without inputs and answers',
      'Finds what is slow in the service.',
    ),
  ];
}

/** Null while no model is connected. */
function modelHost(config: Config): string | null {
  switch (config.LLM_PROVIDER) {
    case '':
      return null;
    case 'openai':
      if (config.OPENAI_API_KEY === '' && config.OPENAI_BASE_URL === '') return null;
      return hostOf(config.OPENAI_BASE_URL) ?? 'api.openai.com';
    case 'anthropic':
      return config.ANTHROPIC_API_KEY === '' ? null : (hostOf(config.ANTHROPIC_BASE_URL) ?? 'api.anthropic.com');
    case 'bedrock':
      return config.AWS_REGION === ''
        ? null
        : (hostOf(config.BEDROCK_ENDPOINT_URL) ?? `AWS Bedrock in ${config.AWS_REGION}`);
    case 'ollama':
      return config.LLM_MODEL === '' ? null : hostOf(config.OLLAMA_URL);
  }
}

function outside(
  name: string,
  url: string,
  gets: string,
  purpose: string,
  kind: OutsideRecipient['kind'] = 'other',
): OutsideRecipient[] {
  const where = hostOf(url);
  return where === null ? [] : [{ kind, name, where, gets, purpose }];
}

function hostOf(url: string): string | null {
  return URL.parse(url)?.host ?? null;
}
