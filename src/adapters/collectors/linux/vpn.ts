/** Tells from Linux' list of interfaces which VPNs there are, up or down. */
import type { ItemReadings } from '../../../domain/signals/reading.ts';
import { isVpnName } from '../machine/links.ts';
import { parsePathLines } from './pathLines.ts';

/** @param states lines `/sys/class/net/wg0/operstate:unknown`; tunnels that work say `unknown`, since they have no carrier */
export function linkStates(states: string): ItemReadings<boolean> {
  const links = parsePathLines(states).flatMap(({ path, line }) => {
    const name = /net\/([^/]+)\/operstate$/.exec(path)?.[1];
    return name && isVpnName(name) ? [{ item: name, value: line === 'up' || line === 'unknown' }] : [];
  });
  return { items: links };
}
