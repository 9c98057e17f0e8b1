/** Reads Windows' Wi-Fi from `netsh wlan show interfaces`, in whatever language Windows speaks. */
import { MAX_ADAPTERS, type WifiLink, wifiRate, wifiSignalFromQuality } from '../machine/wifi.ts';

/**
 * The labels are translated, the order and the values are not: a block an interface, its name first, the only value in
 * percent is the signal, and the larger of the two lines that name `Mbps` (or `MBit/s`) is the link's rate.
 */
export function parseNetshInterfaces(output: string): WifiLink[] {
  const blocks = output.split(/\r?\n\s*\r?\n/);
  return blocks.slice(0, MAX_ADAPTERS * 4).flatMap((block): WifiLink[] => {
    const quality = /:\s*(\d{1,3})\s?%\s*$/m.exec(block)?.[1];
    const name = /^\s+\S[^:\n]*:\s*(.+?)\s*$/m.exec(block)?.[1];
    if (quality === undefined || name === undefined) return [];
    const rates = [...block.matchAll(/\((?:Mbps|Mbit\/s|MBit\/s)\)\s*:\s*([\d.,]+)\s*$/gim)].map(([, rate]) =>
      Number(rate?.replace(',', '.')),
    );
    return [
      {
        adapter: name.slice(0, 64),
        signalDbm: wifiSignalFromQuality(Number(quality)),
        linkMbps: wifiRate(rates.length === 0 ? null : Math.max(...rates)),
      },
    ];
  });
}
