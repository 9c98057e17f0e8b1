/** Which endpoints a source manages. */
import type { Endpoint } from '../../domain/fleet/endpoint.ts';
import type { Ports } from '../ports/ports.ts';

/** Endpoints read from the store at a time. */
const BATCH = 1000;

export async function managedBy({ store }: Ports, source: string): Promise<Endpoint[]> {
  const managed: Endpoint[] = [];
  for (let after = 0; ; ) {
    const batch = await store.endpoints.batch(after, BATCH);
    managed.push(...batch.filter(({ options }) => options.source === source));
    const last = batch.at(-1);
    if (!last) return managed;
    after = last.id;
  }
}
