/** What goes wrong in a storm: each fault strikes, lasts a while, and is over when it resolves. */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { SmallDisk } from '../helpers/smallDisk.ts';
import type { ChaosPostgres } from './database.ts';
import { MOODS } from './flaky.ts';
import { type Load, MOMENTS, type Moment } from './load.ts';
import type { Outside } from './outside.ts';
import type { Member } from './processes.ts';
import type { Chance } from './random.ts';

export interface Fault {
  name: string;
  /** @param lastsMs how long it should last */
  strike(lastsMs: number): Promise<void>;
}

export interface Weather {
  members: Member[];
  load: Load;
  outside: Outside;
  postgres: ChaosPostgres | null;
  disk: SmallDisk | null;
  luck: Chance;
  clock: Clock;
}

/** The wall clock of our processes: the machine's, moved. */
export interface Clock {
  nowMs(): number;
  jump(ms: number): void;
}

export function createClock(file: string): Clock {
  let shiftMs = 0;
  writeFileSync(file, '0');
  return {
    nowMs: () => Date.now() + shiftMs,
    jump(ms) {
      shiftMs += ms;
      writeFileSync(file, String(shiftMs));
    },
  };
}

/** Forward as after a sleep, or by time zones; backward by what a time server takes back at once. Seconds. */
const JUMPS_S = { forward: [30, 3600, 7200], back: [-20, -90] };

/** From a moment on, within how long a process is killed; a playbook takes a second. Milliseconds. */
const MOMENT_MS = 1500;

/** A storm in which nobody does such a thing for so long shows nothing; milliseconds. */
const COMES_WITHIN_MS = 60_000;

async function next(load: Load, moment: Moment): Promise<void> {
  await once(load.moments, moment, { signal: AbortSignal.timeout(COMES_WITHIN_MS) }).catch(() => {
    throw new Error(`there was no ${moment} within ${COMES_WITHIN_MS / 1000} s`);
  });
}

export function faultsFor({ members, load, outside, postgres, disk, luck, clock }: Weather): Fault[] {
  const die = async (victims: Member[], lastsMs: number) => {
    await Promise.all(victims.map((member) => member.kill()));
    await delay(lastsMs / 4);
    await Promise.all(victims.map((member) => member.start()));
  };
  const deaths = members.map(
    (member): Fault => ({ name: `kill -9 ${member.name}`, strike: (lastsMs) => die([member], lastsMs) }),
  );
  const atOnce: Fault = {
    name: 'kill -9 right after an approval',
    async strike(lastsMs) {
      await next(load, 'approved');
      await die(members.slice(0, 1), lastsMs); // the service, which has just answered
    },
  };
  const untimely = MOMENTS.map(
    (moment): Fault => ({
      name: `kill -9 at a ${moment}`,
      async strike(lastsMs) {
        await next(load, moment);
        await delay(luck.between(0, MOMENT_MS));
        await die([luck.pick(members)], lastsMs);
      },
    }),
  );
  const moods = (['slack', 'tickets', 'model'] as const).map(
    (name): Fault => ({
      name: `${name} fails`,
      async strike(lastsMs) {
        // An answer that is lost is the only failure after which things are there twice: it never stays away.
        for (const mood of ['lost', luck.pick(MOODS), luck.pick(MOODS)] as const) {
          outside.flaky[name].mood = mood;
          await delay(lastsMs / 3);
        }
        outside.flaky[name].mood = 'well';
      },
    }),
  );
  const faults: Fault[] = [
    ...deaths,
    ...untimely,
    atOnce,
    ...moods,
    {
      name: 'machines are silent',
      async strike(lastsMs) {
        outside.machinesSilent = true;
        await delay(lastsMs);
        outside.machinesSilent = false;
      },
    },
    {
      name: 'the clock jumps forward',
      strike: async () => clock.jump(luck.pick(JUMPS_S.forward) * 1000),
    },
    {
      name: 'the clock is set back',
      strike: async () => clock.jump(luck.pick(JUMPS_S.back) * 1000),
    },
  ];
  if (members.length > 1) faults.push({ name: 'kill -9 everybody', strike: (lastsMs) => die(members, lastsMs) });
  if (postgres) {
    faults.push({
      name: 'the database restarts',
      async strike(lastsMs) {
        await postgres.halt();
        await delay(lastsMs / 3);
        await postgres.start();
      },
    });
    faults.push({ name: 'database connections are cut', strike: () => postgres.cut() });
  }
  if (disk) {
    faults.push({
      name: 'the disk of the store and the log is full',
      async strike(lastsMs) {
        disk.fill();
        await delay(lastsMs);
        disk.free();
      },
    });
  }
  return faults;
}
