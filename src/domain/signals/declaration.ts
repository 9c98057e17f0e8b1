/** What a signal is: the shape of the one declaration from which wire, storage, rules, charts and texts follow. */

export const OS_PLATFORMS = ['linux', 'macos', 'windows', 'other'] as const;
export type OsPlatform = (typeof OS_PLATFORMS)[number];

/**
 * What a value is made of: one number, `count` of `of` tries, yes or no, a moment, or names of what is affected.
 */
export type SignalKind = 'number' | 'share' | 'flag' | 'time' | 'names';

/** Units and what no machine can exceed in them; `step` is what a value is rounded to, `text` stands behind the number. */
export const UNITS = {
  pct: { text: ' %', min: 0, max: 100, step: 0.01 },
  ms: { text: ' ms', min: 0, max: 3_600_000, step: 0.01 },
  s: { text: ' s', min: 0, max: 1e9, step: 0.001 },
  hours: { text: ' h', min: 0, max: 1e6, step: 0.01 },
  days: { text: ' days', min: 0, max: 1e5, step: 0.01 },
  bytes: { text: ' bytes', min: 0, max: 1e18, step: 1 },
  per_second: { text: '/s', min: 0, max: 1e12, step: 0.01 },
  per_minute: { text: '/min', min: 0, max: 1e12, step: 0.01 },
  per_day: { text: ' in 24 h', min: 0, max: 1e6, step: 1 },
  count: { text: '', min: 0, max: 1e9, step: 1 },
  celsius: { text: ' °C', min: -60, max: 200, step: 0.1 },
  dbm: { text: ' dBm', min: -150, max: 30, step: 1 },
  mbps: { text: ' Mbit/s', min: 0, max: 1e7, step: 0.1 },
} as const;
export type Unit = keyof typeof UNITS;

/** What a signal is read of: the machine as a whole, or each of several things in it. */
export type Subject = 'machine' | 'mount' | 'disk' | 'adapter' | 'battery' | 'program';

/** One signal. Its key in the catalogue is its name (camelCase with the unit); on the wire the same in snake_case. */
export interface SignalDeclaration {
  kind: SignalKind;
  unit: Unit;
  /** Where it counts in the score. */
  component: 'device' | 'network' | 'app';
  per: Subject;
  /** Which way is better; `zero` means near zero on either side, `neither` that it only explains others. */
  better: 'lower' | 'higher' | 'zero' | 'neither';
  /** Systems that have it at all. */
  platforms: readonly OsPlatform[];
  /** How people call it, in the middle of a sentence. */
  label: string;
  /** What exactly is measured, one sentence for the documentation. */
  about: string;
  /** Why it is collected, for those whose machine it is. */
  purpose: string;
  /** One of the operations guide's nine: its part of the weight counts as measured or not. */
  guide?: true;
  /** The value whose crossing is worth predicting. */
  forecastLimit?: number;
  /** Tells something about the person at the machine; it can be switched off. */
  personal?: true;
  /** The number that rules read and its unit, where that is not the value itself. */
  measure?: { name: string; unit: Unit };
  /** What the first version of the wire calls the item that the number is of, or the number of tries. */
  companion?: string;
  /** True where a negative value means something. */
  signed?: true;
}

export const EVERY_PLATFORM = ['linux', 'macos', 'windows', 'other'] as const;
