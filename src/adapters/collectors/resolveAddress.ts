/** Finds the one IP address that a scan connects to, and refuses addresses that no endpoint may have. */
import { ADDRCONFIG } from 'node:dns';
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { forbiddenAddressReason } from '../../domain/fleet/address.ts';
import type { ScanTarget } from '../../domain/signals/telemetry.ts';
import { Unreachable } from './readings.ts';

/**
 * The target's registered address, or what its host name resolves to now. Callers connect to the returned literal and
 * never to the name: the address that was checked is the address that is used, so a name that changes between check
 * and use (DNS rebinding) gains nothing.
 */
export async function resolveAddress({ hostname, ipAddress }: ScanTarget): Promise<string> {
  const address = ipAddress ?? (isIP(hostname) ? hostname : await addressOfName(hostname));
  const reason = forbiddenAddressReason(address);
  if (reason) throw new Unreachable(`${hostname} has the address ${address}, which is refused: ${reason}`);
  return address;
}

async function addressOfName(hostname: string): Promise<string> {
  try {
    return (await lookup(hostname, { hints: ADDRCONFIG })).address;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : '';
    throw new Unreachable(`the name ${hostname} does not resolve${code}: register the endpoint's ip_address`);
  }
}
