/** Turns what was found of several things of a machine into readings of the signals that are about them. */
import { type ItemReadings, missing, type Reading } from '../../../domain/signals/reading.ts';
import type { Collected } from '../readings.ts';
import type { Battery } from './batteries.ts';
import type { ProgramFaults } from './programFaults.ts';
import type { DiskHealth } from './smart.ts';
import type { TopPrograms } from './topProcesses.ts';
import type { WifiLink } from './wifi.ts';

/** Crashes or hangs by program; a list without entries says that there were none. */
export const faultItems = (faults: ProgramFaults[]): ItemReadings<number> => ({
  items: faults.map(({ program, count }) => ({ item: program, value: count })),
});

export function healthItems(health: Reading<DiskHealth[]>): Pick<Collected, 'diskFailing' | 'diskWearPct'> {
  if ('missing' in health) return { diskFailing: health, diskWearPct: health };
  return {
    diskFailing: {
      items: health.value.map(({ disk, failing }) => ({ item: disk, ...failing })),
    },
    diskWearPct: { items: health.value.map(({ disk, wearPct }) => ({ item: disk, ...wearPct })) },
  };
}

export function batteryItems(found: Reading<Battery[]>): Pick<Collected, 'batteryHealthPct' | 'batteryCycles'> {
  const none = 'missing' in found ? found : found.value.length === 0 ? missing('the machine has no battery') : null;
  const batteries = 'value' in found ? found.value : [];
  return {
    batteryHealthPct: none ?? { items: batteries.map(({ name, healthPct }) => ({ item: name, ...healthPct })) },
    batteryCycles: none ?? { items: batteries.map(({ name, cycles }) => ({ item: name, ...cycles })) },
  };
}

export function wifiItems(found: Reading<WifiLink[]>): Pick<Collected, 'wifiSignalDbm' | 'wifiRateMbps'> {
  const none =
    'missing' in found ? found : found.value.length === 0 ? missing('the machine is not connected by Wi-Fi') : null;
  const links = 'value' in found ? found.value : [];
  return {
    wifiSignalDbm: none ?? { items: links.map(({ adapter, signalDbm }) => ({ item: adapter, ...signalDbm })) },
    wifiRateMbps: none ?? { items: links.map(({ adapter, linkMbps }) => ({ item: adapter, ...linkMbps })) },
  };
}

/** @param memoryBytes all memory of the machine */
export function programItems(
  { byCpu, byMemory }: TopPrograms,
  memoryBytes: number,
): Pick<Collected, 'topCpuPct' | 'topMemoryPct'> {
  return {
    topCpuPct:
      byCpu.length === 0
        ? missing('it needs two samples; this was the first, the next scan has it')
        : { items: byCpu.map(({ program, cpuPct }) => ({ item: program, value: cpuPct })) },
    // Memory that processes share counts with each of them: the sum may exceed what there is.
    topMemoryPct: {
      items: byMemory.map((use) => ({
        item: use.program,
        value: Math.min(100, (100 * use.memoryBytes) / memoryBytes),
      })),
    },
  };
}
