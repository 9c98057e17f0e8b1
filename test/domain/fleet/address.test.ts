import { describe, expect, it } from 'vitest';
import { forbiddenAddressReason, isValidHostname } from '../../../src/domain/fleet/address.ts';

describe('isValidHostname', () => {
  it.each([
    'a',
    'dev-machine-01',
    'A1.example.COM',
    '3com.net',
    `${'x'.repeat(63)}.org`,
    'xn--bcher-kva.example',
    'SALES_PC_01',
  ])('takes %s', (name) => expect(isValidHostname(name)).toBe(true));

  it.each([
    '',
    '-a',
    'a-',
    'a..b',
    '.a',
    'a.',
    'a b',
    'a/b',
    '../etc',
    'a;id',
    "a' OR 1=1",
    '$(id)',
    'a\n',
    'bücher.example',
    '10.0.1.42',
    '2852039166',
    `${'x'.repeat(64)}.org`,
    `${'abc.'.repeat(63)}abcd`,
  ])('refuses %j', (name) => expect(isValidHostname(name)).toBe(false));
});

describe('forbiddenAddressReason', () => {
  it.each([
    '10.0.1.42',
    '127.0.0.1',
    '192.168.1.1',
    '223.255.255.255',
    '169.253.0.1',
    '::1',
    'fd00::2',
    '2001:db8::1',
    '::ffff:10.0.0.1',
    '64:ff9b::10.1.2.3',
    '1:2:3:4:5:6:7:8',
    '1:2:3:4:5:6:7::',
  ])('allows %s', (ip) => expect(forbiddenAddressReason(ip)).toBeNull());

  it.each([
    ['169.254.169.254', /link-local/],
    ['169.254.0.1', /link-local/],
    ['0.0.0.0', /unspecified/],
    ['0.1.2.3', /unspecified/],
    ['224.0.0.1', /multicast/],
    ['239.255.255.255', /multicast/],
    ['240.0.0.1', /reserved/],
    ['255.255.255.255', /broadcast/],
    ['168.63.129.16', /metadata/],
    ['::ffff:168.63.129.16', /metadata/],
    ['fd00:ec2::254', /metadata/],
    ['fd00:0ec2:0:0:0:0:0:0254', /metadata/],
    ['::', /unspecified/],
    ['fe80::1', /link-local/],
    ['FE80::1%eth0', /link-local/],
    ['febf::1', /link-local/],
    ['ff02::1', /multicast/],
    ['::ffff:169.254.169.254', /link-local/],
    ['::ffff:a9fe:a9fe', /link-local/],
    ['0:0:0:0:0:ffff:a9fe:a9fe', /link-local/],
    ['::169.254.169.254', /link-local/],
    ['64:ff9b::169.254.169.254', /link-local/],
  ])('refuses %s', (ip, reason) => expect(forbiddenAddressReason(ip)).toMatch(reason));

  it.each([
    '',
    'localhost',
    '1.2.3',
    '1.2.3.4.5',
    '010.0.0.1',
    '1.2.3.256',
    '1::2::3',
    '1:2:3:4:5:6:7',
    ':1',
    '1:',
    '::g',
    '12345::',
    '1:2:3:4:5:6:7:8::',
    '1.2.3.4::',
  ])('takes %j for no address', (text) => expect(forbiddenAddressReason(text)).toBe('not an IP address'));
});
