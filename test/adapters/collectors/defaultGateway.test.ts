import { expect, it } from 'vitest';
import { gatewayIn } from '../../../src/adapters/collectors/defaultGateway.ts';
import { fixture } from '../../helpers/fixture.ts';

it('is the gateway of the default route with the lowest metric', () => {
  expect(gatewayIn(fixture('linux/route.txt'))).toBe('192.0.2.1');
  const two =
    'wlan0\t00000000\tFE02000A\t0003\t0\t0\t600\nvpn0\t00000000\t0101A8C0\t0003\t0\t0\t50\neth0\t0002000A\t00000000\t0001\t0\t0\t0';
  expect(gatewayIn(two)).toBe('192.168.1.1');
  expect(gatewayIn('')).toBeNull();
});
