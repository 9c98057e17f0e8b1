/** Who is behind a mail address in Slack: the people that surveys and questions to owners go to. */
import { webApi } from '@slack/bolt';
import { LRUCache } from 'lru-cache';
import type { PeopleDirectory } from '../../core/ports/feedbackPorts.ts';
import type { Clock, Log } from '../../core/ports/ports.ts';
import type { SlackClient } from './client.ts';

interface Member {
  userId: string;
  /** IANA name. */
  timeZone: string;
}

export interface SlackDirectory extends PeopleDirectory {
  lookup(email: string): Promise<Member | null>;
}

/** A survey looks everybody up twice, and Slack allows about 50 look-ups a minute. */
const REMEMBER_MS = 3_600_000;
const MOST = 5000;

export function createSlackDirectory(client: SlackClient, clock: Clock, log: Log): SlackDirectory {
  const known = new LRUCache<string, Member>({
    max: MOST,
    ttl: REMEMBER_MS,
    ttlResolution: 0,
    perf: { now: () => clock.now().getTime() },
  });
  return {
    async lookup(email) {
      const kept = known.get(email);
      if (kept) return kept;
      const member = await find(email);
      if (!member) {
        log.warn({ email }, 'nobody in Slack has this mail address, so they cannot be asked');
        return null;
      }
      known.set(email, member);
      return member;
    },
  };

  async function find(email: string): Promise<Member | null> {
    try {
      const { user } = await client.users.lookupByEmail({ email });
      if (!user?.id || user.deleted || user.is_bot) return null;
      return { userId: user.id, timeZone: user.tz ?? 'UTC' };
    } catch (error) {
      if (error instanceof webApi.WebAPIPlatformError && error.data.error === 'users_not_found') return null;
      throw error;
    }
  }
}
