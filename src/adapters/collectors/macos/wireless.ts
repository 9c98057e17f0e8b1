/** Reads a Mac's Wi-Fi from System Information. */
import { measured, missing, type Reading } from '../../../domain/signals/reading.ts';
import { MAX_ADAPTERS, type WifiLink, wifiRate, wifiSignal } from '../machine/wifi.ts';
import { entriesOf, firstNumber, isObject, objectsIn } from './systemProfiler.ts';

/** Output of `system_profiler SPAirPortDataType -json`; an interface that is not connected makes no entry. */
export function parseAirPort(output: string): Reading<WifiLink[]> {
  const entries = entriesOf(output, 'SPAirPortDataType');
  if (entries === null) return missing('system_profiler gives no Wi-Fi data');
  const interfaces = entries.flatMap((entry) => objectsIn(entry.spairport_airport_interfaces));
  return measured(
    interfaces.slice(0, MAX_ADAPTERS).flatMap((each): WifiLink[] => {
      const network = each.spairport_current_network_information;
      if (!isObject(network)) return [];
      return [
        {
          adapter: String(each._name ?? 'Wi-Fi').slice(0, 64),
          signalDbm: wifiSignal(firstNumber(network.spairport_signal_noise)),
          linkMbps: wifiRate(firstNumber(network.spairport_network_rate)),
        },
      ];
    }),
  );
}
