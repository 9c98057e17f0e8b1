/** What node_exporter says about batteries, heat, radio, clock and the health of disks. */
import { type ItemReading, measured, missing } from '../../../domain/signals/reading.ts';
import { hottest } from '../linux/heat.ts';
import { batteryCycles, batteryHealth, MAX_BATTERIES } from '../machine/batteries.ts';
import { batteryItems, wifiItems } from '../machine/items.ts';
import { isVpnName } from '../machine/links.ts';
import { wifiRate, wifiSignal } from '../machine/wifi.ts';
import type { Collected } from '../readings.ts';
import type { Page } from './exporterReader.ts';

export function hardwareReadings(page: Page): Collected {
  return { ...power(page), ...heat(page), ...wifi(page), ...vpn(page), ...clock(page), ...diskHealth(page) };
}

function power(page: Page): Collected {
  const of = (field: string): Map<string, number> => page.byLabel(`node_power_supply_${field}`, 'power_supply');
  const supplies = page.all('node_power_supply_info');
  const batteries = supplies
    .filter(({ labels }) => labels.type === 'Battery' && labels.scope !== 'Device')
    .slice(0, MAX_BATTERIES);
  if (batteries.length === 0) return {};
  const [energy, energyDesign, charge, chargeDesign] = [
    'energy_full',
    'energy_full_design',
    'charge_full',
    'charge_full_design',
  ].map(of);
  const cycles = of('cyclecount');
  const mains = supplies.filter(({ labels }) => /^(Mains|USB)/.test(labels.type ?? ''));
  const online = of('online');
  return {
    ...batteryItems(
      measured(
        batteries.map(({ labels }) => {
          const name = labels.power_supply ?? 'battery';
          const [full, design] = energyDesign?.has(name) ? [energy, energyDesign] : [charge, chargeDesign];
          return {
            name,
            healthPct: batteryHealth(full?.get(name) ?? null, design?.get(name) ?? null),
            cycles: batteryCycles(cycles.get(name) ?? null),
          };
        }),
      ),
    ),
    onBattery:
      mains.length === 0
        ? missing('the machine does not say whether it is plugged in')
        : measured(!mains.some(({ labels }) => online.get(labels.power_supply ?? '') === 1)),
  };
}

function heat(page: Page): Collected {
  // Sensors of drives and radios are left out, as far as they bear a name.
  const others = new Set(
    page
      .all('node_hwmon_chip_names')
      .filter(({ labels }) => /^(nvme|drivetemp|iwlwifi|BAT|ucsi)/.test(labels.chip_name ?? ''))
      .map(({ labels }) => labels.chip),
  );
  const sensors = page.all('node_hwmon_temp_celsius').filter(({ labels }) => !others.has(labels.chip));
  const readings = [...page.all('node_thermal_zone_temp'), ...sensors].map(({ value }) => value);
  return readings.length === 0 ? {} : { temperatureC: hottest(readings) };
}

function wifi(page: Page): Collected {
  const signals = page.byLabel('node_wifi_station_signal_dbm', 'device');
  const rates = page.byLabel('node_wifi_station_transmit_bits_per_second', 'device');
  if (signals.size === 0) return {};
  return wifiItems(
    measured(
      [...signals].map(([adapter, dbm]) => ({
        adapter,
        signalDbm: wifiSignal(dbm),
        linkMbps: wifiRate((rates.get(adapter) ?? 0) / 1e6),
      })),
    ),
  );
}

function vpn(page: Page): Collected {
  const links = page.all('node_network_info');
  if (links.length === 0) return {};
  return {
    vpnUp: {
      items: links.flatMap(({ labels }): ItemReading<boolean>[] => {
        const { device = '', operstate } = labels;
        // Tunnels have no carrier: one that works says `unknown`.
        return isVpnName(device) ? [{ item: device, value: operstate === 'up' || operstate === 'unknown' }] : [];
      }),
    },
  };
}

/** The kernel knows its offset only while a time service disciplines it. */
function clock(page: Page): Collected {
  const offset = page.value('node_timex_offset_seconds');
  if (offset === null) return {};
  const isSynchronised = page.value('node_timex_sync_status') === 1;
  return { clockOffsetS: isSynchronised ? measured(-offset) : missing('no time service keeps the clock') };
}

function diskHealth(page: Page): Collected {
  const healthy = page.all('smartmon_device_smart_healthy');
  const used = page.all('nvme_percentage_used_ratio');
  return {
    ...(healthy.length > 0 && {
      diskFailing: {
        items: healthy.map(({ labels, value }) => ({
          item: labels.disk ?? labels.device ?? 'disk',
          value: value === 0,
        })),
      },
    }),
    ...(used.length > 0 && {
      diskWearPct: {
        items: used.map(({ labels, value }) => ({ item: labels.device ?? 'disk', value: Math.min(100, 100 * value) })),
      },
    }),
  };
}
