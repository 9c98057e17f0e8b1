/** Health: what works and what does not, each part by its own probe, so that one line says what is wrong. */
import type { Ports } from '../ports/ports.ts';

export interface Check {
  status: 'ok' | 'degraded' | 'down';
  detail?: string;
  [fact: string]: unknown;
}

export interface Health {
  status: 'ok' | 'degraded' | 'down';
  version: string;
  uptime_s: number;
  checks: Record<string, Check>;
}

/** Checks one part; a rejection means that the part is down. */
export type Probe = () => Promise<Check>;

/** Longer than any healthy part needs, shorter than any monitor waits; milliseconds. */
const PROBE_LIMIT_MS = 3000;

/**
 * Runs all probes side by side. `down` when the database is (nothing can be done), `degraded` when any other part is not
 * well.
 */
export async function checkHealth(
  ports: Pick<Ports, 'store' | 'clock'>,
  service: { startedAt: Date; version: string; probes: Record<string, Probe> },
): Promise<Health> {
  const probes: Record<string, Probe> = {
    database: async () => {
      await ports.store.ping();
      return { status: 'ok' };
    },
    outbox: async () => {
      const dead = await ports.store.outbox.deadCounts();
      if (dead.length === 0) return { status: 'ok' };
      const lost = dead.map(({ messenger, messages, lastError }) => `${messages} for ${messenger} (${lastError})`);
      return {
        status: 'degraded',
        detail: `messages were given up: ${lost.join(', ')}`,
        dead_letters: dead.map(({ messenger, messages }) => ({ messenger, messages })),
      };
    },
    ...service.probes,
  };
  const results = await Promise.all(
    Object.entries(probes).map(async ([name, probe]) => [name, await limited(probe)] as const),
  );
  const checks = Object.fromEntries(results);
  const allOk = results.every(([, { status }]) => status === 'ok');
  return {
    status: checks.database?.status === 'down' ? 'down' : allOk ? 'ok' : 'degraded',
    version: service.version,
    uptime_s: Math.round((ports.clock.now().getTime() - service.startedAt.getTime()) / 1000),
    checks,
  };
}

async function limited(probe: Probe): Promise<Check> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<Check>((resolve) => {
    timer = setTimeout(resolve, PROBE_LIMIT_MS, {
      status: 'down',
      detail: `no answer within ${PROBE_LIMIT_MS / 1000} s`,
    });
  });
  try {
    return await Promise.race([probe(), timeout]);
  } catch (error) {
    return { status: 'down', detail: (error as Error).message };
  } finally {
    clearTimeout(timer);
  }
}
