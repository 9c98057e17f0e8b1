/** Who is behind an e-mail address, from the Slack workspace. */
import { webApi } from '@slack/bolt';
import type { People } from '../core/feedbackPorts.ts';

export interface SlackPeopleSettings {
  token: string;
  /** Another address of the Web API, ending in /api/; empty means Slack's own. */
  apiUrl: string;
}

const CALL_LIMIT_MS = 15_000;

/** Needs the scopes users:read and users:read.email. Bots and people who left are nobody. */
export function createSlackPeople({ token, apiUrl }: SlackPeopleSettings): People {
  const client = new webApi.WebClient(token, {
    ...(apiUrl && { slackApiUrl: apiUrl }),
    timeout: CALL_LIMIT_MS,
    // A survey is tended every minute; whoever could not be looked up is in the next round.
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
    logLevel: webApi.LogLevel.ERROR,
  });
  return {
    async lookup(email) {
      try {
        const { user } = await client.users.lookupByEmail({ email });
        return !user || user.deleted || user.is_bot ? null : { timeZone: user.tz ?? 'UTC' };
      } catch (error) {
        if (error instanceof webApi.WebAPIPlatformError && error.data.error === 'users_not_found') return null;
        throw error;
      }
    },
  };
}
