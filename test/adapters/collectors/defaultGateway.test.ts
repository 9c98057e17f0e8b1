import { expect, it } from 'vitest';
import { gatewayIn, macGatewayIn, windowsGatewayIn } from '../../../src/adapters/collectors/defaultGateway.ts';
import { fixture } from '../../helpers/fixture.ts';

it('is the gateway of the default route with the lowest metric', () => {
  expect(gatewayIn(fixture('linux/route.txt'))).toBe('192.0.2.1');
  const two =
    'wlan0\t00000000\tFE02000A\t0003\t0\t0\t600\nvpn0\t00000000\t0101A8C0\t0003\t0\t0\t50\neth0\t0002000A\t00000000\t0001\t0\t0\t0';
  expect(gatewayIn(two)).toBe('192.168.1.1');
  expect(gatewayIn('')).toBeNull();
});

it('a Mac names its gateway in a line of its own', () => {
  const text = '   route to: default\ndestination: default\n    gateway: 192.0.2.254\n  interface: en0\n';
  expect(macGatewayIn(text)).toBe('192.0.2.254');
  expect(macGatewayIn('route: writing to routing socket: not in table')).toBeNull();
  expect(macGatewayIn('    gateway: link#14')).toBeNull();
});

it('on Windows it is the default route with the lowest metric, in any language', () => {
  const text = [
    'IPv4-Routentabelle',
    'Netzwerkziel    Netzwerkmaske          Gateway    Schnittstelle Metrik',
    '          0.0.0.0          0.0.0.0      198.51.100.1     198.51.100.17     50',
    '          0.0.0.0          0.0.0.0        192.0.2.1       192.0.2.17     25',
  ].join('\r\n');
  expect(windowsGatewayIn(text)).toBe('192.0.2.1');
  expect(windowsGatewayIn('Ständige Routen:\r\n  Keine')).toBeNull();
});
