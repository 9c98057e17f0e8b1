/** The catalogue of signals: the explicit list that wire, storage, rules, charts, texts and documentation follow. */
import { CURRENCY_SIGNALS } from './currency.ts';
import type { SignalDeclaration } from './declaration.ts';
import { MEMORY_SIGNALS } from './memory.ts';
import { NETWORK_SIGNALS } from './network.ts';
import { POWER_SIGNALS } from './power.ts';
import { PROCESSOR_SIGNALS } from './processor.ts';
import { STABILITY_SIGNALS } from './stability.ts';
import { STORAGE_SIGNALS } from './storage.ts';

export const SIGNALS = {
  ...PROCESSOR_SIGNALS,
  ...MEMORY_SIGNALS,
  ...STORAGE_SIGNALS,
  ...POWER_SIGNALS,
  ...NETWORK_SIGNALS,
  ...STABILITY_SIGNALS,
  ...CURRENCY_SIGNALS,
} as const;

export type Signals = typeof SIGNALS;
export type SignalName = keyof Signals;

export const SIGNAL_NAMES = Object.keys(SIGNALS) as SignalName[];

/** The declaration of a signal without its literal types. */
export function declarationOf(name: SignalName): SignalDeclaration {
  return SIGNALS[name];
}

/** The name of a signal on the wire and in files: `cpuPct` is `cpu_pct`. */
export function wireName(name: SignalName): string {
  return WIRE_NAMES[name];
}

const WIRE_NAMES = Object.fromEntries(
  SIGNAL_NAMES.map((name) => [name, name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)]),
) as Record<SignalName, string>;

const BY_WIRE_NAME = new Map(SIGNAL_NAMES.map((name): [string, SignalName] => [wireName(name), name]));

/** Undefined for a name that this version does not know. */
export function signalOfWireName(wire: string): SignalName | undefined {
  return BY_WIRE_NAME.get(wire);
}
