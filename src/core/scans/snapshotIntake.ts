/** Taking in what push agents report: reports that arrive together are scored and committed together. */
import type { Endpoint } from '../../domain/fleet/endpoint.ts';
import type { Snapshot } from '../../domain/signals/telemetry.ts';
import { gathered } from '../concurrency/gathered.ts';
import { AppError } from '../errors.ts';
import type { Ports, SnapshotIntake, TakenSnapshot } from '../ports/ports.ts';
import { isNews } from './reportedSnapshot.ts';
import { record } from './scanning.ts';

/** Reports written in one transaction: enough to be cheap, and short enough that nobody waits long for the store. */
const MOST_TOGETHER = 200;

/** As old as a report may be. */
const OLDEST_MS = 48 * 3_600_000;

/** The end of a pause that there never was. */
const NEVER = new Date(0);

interface Reported {
  hostname: string;
  read(endpoint: Endpoint): Snapshot;
}

/** Reports that arrive while others are being written are written together, since a transaction costs more than its rows. */
export function createSnapshotIntake(ports: Ports): SnapshotIntake {
  const gather = gathered((reported: Reported[]) => takeTogether(ports, reported), MOST_TOGETHER);
  return {
    async take(hostname, read) {
      const taken = await gather({ hostname, read });
      if (taken instanceof AppError) throw taken;
      return taken;
    },
  };
}

/** What is wrong with one report is the answer to that one alone. */
async function takeTogether(ports: Ports, reported: Reported[]): Promise<(TakenSnapshot | AppError)[]> {
  const hostnames = [...new Set(reported.map(({ hostname }) => hostname))];
  const found = await ports.store.endpoints.byHostnames(hostnames);
  const endpoints = new Map(found.map((endpoint) => [endpoint.hostname, endpoint]));
  const pauses = await ports.store.pauses.since(new Date(ports.clock.now().getTime() - OLDEST_MS));
  const answers = new Map<Reported, TakenSnapshot | AppError>();
  for (const round of rounds(reported)) {
    const accepted = round.flatMap((one) => {
      const taken = takenFrom(one, endpoints.get(one.hostname), pauses, ports.clock.now());
      if ('snapshot' in taken) return [{ one, ...taken }];
      answers.set(one, taken.answer);
      return [];
    });
    const results = await record(ports, accepted);
    for (const [index, { endpoint, score }] of results.entries()) {
      answers.set(accepted[index]?.one as Reported, {
        recorded: true,
        score: score?.score ?? null,
        pausedUntil: pauses.get(endpoint.id)?.until ?? NEVER,
      });
      endpoints.set(endpoint.hostname, endpoint);
    }
  }
  return reported.map((one) => answers.get(one) as TakenSnapshot | AppError);
}

type Intake = { endpoint: Endpoint; snapshot: Snapshot } | { answer: TakenSnapshot | AppError };

function takenFrom(
  { hostname, read }: Reported,
  endpoint: Endpoint | undefined,
  pauses: ReadonlyMap<number, { from: Date; until: Date }>,
  now: Date,
): Intake {
  if (!endpoint)
    return { answer: new AppError('not_found', `No endpoint named ${hostname} is registered.`, { hostname }) };
  try {
    const snapshot = read(endpoint);
    const pause = pauses.get(endpoint.id) ?? { from: NEVER, until: NEVER };
    const isPaused = snapshot.collectedAt >= pause.from && snapshot.collectedAt < pause.until;
    return !isPaused && isNews(endpoint, snapshot, now)
      ? { endpoint, snapshot }
      : { answer: { recorded: false, score: endpoint.score, pausedUntil: pause.until } };
  } catch (error) {
    if (error instanceof AppError) return { answer: error };
    throw error;
  }
}

/** One report of each endpoint at a time, in the order in which they came: each is judged by what the one before left. */
function* rounds(reported: readonly Reported[]): Generator<Reported[]> {
  const queues = [...Map.groupBy(reported, ({ hostname }) => hostname).values()];
  for (let turn = 0; ; turn++) {
    const round = queues.flatMap((queue) => queue[turn] ?? []);
    if (round.length === 0) return;
    yield round;
  }
}
