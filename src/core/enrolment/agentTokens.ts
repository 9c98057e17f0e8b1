/** The tokens by which agents report: whose one is, how it is renewed, and how it ends. */
import type { Endpoint } from '../../domain/fleet/endpoint.ts';
import { canonicalMachineId } from '../../domain/fleet/enrolment.ts';
import { gathered } from '../concurrency/gathered.ts';
import { AppError } from '../errors.ts';
import type { Ports } from '../ports/ports.ts';

/** An agent renews its token when it is this old. Milliseconds. */
export const RENEW_TOKEN_AFTER_MS = 7 * 86_400_000;

/** For how long the token before is still taken: the answer with the new one may have been lost. Milliseconds. */
const PREVIOUS_VALID_MS = 86_400_000;

/** Tokens looked up in one statement. */
const MOST_TOGETHER = 200;

/** Finds the endpoint whose agent has a token; null for any other token. Tokens that are asked for together are looked up together. */
export function createTokenLookup(
  ports: Pick<Ports, 'store' | 'tokens' | 'clock'>,
): (token: string) => Promise<Endpoint | null> {
  const { store, tokens, clock } = ports;
  const current = gathered(async (digests: string[]) => {
    const found = await store.endpoints.byAgentTokens([...new Set(digests)]);
    return digests.map((digest) => found.get(digest) ?? null);
  }, MOST_TOGETHER);
  return async (token) => {
    const digest = tokens.digest(token);
    const endpoint = await current(digest);
    if (endpoint) return endpoint;
    const id = await store.agents.byPreviousToken(digest, new Date(clock.now().getTime() - PREVIOUS_VALID_MS));
    const [previous] = id === null ? [] : await store.endpoints.byIds([id]);
    return previous && previous.deregisteredAt === null ? previous : null;
  };
}

/**
 * Gives the endpoint's agent a new token; the one before is taken for a day more.
 * @throws AppError `denied` when the machine is not the one that enrolled: its disk was copied with the token on it
 */
export async function renewToken(
  ports: Ports,
  endpoint: Endpoint,
  about: { token: string; machineId: string | null; version: string },
): Promise<string> {
  const machineId = canonicalMachineId(about.machineId);
  const aliases = (await ports.store.aliases.ofEndpoints([endpoint.id])).get(endpoint.id) ?? [];
  const ids = aliases.filter(({ kind }) => kind === 'machine_id').map(({ value }) => value);
  if (machineId !== null && ids.length > 0 && !ids.includes(machineId))
    throw new AppError(
      'denied',
      `This token was issued to ${endpoint.hostname}, which has another machine id: this machine is a copy of it. Enrol it by itself.`,
      { hostname: endpoint.hostname },
    );
  const now = ports.clock.now();
  const { token, digest } = ports.tokens.issue('dexa');
  await ports.store.transaction(async (store) => {
    const known = await store.agents.get(endpoint.id);
    await store.agents.keep(
      {
        endpointId: endpoint.id,
        enrolmentId: known?.enrolmentId ?? null,
        // Of two renewals in a row the caller's own token has to stay valid.
        previousTokenDigest: ports.tokens.digest(about.token),
        tokenIssuedAt: now,
        version: about.version,
        enrolledAt: known?.enrolledAt ?? endpoint.registeredAt,
      },
      digest,
    );
  });
  return token;
}

/** The agent was uninstalled: its tokens end, the endpoint stays with its history. */
export async function signOff(ports: Ports, endpoint: Endpoint): Promise<void> {
  const now = ports.clock.now();
  await ports.store.transaction(async (store) => {
    const known = await store.agents.get(endpoint.id);
    await store.agents.keep(
      {
        endpointId: endpoint.id,
        enrolmentId: known?.enrolmentId ?? null,
        previousTokenDigest: null,
        tokenIssuedAt: now,
        version: known?.version ?? null,
        enrolledAt: known?.enrolledAt ?? endpoint.registeredAt,
      },
      null,
    );
  });
}
