/** “What a snapshot deserves”: measurements of any collector, and the verdict that people give. */
import type { ScoreStatus } from '../../src/domain/fleet/endpoint.ts';
import type { Readings } from '../../src/domain/signals/reading.ts';
import { type Flat, flatSnapshot } from '../helpers/flatSnapshot.ts';
import { WELL } from '../helpers/machines.ts';
import type { Case } from './case.ts';
import { seenText } from './pages.ts';
import { judge } from './scanPage.ts';

const TARGET = { hostname: 'pc-1', ipAddress: null, osPlatform: 'linux', collector: 'push', options: {} } as const;
const NOTHING: Partial<Flat> = {};
const also = (readings: Partial<Readings>): Partial<Flat> => ({ ...WELL, readings });

const ROWS: [quote: string, right: ScoreStatus[], found: Partial<Flat>][] = [
  [
    'CPU 100, memory 95, disk 95: at risk or worse',
    ['at_risk', 'critical'],
    { ...WELL, cpuPct: 100, memoryPct: 95, diskPct: 95 },
  ],
  ['CPU, memory and disk all at 100: critical', ['critical'], { ...WELL, cpuPct: 100, memoryPct: 100, diskPct: 100 }],
  ['DNS 3 of 3 look-ups failed: critical: nobody can work', ['critical'], { ...WELL, dnsFailures: 3, dnsLookups: 3 }],
  ['packet loss 100 %: critical', ['critical'], { ...WELL, packetLossPct: 100 }],
  ['latency 2,000 ms and loss 5 %: at risk', ['at_risk'], { ...WELL, latencyMs: 2000, packetLossPct: 5 }],
  ['only the network measured, coverage 0.3: `unknown`', ['unknown'], { ...NOTHING, latencyMs: 3, packetLossPct: 0 }],
  [
    'inodes exhausted: as a full disk',
    ['at_risk', 'critical'],
    also({ inodesPct: { items: [{ item: '/', value: 100 }] } }),
  ],
  ['swap exhausted: as a full memory', ['at_risk', 'critical'], also({ swapPct: { value: 100 } })],
  ['Windows commit limit exhausted: as a full memory', ['at_risk', 'critical'], also({ commitPct: { value: 100 } })],
];

export const SNAPSHOT_CASES: Case[] = ROWS.map(([quote, right, found]) => ({
  quote,
  given: 'a snapshot',
  right: right.join(' or '),
  run: async () => {
    const judged = judge(flatSnapshot(TARGET, new Date('2026-11-25T12:00:00Z'), found), 'linux');
    const isRight = judged.score !== null && right.includes(judged.score.status);
    return { seen: seenText(judged), wrong: isRight ? [] : [`should be ${right.join(' or ')}`] };
  },
}));
