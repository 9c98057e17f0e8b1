/** Puts causes into machines of a generated fleet and asks for a diagnosis: is the right one first, in the first three, and are healthy ones left alone. */
import { diagnose } from '../../../src/domain/diagnosis/diagnose.ts';
import type { Diagnosis } from '../../../src/domain/diagnosis/diagnosis.ts';
import type { ScanRecord } from '../../../src/domain/diagnosis/machineHistory.ts';
import type { OsPlatform } from '../../../src/domain/signals/declaration.ts';
import { INJECTED, type InjectedCause } from './causes.ts';
import { HOUR_MS, liveThrough, type Machine, machineOf } from './machine.ts';
import { drawFrom } from './random.ts';

const SYSTEMS: readonly OsPlatform[] = ['linux', 'windows', 'macos'];
/** A Thursday at noon, UTC. */
const NOON_MS = Date.UTC(2026, 2, 5, 12);
const PEERS = 20;

export interface Scale {
  days: number;
  intervalMinutes: number;
  seeds: number;
}

export interface Outcome {
  name: string;
  seed: number;
  right: readonly string[];
  /** Causes by rank. */
  found: string[];
  diagnosis: Diagnosis;
}

export function diagnoseScenario(cause: InjectedCause | null, seed: number, { days, intervalMinutes }: Scale): Outcome {
  const draw = drawFrom(seed * 7919 + (cause ? INJECTED.indexOf(cause) : 999) * 31 + 7);
  const os = draw.pick(cause?.os ?? SYSTEMS);
  // Working hours for all, so that a VPN is usually up.
  const nowMs = NOON_MS + Math.floor(draw.between(-3, 4)) * HOUR_MS;
  const machine = machineOf(draw, 'pc-1', os, { ...cause?.machine, ...(cause?.keep && { keep: cause.keep }) });
  const hoursAgo = cause ? draw.between(...cause.hoursAgo) : 0;
  const life = { nowMs, days, intervalMinutes, ...(cause && { cause: { inject: cause.inject, hoursAgo } }) };
  const records = liveThrough(machine, life, draw);
  const peers = peersOf(machine, nowMs, draw);
  const diagnosis = diagnose({ now: new Date(nowMs + 60_000), records, peers, alerts: [], forecasts: [] });
  return {
    name: cause?.name ?? 'healthy',
    seed,
    right: cause?.right ?? [],
    found: diagnosis.causes.map((each) => each.cause),
    diagnosis,
  };
}

function peersOf(machine: Machine, nowMs: number, draw: ReturnType<typeof drawFrom>): ScanRecord[] {
  return Array.from({ length: PEERS }, (_, i) => {
    const peer = machineOf(draw, `peer-${i}`, machine.os, { persona: machine.persona });
    return liveThrough(peer, { nowMs, days: 0, intervalMinutes: 15 }, draw).at(-1) as ScanRecord;
  });
}

export interface Rates {
  first: number;
  inThree: number;
  healthyQuiet: number;
  scenarios: number;
  healthy: number;
  wrong: Outcome[];
}

export function diagnosisRates(scale: Scale, healthy: number): Rates {
  const seeds = Array.from({ length: scale.seeds }, (_, i) => i + 1);
  const outcomes = INJECTED.flatMap((cause) => seeds.map((seed) => diagnoseScenario(cause, seed, scale)));
  const quiet = Array.from({ length: healthy }, (_, i) => diagnoseScenario(null, i + 1, scale));
  const isRight = ({ right, found }: Outcome, of: number) => found.slice(0, of).some((cause) => right.includes(cause));
  const share = (some: readonly Outcome[], all: readonly Outcome[]) => some.length / all.length;
  return {
    first: share(
      outcomes.filter((each) => isRight(each, 1)),
      outcomes,
    ),
    inThree: share(
      outcomes.filter((each) => isRight(each, 3)),
      outcomes,
    ),
    healthyQuiet: share(
      quiet.filter(({ diagnosis }) => diagnosis.verdict === 'nothing_unusual'),
      quiet,
    ),
    scenarios: outcomes.length,
    healthy,
    wrong: [...outcomes.filter((each) => !isRight(each, 1)), ...quiet.filter(({ found }) => found.length > 0)],
  };
}
