/** The demo's company: thirty invented people, and how their simulated machines are at any moment, the same in every run. */
import type { SimulatedMachine } from '../helpers/exporterPage.ts';

export interface Employee {
  /** As in Slack. */
  name: string;
  realName: string;
  email: string;
  hostname: string;
  persona: 'developer' | 'salesperson' | 'executive' | 'tech' | 'general';
  criticalityTier: 1 | 2 | 3;
  tags: { dept: string; location: string };
}

const FIRST_NAMES =
  'alice bruno chloe daniel elena farid greta hugo ines jonas kira liam mona nils olga pavel quinn rosa samir tara umar vera wim xenia yann zoe amir bea carl dora';

const TEAMS: Pick<Employee, 'persona' | 'criticalityTier' | 'tags'>[] = [
  { persona: 'developer', criticalityTier: 2, tags: { dept: 'engineering', location: 'HQ' } },
  { persona: 'developer', criticalityTier: 2, tags: { dept: 'engineering', location: 'remote' } },
  { persona: 'salesperson', criticalityTier: 3, tags: { dept: 'sales', location: 'HQ' } },
  { persona: 'general', criticalityTier: 3, tags: { dept: 'finance', location: 'HQ' } },
  { persona: 'tech', criticalityTier: 2, tags: { dept: 'operations', location: 'remote' } },
];

export const COMPANY: readonly Employee[] = FIRST_NAMES.split(' ').map((name, index) => ({
  name,
  realName: `${name[0]?.toUpperCase()}${name.slice(1)}`,
  email: `${name}@example.com`,
  hostname: `${name}-laptop`,
  ...TEAMS[index % TEAMS.length]!,
}));

/** Whose disk fills up while the demo runs. */
export const FILLING = COMPANY[0]!;

export interface Load {
  cpuPct: number;
  memoryPct: number;
  diskPct: number;
  /** systemd units that failed. */
  failedUnits: string[];
}

const HOUR_MS = 3_600_000;
/** The filling disk grows over the last days before the present, from one level to the other. */
const GROWTH = { hours: 72, fromPct: 58, toPct: 86 };

/** What once went wrong and passed: from and to in hours before the present. */
const TROUBLES: { index: number; from: number; to: number; load: Partial<Load> }[] = [
  { index: 4, from: 150, to: 141, load: { memoryPct: 97 } },
  { index: 11, from: 122, to: 117, load: { diskPct: 96.5 } },
  { index: 7, from: 98, to: 92, load: { failedUnits: ['cups.service'] } },
  { index: 4, from: 75, to: 68, load: { memoryPct: 98 } },
  { index: 19, from: 52, to: 49, load: { diskPct: 97 } },
  { index: 23, from: 30, to: 24, load: { cpuPct: 98 } },
  { index: 15, from: 20, to: 16, load: { failedUnits: ['sssd.service', 'nfs-client.service'] } },
  // These two still last.
  { index: 26, from: 6, to: -100, load: { cpuPct: 97, memoryPct: 97 } },
  { index: 12, from: 9, to: -100, load: { failedUnits: ['cups.service', 'sssd.service', 'bluetooth.service'] } },
];

/** @param present the moment that the demo calls now */
export function loadOf(index: number, at: Date, present: Date): Load {
  const hoursAgo = (present.getTime() - at.getTime()) / HOUR_MS;
  // Busy by day, idle at night, each machine in its own measure.
  const day = Math.max(0, Math.sin((Math.PI * (at.getUTCHours() - 6)) / 12));
  const own = (salt: number) => wave(index * 7 + salt);
  const noise = (salt: number) => wave(index * 31 + salt + Math.floor(at.getTime() / HOUR_MS));
  const usual: Load = {
    cpuPct: 8 + 20 * own(1) + 25 * day * own(2) + 6 * noise(1),
    memoryPct: 30 + 25 * own(3) + 12 * day + 3 * noise(2),
    diskPct: 35 + 35 * own(4) + 0.6 * noise(3),
    failedUnits: [],
  };
  if (index === 0) usual.diskPct = grown(hoursAgo) + 0.4 * noise(4);
  const troubles = TROUBLES.filter(
    (trouble) => trouble.index === index && hoursAgo <= trouble.from && hoursAgo > trouble.to,
  );
  return Object.assign(usual, ...troubles.map(({ load }) => load));
}

function grown(hoursAgo: number): number {
  const share = Math.min(1, Math.max(0, 1 - hoursAgo / GROWTH.hours));
  return GROWTH.fromPct + share * (GROWTH.toPct - GROWTH.fromPct);
}

/** A repeatable number from 0 up to 1 that looks drawn by lot. */
function wave(seed: number): number {
  const value = Math.sin(seed * 12.9898) * 43_758.5453;
  return value - Math.floor(value);
}

/** The machine as its exporter's page shows it. */
export function simulated({ cpuPct, memoryPct, diskPct, failedUnits }: Load, present: Date): SimulatedMachine {
  return {
    cores: 4,
    cpuBusyPct: cpuPct,
    memoryUsedPct: memoryPct,
    diskUsedPct: diskPct,
    bootedAt: new Date(present.getTime() - 3 * 24 * HOUR_MS),
    failedUnits,
  };
}

/** What the simulated employees say when they are asked: about 30 % unhappy, as in most companies. */
export const OPINIONS: { rating: number; category: string; comment: string }[] = [
  { rating: 5, category: 'hardware', comment: 'The new laptop is great.' },
  { rating: 2, category: 'connectivity', comment: 'VPN drops twice a day.' },
  { rating: 4, category: 'software', comment: 'Builds are much faster than last year.' },
  { rating: 4, category: 'performance', comment: 'Fine, apart from Monday mornings.' },
  { rating: 1, category: 'performance', comment: 'Video calls freeze as soon as I share my screen.' },
  { rating: 5, category: 'other', comment: 'My full disk was repaired before I noticed.' },
  { rating: 3, category: 'connectivity', comment: 'Wi-Fi on the third floor is so-so.' },
  { rating: 4, category: 'hardware', comment: 'Good, the battery could last longer.' },
  { rating: 5, category: 'performance', comment: 'No complaints.' },
  { rating: 2, category: 'software', comment: 'The mail program takes a minute to start.' },
  { rating: 4, category: 'connectivity', comment: 'Remote work is fine since the router was changed.' },
  { rating: 5, category: 'software', comment: 'All I need is there.' },
];
