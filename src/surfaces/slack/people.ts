/** Who somebody in Slack is to this service: their role, by user id or user group, and their mail address. */
import type { webApi } from '@slack/bolt';
import { LRUCache } from 'lru-cache';
import type { Actor, Grant, Role } from '../../core/actor.ts';
import { AppError } from '../../core/errors.ts';
import { leastRole, withHighestRole } from '../../core/policy.ts';
import type { Clock, Log } from '../../core/ports/ports.ts';
import type { AnyTool } from '../../core/tool.ts';
import { isTimeZone } from '../../domain/time/localTime.ts';
import { slackProblem } from './cards/problems.ts';

export interface Person {
  id: string;
  name: string;
}

/** Whose somebody is, as their profile says. */
interface Standing {
  /** Ids of the workspaces they belong to; empty where Slack does not say. */
  teams: readonly string[];
  /** False for guests, for strangers met through a shared channel, and for who has left. */
  isFullMember: boolean;
}

export interface SlackPeople {
  actor(person: Person): Promise<Actor>;
  /** How somebody is called in Slack, or their id where it does not say. */
  called(userId: string): Promise<string>;
  /** What Slack knows of whose somebody is; rejects as the Web API does. */
  standing(userId: string): Promise<Standing>;
  /** Rejects with kind `refused` when Slack gives no address, saying why. */
  email(userId: string): Promise<string>;
  /** Who may use a tool, as Slack shows names; null when nobody is named for it. */
  whoMay(tool: AnyTool): string | null;
}

/** Ids of users (U…, W…) and user groups (S…). */
interface Named {
  viewers: readonly string[];
  operators: readonly string[];
  approvers: readonly string[];
}

const REMEMBER_MS = 300_000;
const MOST = 5000;

/** What groups at the identity provider give whoever is signed in there under a mail address. */
export type GrantsOf = (email: string) => Promise<readonly Grant[]>;

export function createSlackPeople(
  client: webApi.WebClient,
  named: Named,
  { clock: { now }, log, grantsOf }: { clock: Clock; log: Log; grantsOf: GrantsOf },
): SlackPeople {
  const members = remembered(now, async (group: string) => {
    const { users } = await client.usergroups.users.list({ usergroup: group });
    return new Set(users);
  });
  const profiles = remembered(now, async (userId: string) => {
    const { user } = await client.users.info({ user: userId });
    const teams = [user?.team_id, ...(user?.enterprise_user?.teams ?? [])].filter((id) => id !== undefined);
    const isFullMember = !(user?.is_stranger || user?.is_restricted || user?.is_ultra_restricted || user?.deleted);
    return {
      email: user?.profile?.email?.toLowerCase() ?? null,
      name: user?.real_name ?? userId,
      timeZone: user?.tz !== undefined && isTimeZone(user.tz) ? user.tz : undefined,
      standing: { teams, isFullMember },
    };
  });

  /** A group that cannot be read has no members: what is not certain gives no rights. */
  async function isAmong(userId: string, ids: readonly string[]): Promise<boolean> {
    if (ids.includes(userId)) return true;
    for (const group of ids.filter((id) => id.startsWith('S'))) {
      try {
        if ((await members(group)).has(userId)) return true;
      } catch (error) {
        log.error({ group, problem: slackProblem(error).message }, 'a Slack user group could not be read');
      }
    }
    return false;
  }

  /** Empty where Slack does not give it, which makes no machine theirs and is no reason to refuse what needs none. */
  const known = (userId: string) =>
    profiles(userId).then(
      ({ email, timeZone }) => ({ email: email ?? undefined, timeZone }),
      () => ({ email: undefined, timeZone: undefined }),
    );

  /** A provider that cannot be asked gives no rights, and takes none that are given here. */
  const fromProvider = (email: string) =>
    grantsOf(email).catch((error: unknown) => {
      log.error({ err: error }, 'the roles of a person at the identity provider could not be read');
      return [];
    });

  const approving: Role = named.approvers.length > 0 ? 'admin' : 'operator';

  return {
    async actor({ id, name }) {
      const isApprover = await isAmong(id, named.approvers);
      const role: Role = isApprover
        ? 'admin'
        : (await isAmong(id, named.operators))
          ? 'operator'
          : (await isAmong(id, named.viewers))
            ? 'viewer'
            : 'employee';
      const { email, timeZone } = await known(id);
      const fromGroups = email === undefined ? [] : await fromProvider(email);
      return withHighestRole({
        id: `slack:${id}`,
        name,
        kind: 'human',
        via: 'slack',
        role,
        ...(email && { email }),
        ...(timeZone && { timeZone }),
        ...(named.approvers.length > 0 && { approver: isApprover }),
        ...(fromGroups.length > 0 && { grants: [{ role, within: null }, ...fromGroups] }),
      });
    },
    called: (userId) =>
      profiles(userId).then(
        ({ name }) => name,
        () => userId,
      ),
    standing: async (userId) => (await profiles(userId)).standing,
    async email(userId) {
      const { email, name } = await profiles(userId).catch((error: unknown) => {
        const { message } = slackProblem(error);
        log.error({ user: userId, problem: message }, 'a Slack profile could not be read');
        throw new AppError('refused', `I could not look that person up. ${message}`);
      });
      if (email) return email;
      throw new AppError(
        'refused',
        `${name} has no mail address in Slack that I may see, so I cannot tell which machine is theirs. Name it by its hostname.`,
      );
    },
    whoMay(tool) {
      const role = tool.approversOnly ? approving : leastRole(tool);
      const ids = [
        ...(role === 'viewer' ? named.viewers : []),
        ...(role === 'viewer' || role === 'operator' ? named.operators : []),
        ...named.approvers,
      ];
      if (role === 'employee' || ids.length === 0) return null;
      return [...new Set(ids)].map((id) => (id.startsWith('S') ? `<!subteam^${id}>` : `<@${id}>`)).join(', ');
    },
  };
}

/** Keeps answers for some minutes; failures are not kept. */
function remembered<T>(now: () => Date, ask: (key: string) => Promise<T>): (key: string) => Promise<T> {
  const kept = new LRUCache<string, Promise<T>>({
    max: MOST,
    ttl: REMEMBER_MS,
    ttlResolution: 0,
    perf: { now: () => now().getTime() },
  });
  return (key) => {
    const found = kept.get(key);
    if (found) return found;
    const answer = ask(key);
    kept.set(key, answer);
    answer.catch(() => kept.delete(key));
    return answer;
  };
}
