/** Finds this machine's default gateway: from the kernel's table on Linux, from what the system's own tool prints elsewhere. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';

const TIMEOUT_MS = 5_000;

/** Address of the default gateway; null when there is none. */
export async function defaultGateway(): Promise<string | null> {
  if (process.platform === 'linux') return gatewayIn(await readFile('/proc/net/route', 'utf8').catch(() => ''));
  if (process.platform === 'win32') return windowsGatewayIn(await printed('route', ['print', '-4', '0.0.0.0']));
  return macGatewayIn(await printed('/sbin/route', ['-n', 'get', 'default']));
}

function printed(program: string, args: string[]): Promise<string> {
  return new Promise((resolve) => {
    execFile(program, args, { timeout: TIMEOUT_MS, windowsHide: true }, (error, stdout) =>
      resolve(error ? '' : stdout),
    );
  });
}

/** `gateway: 192.0.2.1` among the lines of macOS' route. */
export function macGatewayIn(text: string): string | null {
  const [, address = ''] = /^\s*gateway:\s*([^\s%]+)/m.exec(text) ?? [];
  return isIP(address) ? address : null;
}

/** The row of Windows' table whose destination and mask are zero, with the lowest metric, whatever the language of its headings. */
export function windowsGatewayIn(text: string): string | null {
  const rows = text.matchAll(/^\s*0\.0\.0\.0\s+0\.0\.0\.0\s+([\d.]+)\s+[\d.]+\s+(\d+)\s*$/gm);
  const best = [...rows].sort((a, b) => Number(a[2]) - Number(b[2]))[0]?.[1] ?? '';
  return isIP(best) ? best : null;
}

const IS_GATEWAY = 2;

/** The IPv4 route to 0.0.0.0 with the lowest metric; the kernel prints addresses as little-endian hexadecimals. */
export function gatewayIn(routes: string): string | null {
  const found = routes.split('\n').flatMap((line) => {
    const [, destination, gateway, flags, , , metric] = line.trim().split(/\s+/);
    if (destination !== '00000000' || !gateway || !(Number.parseInt(flags ?? '', 16) & IS_GATEWAY)) return [];
    const bytes = gateway.match(/../g)?.map((byte) => Number.parseInt(byte, 16)) ?? [];
    return [{ address: bytes.reverse().join('.'), metric: Number(metric) }];
  });
  return found.sort((a, b) => a.metric - b.metric)[0]?.address ?? null;
}
