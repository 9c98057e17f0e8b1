/** API keys: who holds one may call with its role until it is revoked; only its digest is kept. */
import type { Actor, Interface } from '../actor.ts';
import type { Ports } from '../ports/ports.ts';
import type { ApiKey } from '../ports/storePorts.ts';

/** Noting every use would make each read a write; a minute is exact enough for "is this key still in use?". */
const NOTE_USE_EVERY_MS = 60_000;

/** The actor behind a key, or null when the key is not one of ours or was revoked. */
export async function identifyKey(
  ports: Pick<Ports, 'store' | 'tokens' | 'clock'>,
  key: string,
  via: Interface,
): Promise<Actor | null> {
  const found = await ports.store.apiKeys.byDigest(ports.tokens.digest(key));
  if (!found) return null;
  const now = ports.clock.now();
  if (now.getTime() - (found.lastUsedAt?.getTime() ?? 0) >= NOTE_USE_EVERY_MS) {
    await ports.store.apiKeys.noteUse(found.id, now);
  }
  return keyActor(found, via);
}

/** Whoever calls through MCP is a model, however good its key, and so is an agent everywhere. */
function keyActor({ name, role, holder, selection }: ApiKey, via: Interface): Actor {
  return {
    id: `key:${name}`,
    name: `the holder of the key ${name}`,
    kind: via === 'mcp' || holder === 'agent' ? 'model' : 'human',
    via,
    role,
    ...(selection && { grants: [{ role, within: selection }] }),
    holder,
  };
}
