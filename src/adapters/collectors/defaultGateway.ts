/** Finds this machine's default gateway: from the kernel's table on Linux, with systeminformation elsewhere. */
import { readFile } from 'node:fs/promises';

/** Address of the default gateway; null when there is none. */
export async function defaultGateway(): Promise<string | null> {
  if (process.platform === 'linux') return gatewayIn(await readFile('/proc/net/route', 'utf8').catch(() => ''));
  // A large library, loaded only where it is needed: the agent's memory is the employee's.
  const { networkGatewayDefault } = await import('systeminformation');
  return (await networkGatewayDefault()) || null;
}

const IS_GATEWAY = 2;

/** The IPv4 route to 0.0.0.0 with the lowest metric; the kernel prints addresses as little-endian hexadecimals. */
export function gatewayIn(routes: string): string | null {
  const found = routes.split('\n').flatMap((line) => {
    const [, destination, gateway, flags, , , metric] = line.trim().split(/\s+/);
    if (destination !== '00000000' || !gateway || !(Number.parseInt(flags ?? '', 16) & IS_GATEWAY)) return [];
    const bytes = gateway.match(/../g)?.map((byte) => Number.parseInt(byte, 16)) ?? [];
    return [{ address: bytes.reverse().join('.'), metric: Number(metric) }];
  });
  return found.sort((a, b) => a.metric - b.metric)[0]?.address ?? null;
}
