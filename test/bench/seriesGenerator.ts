/** Makes telemetry series of known kinds from a seed: those that reach the limit and those that never do. */
import type { SeriesPoint } from '../../src/domain/forecasts/seriesShape.ts';
import type { TrendMetric } from '../../src/domain/forecasts/trendRules.ts';

export interface MadeSeries {
  name: string;
  metric: TrendMetric;
  points: SeriesPoint[];
  /** When the climb that ends at the limit began; null for a series made to stay below it. */
  climbStartMs: number | null;
}

export interface Conditions {
  /** Multiplies every noise of the series. */
  noise: number;
  /** Multiplies amplitudes of cycles, teeth, steps and walks. */
  magnitude: number;
  /** Decimals that the metric is reported with. */
  decimals: number;
}

export const DAYS = 21;
const STEP_MS = 15 * 60_000;
const STEPS_A_DAY = 96;
const START_MS = Date.UTC(2026, 0, 5);

/** Uniform, normal and ranged numbers from one seed (mulberry32 by Tommy Ettinger; Box–Muller). */
export class Dice {
  #state: number;
  constructor(seed: number) {
    this.#state = seed >>> 0;
  }
  uniform(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  }
  between(low: number, high: number): number {
    return low + (high - low) * this.uniform();
  }
  /** Evenly spread in the logarithm: as many between 1 and 2 as between 10 and 20. */
  betweenLog(low: number, high: number): number {
    return Math.exp(this.between(Math.log(low), Math.log(high)));
  }
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.uniform())) * Math.cos(2 * Math.PI * this.uniform());
  }
}

/** Level without measurement noise, by hours from the start; and where its climb to the limit starts. */
interface Shape {
  metric: TrendMetric;
  noisePct: number;
  level: (hour: number) => number;
  /** Whether the endpoint is switched on, and so measured; always when left out. */
  isOn?: (hour: number) => boolean;
  climbStartHour?: number;
}

type Maker = (dice: Dice, conditions: Conditions) => Shape;

const daily = (hour: number, amplitude: number) => (amplitude / 2) * (1 - Math.cos((2 * Math.PI * hour) / 24));
const isOffice = (hour: number) => hour % 24 >= 8 && hour % 24 < 18 && Math.floor(hour / 24) % 7 < 5;
const TOTAL_HOURS = DAYS * 24;

/** Teeth of uneven length, each climbing `height` from `floor`: [start hour, length] of each. */
function teeth(dice: Dice, periodHours: number): { at: number; length: number }[] {
  const list: { at: number; length: number }[] = [];
  for (let at = -dice.uniform() * periodHours; at < TOTAL_HOURS; ) {
    const length = periodHours * dice.between(0.9, 1.1);
    list.push({ at, length });
    at += length;
  }
  return list;
}

/** A walk that is pulled back to 0, one value an hour, with the given spread and memory in hours. */
function wandering(dice: Dice, spread: number, memoryHours: number): number[] {
  const keep = Math.exp(-1 / memoryHours);
  let value = spread * dice.normal();
  return Array.from({ length: TOTAL_HOURS + 1 }, () => {
    value = keep * value + spread * Math.sqrt(1 - keep ** 2) * dice.normal();
    return value;
  });
}

