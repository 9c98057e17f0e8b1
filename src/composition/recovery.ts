/** Recovery: this process says that it is alive, and reclaims what others that died left unfinished. */
import { isProcessGone } from '../adapters/probes.ts';
import { interruptApproved, recoverApprovals } from '../core/approvals.ts';
import { recoverRemediations } from '../core/healing/maintain.ts';
import type { Ports } from '../core/ports/ports.ts';
import { BEAT_MS } from '../core/processes/aliveWorkers.ts';
import { beat, createSleepCheck, isWorkerAlive, leave, reclaimFromDeadProcesses } from '../core/processes/workers.ts';

interface Recovery {
  /** @param works whether this process works on jobs */
  startBeating(works: boolean, recovers: boolean): Promise<void>;
  /** Reclaims what was left before this process started; what fails of it is tried again with every beat. */
  recover(): Promise<void>;
  /** Signs this process off; call it once nothing works any more. */
  stop(): Promise<void>;
}

export function createRecovery(ports: Ports): Recovery {
  const { log } = ports;
  const wasAsleep = createSleepCheck(ports.clock);
  let beats: NodeJS.Timeout | undefined;
  let working = false;
  /** Whether what waited before this process started still has to be taken up. */
  let isStartOwed = false;
  let current: Promise<void> = Promise.resolve();

  const sweep = async (works: boolean, recovers: boolean): Promise<void> => {
    await beat(ports, works);
    if (wasAsleep() || !recovers) return;
    const taken = await reclaimFromDeadProcesses(ports, isProcessGone);
    if (taken.interrupted + taken.requeued > 0) log.warn(taken, 'reclaimed runs that another process left');
    if (taken.interrupted > 0) await recoverRemediations(ports);
    await interruptApproved(ports, (workerId) => isWorkerAlive(ports, isProcessGone, workerId));
    if (!isStartOwed) return;
    await recoverApprovals(ports);
    await recoverRemediations(ports);
    isStartOwed = false;
  };
  const safely = (works: boolean, recovers: boolean): Promise<void> => {
    current = sweep(works, recovers).catch((error: unknown) =>
      log.error({ err: error }, 'the beat of this process, or the recovery of others, failed'),
    );
    return current;
  };
  return {
    async startBeating(works, recovers) {
      working = works;
      await beat(ports, works);
      beats = setInterval(() => void safely(works, recovers), BEAT_MS);
    },
    async recover() {
      isStartOwed = true;
      await safely(working, true);
    },
    async stop() {
      clearInterval(beats);
      await current;
      if (beats) await leave(ports).catch((error: unknown) => log.warn({ err: error }, 'could not sign off'));
    },
  };
}
