/** Reads Linux' Wi-Fi: the kernel's own table, and `iw` or NetworkManager where they are installed. */
import { MAX_ADAPTERS, type WifiLink, wifiRate, wifiSignal, wifiSignalFromQuality } from '../machine/wifi.ts';

/** Fields of /proc/net/wireless: `wlan0: 0000   54.  -56.  -256 …`, the third being the level in dBm. */
export function parseProcWireless(text: string): WifiLink[] {
  return [...text.matchAll(/^\s*([\w.-]+):\s+\S+\s+\S+\s+(-?\d+)\.?/gm)]
    .slice(0, MAX_ADAPTERS)
    .map(([, name, level]) => ({
      adapter: name ?? '',
      signalDbm: wifiSignal(Number(level)),
      linkMbps: wifiRate(null),
    }));
}

/** Output of `iw dev NAME link`, one after the other, each under a line `@NAME`. */
export function parseIwLinks(text: string): WifiLink[] {
  return text
    .split(/^@/m)
    .slice(1, MAX_ADAPTERS + 1)
    .flatMap((part) => {
      const adapter = part.split('\n', 1)[0]?.trim();
      if (!adapter || !/^Connected to/m.test(part)) return [];
      return [
        {
          adapter,
          signalDbm: wifiSignal(numberIn(part, /^\s*signal: (-?\d+(?:\.\d+)?) dBm/m)),
          linkMbps: wifiRate(numberIn(part, /^\s*tx bitrate: ([\d.]+) MBit\/s/m)),
        },
      ];
    });
}

/** Output of `nmcli -t -f ACTIVE,DEVICE,SIGNAL,RATE device wifi list`: `yes:wlan0:72:540 Mbit/s`. */
export function parseNmcliWifi(text: string): WifiLink[] {
  return [...text.matchAll(/^yes:([^:\n]+):(\d+):([\d.]+) Mbit\/s/gm)]
    .slice(0, MAX_ADAPTERS)
    .map(([, name, signal, rate]) => ({
      adapter: name ?? '',
      signalDbm: wifiSignalFromQuality(Number(signal)),
      linkMbps: wifiRate(Number(rate)),
    }));
}

/** One entry an adapter: the first source that knows a figure gives it. */
export function mergeWifi(...sources: WifiLink[][]): WifiLink[] {
  const links = new Map<string, WifiLink>();
  for (const link of sources.flat()) {
    const known = links.get(link.adapter);
    links.set(link.adapter, {
      adapter: link.adapter,
      signalDbm: known && 'value' in known.signalDbm ? known.signalDbm : link.signalDbm,
      linkMbps: known && 'value' in known.linkMbps ? known.linkMbps : link.linkMbps,
    });
  }
  return [...links.values()];
}

function numberIn(text: string, pattern: RegExp): number | null {
  const digits = pattern.exec(text)?.[1];
  return digits === undefined ? null : Number(digits);
}
