/** Slack's refusals by their code: whether trying again helps, and what a person does about them. */
import { webApi } from '@slack/bolt';

interface SlackProblem {
  /** Slack's own code, or `unreachable`. */
  code: string;
  message: string;
  /** How long Slack asks to wait; null when it does not say. */
  retryAfterMs: number | null;
  /**
   * `passing`: Slack takes nothing now; `setup`: it takes nothing until a person acts; `message`: it never takes this
   * message as it is; `unclear`: this message failed, which says nothing of others.
   */
  kind: 'passing' | 'setup' | 'message' | 'unclear';
}

const REINSTALL =
  'add it under "OAuth & Permissions" of the app, or paste config/slack-manifest.json, and install the app again';

const FIXES: Record<string, string> = {
  is_archived: 'The channel is archived: unarchive it, or set SLACK_ALERT_CHANNEL to another.',
  channel_not_found:
    'The channel does not exist, or it is private and the app is not in it: check SLACK_ALERT_CHANNEL, or invite the app.',
  not_in_channel: 'The app is not in the channel: type /invite @DexOps there.',
  restricted_action: 'The workspace does not let apps post in this channel: ask its owner.',
  message_not_found: 'The message was deleted.',
  cant_update_message: 'The message was written by another app; a new one is posted instead.',
  edit_window_closed: 'The workspace does not let old messages be edited; a new one is posted instead.',
  invalid_auth: 'The token is not valid: copy SLACK_BOT_TOKEN again from "OAuth & Permissions".',
  account_inactive: 'The app was removed from the workspace: install it again and set the new SLACK_BOT_TOKEN.',
  token_revoked: 'The token was revoked: install the app again and set the new SLACK_BOT_TOKEN.',
  not_allowed_token_type: 'This is not a bot token: SLACK_BOT_TOKEN begins with xoxb-.',
};

const PASSING = new Set(['internal_error', 'fatal_error', 'service_unavailable', 'request_timeout', 'ratelimited']);
/** The app itself is refused, so that no message gets out. */
const SETUP = new Set([
  'not_authed',
  'invalid_auth',
  'account_inactive',
  'token_revoked',
  'token_expired',
  'missing_scope',
  'no_permission',
  'not_allowed_token_type',
  'org_login_required',
  'ekm_access_denied',
  'access_denied',
  'accesslimited',
  'team_access_not_granted',
]);
/** The content, or the one place that it is for. */
const UNSENDABLE = new Set([
  'channel_not_found',
  'is_archived',
  'not_in_channel',
  'restricted_action',
  'restricted_action_read_only_channel',
  'restricted_action_thread_only_channel',
  'user_not_found',
  'user_disabled',
  'cannot_dm_bot',
  'messages_tab_disabled',
  'invalid_blocks',
  'invalid_blocks_format',
  'msg_too_long',
  'msg_blocks_too_long',
  'no_text',
  'invalid_arguments',
]);

export function slackProblem(error: unknown): SlackProblem {
  if (error instanceof webApi.WebAPIRateLimitedError) {
    const message = `Slack asks to wait ${error.retryAfter} s.`;
    return { code: 'ratelimited', message, retryAfterMs: error.retryAfter * 1000, kind: 'passing' };
  }
  if (error instanceof webApi.WebAPIPlatformError) {
    const { error: code, ...data } = error.data;
    return { code, message: fixOf(code, data), retryAfterMs: null, kind: kindOf(code) };
  }
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof webApi.WebAPIRequestError || error instanceof webApi.WebAPIHTTPError) {
    return {
      code: 'unreachable',
      message: `Slack could not be reached: ${message}`,
      retryAfterMs: null,
      kind: 'passing',
    };
  }
  return { code: 'failed', message: `It could not be sent: ${message}`, retryAfterMs: null, kind: 'unclear' };
}

function kindOf(code: string): SlackProblem['kind'] {
  if (PASSING.has(code)) return 'passing';
  if (SETUP.has(code)) return 'setup';
  return UNSENDABLE.has(code) ? 'message' : 'unclear';
}

function fixOf(code: string, data: object): string {
  if (code === 'missing_scope') {
    const needed = 'needed' in data ? String(data.needed) : 'a scope';
    return `The app lacks the scope ${needed}: ${REINSTALL}.`;
  }
  return FIXES[code] ?? `Slack refused: ${code}.`;
}
