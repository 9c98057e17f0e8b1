/** What goes wrong in a storm: each fault strikes, lasts a while, and is over when it resolves. */
import { writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { ChaosPostgres, SmallDisk } from './database.ts';
import { MOODS } from './flaky.ts';
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

/** Forward as after a sleep, by a time zone or by half a day's drift; backward by what a time server takes back at once. */
const JUMPS_S = [30, 3600, 7200, -20, -90];

export function faultsFor({ members, outside, postgres, disk, luck, clock }: Weather): Fault[] {
  const deaths = members.map(
    (member): Fault => ({
      name: `kill -9 ${member.name}`,
      async strike(lastsMs) {
        await member.kill();
        await delay(lastsMs / 4);
        await member.start();
      },
    }),
  );
  const moods = (['slack', 'tickets', 'model'] as const).map(
    (name): Fault => ({
      name: `${name} fails`,
      async strike(lastsMs) {
        for (let spell = 0; spell < 3; spell++) {
          outside.flaky[name].mood = luck.pick(MOODS);
          await delay(lastsMs / 3);
        }
        outside.flaky[name].mood = 'well';
      },
    }),
  );
  const faults: Fault[] = [
    ...deaths,
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
      name: 'the clock jumps',
      async strike() {
        clock.jump(luck.pick(JUMPS_S) * 1000);
      },
    },
  ];
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
      name: 'the disk is full',
      async strike(lastsMs) {
        disk.fill();
        await delay(lastsMs);
        disk.free();
      },
    });
  }
  return faults;
}
