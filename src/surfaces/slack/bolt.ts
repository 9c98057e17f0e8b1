/** How Bolt and its Web API client are set up here: few retries, and log lines that are ours. */
import { type Logger, LogLevel, type webApi } from '@slack/bolt';
import type { Log } from '../../core/ports/ports.ts';

const CALL_LIMIT_MS = 10_000;

/** Options of every Web API client: few retries, so that nobody waits for minutes. */
export function webClientOptions(apiUrl: string, log: Log): webApi.WebClientOptions {
  return {
    ...(apiUrl && { slackApiUrl: apiUrl }),
    logger: boltLogger(log),
    timeout: CALL_LIMIT_MS,
    retryConfig: { retries: 1, minTimeout: 200, maxTimeout: 1000 },
  };
}

/** Bolt's log lines in ours; its chatter about each request is for debugging. */
export function boltLogger(log: Log): Logger {
  const line = (parts: unknown[]) =>
    parts.map((part) => (part instanceof Error ? part.message : String(part))).join(' ');
  return {
    debug: () => {},
    info: (...parts) => log.debug({}, line(parts)),
    warn: (...parts) => log.warn({}, line(parts)),
    error: (...parts) => log.error({}, line(parts)),
    setLevel: () => {},
    getLevel: () => LogLevel.INFO,
    setName: () => {},
  };
}
