/** Which update an agent is offered: none, or what the service was deployed with, first to a few and then to all. */
import type { Endpoint } from '../../domain/fleet/endpoint.ts';
import type { AgentBuild } from '../ports/enrolmentPorts.ts';
import type { Ports } from '../ports/ports.ts';

export const AGENT_UPDATES = ['staged', 'all', 'off'] as const;

/** The part of the fleet that takes a version first, and for how long it is alone with it. */
const FIRST_PCT = 5;
const FIRST_MS = 24 * 3_600_000;

export interface UpdateOffer {
  version: string;
  sha256: string;
  /** Ed25519 over version and hash, base64. */
  signature: string;
}

/**
 * @param running the version that asks
 * @param failed the version that it went back from last; once one agent went back, nobody else is offered that version
 */
export async function offerUpdate(
  ports: Ports,
  endpoint: Endpoint,
  running: string,
  failed: string | null,
): Promise<UpdateOffer | null> {
  const { agentUpdates } = ports.settings;
  const build = await ports.agentReleases.current();
  if (!build || agentUpdates === 'off') return null;
  const { version } = build;
  const now = ports.clock.now();
  if (failed === version) {
    await ports.store.agents.noteRollback(version);
    ports.log.warn({ hostname: endpoint.hostname, version }, 'the agent went back from this version; it is held back');
    return null;
  }
  if (running === version) return null;
  const { offeredAt, rolledBack } = await ports.store.agents.release(version, now);
  const isFirst = bucketOf(ports, endpoint.id, version) < FIRST_PCT;
  const isForAll = agentUpdates === 'all' || now.getTime() - offeredAt.getTime() >= FIRST_MS;
  return rolledBack === 0 && (isForAll || isFirst) ? signed(ports, build) : null;
}

/** 0–99, another for each version, so that it is not always the same machines that go first. */
function bucketOf({ tokens }: Ports, endpointId: number, version: string): number {
  return Number.parseInt(tokens.digest(`${version}|${endpointId}`).slice(0, 8), 16) % 100;
}

function signed({ agentReleases }: Ports, { version, update }: AgentBuild): UpdateOffer {
  // The agent checks the same text (`signedText` there).
  const content = new TextEncoder().encode(`dexops-agent-update\n${version}\n${update.sha256}\n`);
  return { version, sha256: update.sha256, signature: agentReleases.sign(content) };
}
