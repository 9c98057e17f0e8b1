/** Where the line between fresh and stale lies right now. */
import { staleAfterMs } from '../../domain/fleet/endpoint.ts';
import type { Ports } from '../ports/ports.ts';

export function staleBefore(ports: Pick<Ports, 'settings'>, now: Date): Date {
  return new Date(now.getTime() - staleAfterMs(ports.settings.scanIntervalMs));
}