/** Kinds that stay below the limit. */
const CALM: Record<string, Maker> = {
  flat: (dice) => {
    const base = dice.between(10, 85);
    return { metric: 'diskPct', noisePct: 0.1, level: () => base };
  },
  noise: (dice) => {
    const base = dice.between(10, 60);
    return { metric: 'cpuPct', noisePct: dice.between(3, 7), level: () => base };
  },
  wandering: (dice, { magnitude }) => {
    const base = dice.between(25, 60);
    const walk = wandering(dice, magnitude * dice.between(2, 5), dice.betweenLog(6, 72));
    return { metric: 'memoryPct', noisePct: 0.5, level: (hour) => base + walk[Math.floor(hour)]! };
  },
  dailyCycle: (dice, { magnitude }) => {
    const amplitude = magnitude * dice.between(5, 25);
    const base = dice.between(10, 80 - amplitude);
    return { metric: 'memoryPct', noisePct: 1, level: (hour) => base + daily(hour, amplitude) };
  },
  officeHours: (dice, { magnitude }) => {
    const amplitude = magnitude * dice.between(10, 35);
    const base = dice.between(5, 75 - amplitude);
    return { metric: 'cpuPct', noisePct: 4, level: (hour) => base + (isOffice(hour) ? amplitude : 0) };
  },
  logRotation: (dice, { magnitude }) => {
    const height = magnitude * dice.between(5, 30);
    const base = dice.between(20, 84 - height);
    const list = teeth(dice, dice.betweenLog(8, 96));
    return {
      metric: 'diskPct',
      noisePct: 0.1,
      level: (hour) => {
        const tooth = list.findLast(({ at }) => at <= hour)!;
        return base + (height * (hour - tooth.at)) / (tooth.length * 1.15);
      },
    };
  },
  weeklyRotation: (dice, { magnitude }) => {
    const height = magnitude * dice.between(5, 30);
    const base = dice.between(20, 84 - height);
    const shift = dice.between(0, 168);
    return { metric: 'diskPct', noisePct: 0.1, level: (hour) => base + (height * ((hour + shift) % 168)) / 168 };
  },
  nightlyReboot: (dice, { magnitude }) => {
    const low = dice.between(15, 30);
    const gain = magnitude * dice.between(15, 35);
    const warmUpHours = dice.between(1, 5);
    return {
      metric: 'memoryPct',
      noisePct: 1,
      level: (hour) => low + gain * (1 - Math.exp(-((hour + 16) % 24) / warmUpHours)),
    };
  },
  step: (dice, { magnitude }) => {
    const base = dice.between(20, 55);
    const height = magnitude * dice.between(5, 20);
    const at = dice.between(72, TOTAL_HOURS - 72);
    const lasts = dice.between(0.1, 4);
    return {
      metric: 'diskPct',
      noisePct: 0.1,
      level: (hour) => base + height * Math.min(1, Math.max(0, (hour - at) / lasts)),
    };
  },
  laptop: (dice, { magnitude }) => {
    const low = dice.between(25, 40);
    const gain = magnitude * dice.between(10, 25);
    return {
      metric: 'memoryPct',
      noisePct: 1.5,
      level: (hour) => low + (gain * Math.max(0, (hour % 24) - 8)) / 10,
      isOn: isOffice,
    };
  },
  plateau: (dice, { magnitude }) => {
    const base = dice.between(20, 55);
    const height = magnitude * dice.between(5, 20);
    const at = dice.between(72, TOTAL_HOURS - 96);
    const lasts = dice.betweenLog(6, 72);
    return {
      metric: 'diskPct',
      noisePct: 0.1,
      level: (hour) => base + height * Math.min(1, Math.max(0, (hour - at) / lasts)),
    };
  },
  nightlySpike: (dice, { magnitude }) => {
    const base = dice.between(20, 60);
    const height = magnitude * dice.between(5, 20);
    return { metric: 'diskPct', noisePct: 0.1, level: (hour) => base + (hour % 24 < 3 ? height : 0) };
  },
  slowGrowth: (dice) => {
    const base = dice.between(20, 60);
    const aDay = dice.between(0.05, 0.9);
    return { metric: 'diskPct', noisePct: 0.1, level: (hour) => base + (aDay * hour) / 24 };
  },
  reset: (dice) => {
    const top = dice.between(45, 80);
    const at = dice.between(96, 240);
    const base = dice.between(10, top - 15);
    return { metric: 'diskPct', noisePct: 0.1, level: (hour) => (hour < at ? top : base + (hour - at) / 96) };
  },
};

/** A climb from `base` that meets 90 after a time between a day and two weeks; it starts after some quiet days. */
function climb(dice: Dice, base: number, shortestHours: number): { start: number; aHour: number } {
  const lasts = dice.betweenLog(shortestHours, 14 * 24);
  const start = dice.between(0, TOTAL_HOURS - 24 - lasts);
  return { start, aHour: (90 - base) / lasts };
}

/** Kinds that reach 90 %. */
const LEAKING: Record<string, Maker> = {
  linearLeak: (dice) => {
    const base = dice.between(15, 70);
    const lasts = dice.betweenLog(36, 20 * 24);
    return {
      metric: 'diskPct',
      noisePct: 0.2,
      level: (hour) => base + ((90 - base) / lasts) * hour,
      climbStartHour: 0,
    };
  },
  suddenLeak: (dice) => {
    const base = dice.between(15, 70);
    const { start, aHour } = climb(dice, base, 24);
    return {
      metric: 'diskPct',
      noisePct: 0.2,
      level: (hour) => base + aHour * Math.max(0, hour - start),
      climbStartHour: start,
    };
  },
  memoryLeak: (dice, { magnitude }) => {
    const base = dice.between(15, 60);
    const { start, aHour } = climb(dice, base, 48);
    const walk = wandering(dice, magnitude * dice.between(0.3, 1.5), 12);
    return {
      metric: 'memoryPct',
      noisePct: 0.7,
      level: (hour) => base + walk[Math.floor(hour)]! + aHour * Math.max(0, hour - start),
      climbStartHour: start,
    };
  },
  leakUnderCycle: (dice, { magnitude }) => {
    const amplitude = magnitude * dice.between(5, 15);
    const base = dice.between(15, 60 - amplitude / 2);
    const { start, aHour } = climb(dice, base + amplitude / 2, 72);
    return {
      metric: 'memoryPct',
      noisePct: 1,
      level: (hour) => base + daily(hour, amplitude) + aHour * Math.max(0, hour - start),
      climbStartHour: start,
    };
  },
  staircase: (dice, { magnitude }) => {
    const base = dice.between(20, 50);
    const height = magnitude * dice.between(1, 5);
    const everyHours = dice.betweenLog(4, 30);
    return {
      metric: 'diskPct',
      noisePct: 0.1,
      level: (hour) => base + height * Math.floor(hour / everyHours),
      climbStartHour: 0,
    };
  },
  brokenRotation: (dice, { magnitude }) => {
    const height = magnitude * dice.between(8, 25);
    const base = dice.between(20, 75 - height);
    const period = dice.betweenLog(12, 72);
    const breaks = Math.ceil(dice.between(7, 12) * (24 / period)) * period;
    return {
      metric: 'diskPct',
      noisePct: 0.1,
      level: (hour) => base + (height / period) * (hour < breaks ? hour % period : hour - breaks),
      // Until the rotation is overdue, nothing tells this climb from every tooth before it.
      climbStartHour: breaks + period,
    };
  },
  leakAfterCleaning: (dice) => {
    const base = dice.between(20, 50);
    const cleanedAt = dice.between(72, 168);
    const top = dice.between(70, 89);
    const lasts = dice.betweenLog(36, 10 * 24);
    return {
      metric: 'diskPct',
      noisePct: 0.2,
      level: (hour) =>
        hour < cleanedAt
          ? top - ((top - base) / 168) * (cleanedAt - hour)
          : base + ((90 - base) / lasts) * (hour - cleanedAt),
      climbStartHour: cleanedAt,
    };
  },
  laptopLeak: (dice) => {
    const base = dice.between(20, 65);
    const aHour = (90 - base) / dice.betweenLog(20, 90);
    const start = Math.floor(dice.between(0, 4)) * 24;
    // Hours switched on since the start, by which alone the disk fills.
    const worked: number[] = [];
    for (let hour = 0, sum = 0; hour <= TOTAL_HOURS; hour++) {
      worked.push(sum);
      if (hour >= start && isOffice(hour)) sum++;
    }
    return {
      metric: 'diskPct',
      noisePct: 0.2,
      level: (hour) => base + aHour * worked[Math.floor(hour)]!,
      isOn: isOffice,
      climbStartHour: start,
    };
  },
  cpuCreep: (dice) => {
    const base = dice.between(15, 50);
    const { start, aHour } = climb(dice, base, 96);
    return {
      metric: 'cpuPct',
      noisePct: dice.between(2, 5),
      level: (hour) => base + aHour * Math.max(0, hour - start),
      climbStartHour: start,
    };
  },
};

export const CALM_KINDS = Object.keys(CALM);
export const LEAKING_KINDS = Object.keys(LEAKING);

/** One series of `DAYS` days, a sample every 15 minutes, 1 % of them and all while switched off missing; the same for the same arguments. */
export function makeSeries(kind: string, seed: number, conditions: Conditions): MadeSeries {
  const make = CALM[kind] ?? LEAKING[kind];
  if (make === undefined) throw new Error(`no such kind of series: ${kind}`);
  const kindSeed = [...kind].reduce((hash, letter) => Math.imul(hash ^ letter.charCodeAt(0), 16777619), 2166136261);
  const dice = new Dice(seed ^ kindSeed);
  const shape = make(dice, conditions);
  // A series made to be calm stays so in any conditions: its level is held at 85.
  const ceiling = kind in CALM ? 85 : 100;
  const points = Array.from({ length: DAYS * STEPS_A_DAY }, (_, step): SeriesPoint => {
    const level = Math.min(ceiling, shape.level(step / 4)) + conditions.noise * shape.noisePct * dice.normal();
    const value = Math.min(100, Math.max(0, Number(level.toFixed(conditions.decimals))));
    const isMissing = dice.uniform() < 0.01 || shape.isOn?.(step / 4) === false;
    return { atMs: START_MS + step * STEP_MS, value: isMissing ? null : value };
  });
  const climbStartMs = shape.climbStartHour === undefined ? null : START_MS + shape.climbStartHour * 3_600_000;
  return { name: `${kind}#${seed}`, metric: shape.metric, points, climbStartMs };
}
