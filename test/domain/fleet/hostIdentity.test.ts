/** Canonical hosts, and whom they mean; the quoted lines stand for whole kinds of what senders write. */
import { describe, expect, test } from 'vitest';
import {
  type Alias,
  canonicalHost,
  DEFAULT_HOST_LABELS,
  hostIndex,
  hostsOfLabels,
  matchEndpoint,
} from '../../../src/domain/fleet/hostIdentity.ts';
import { canonicalIp } from '../../../src/domain/fleet/ipAddress.ts';

describe('"Names and addresses are made canonical once": case, trailing dot, port, URL, RFC 5952, mapped IPv4, zones', () => {
  test.each([
    ['LAB-PC-07', 'lab-pc-07'],
    [' lab-pc-07 ', 'lab-pc-07'],
    ['LAB-PC-08.CORP.EXAMPLE.NET.:9100', 'lab-pc-08.corp.example.net'],
    ['pc.example.net.', 'pc.example.net'],
    ['https://PC.example.net:9182/metrics?x=1', 'pc.example.net'],
    ['ssh://admin@pc-7:22', 'pc-7'],
    ['http://[2001:DB8::A]:9100/probe', '2001:db8::a'],
    ['[2001:0db8:0000:0000:0000:0000:0000:000b]:9100', '2001:db8::b'],
    ['2001:DB8:0:0::A', '2001:db8::a'],
    ['::ffff:10.20.0.7', '10.20.0.7'],
    ['[::FFFF:0a14:0007]:9100', '10.20.0.7'],
    ['fe80::1%eth0', 'fe80::1'],
    ['[fe80::1%25eth0]:9100', 'fe80::1'],
    ['10.20.0.7:9100', '10.20.0.7'],
    ['10.20.0.7/24', '10.20.0.7'],
    ['SALES_PC_01', 'sales_pc_01'],
    ['', ''],
  ])('%j is %j', (written, canonical) => {
    expect(canonicalHost(written)).toBe(canonical);
    expect(canonicalHost(canonical)).toBe(canonical);
  });

  // RFC 5952, section 4: leading zeros, the longest run, the first of equal runs, a single zero group.
  test.each([
    ['2001:0db8::0001', '2001:db8::1'],
    ['2001:db8:0:0:0:0:2:1', '2001:db8::2:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['0:0:0:0:0:0:0:0', '::'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['fe80:0:0:0:0:0:0:0', 'fe80::'],
    ['010.0.0.1', null],
    ['pc', null],
  ])('the address %s is %s', (written, canonical) => expect(canonicalIp(written)).toBe(canonical));
});

test('"the labels people really use (hostname, host, nodename, host.name, instance …) in a configurable order"', () => {
  const of = (labels: Record<string, string>, order: readonly string[] = DEFAULT_HOST_LABELS) =>
    hostsOfLabels(labels, order);
  expect(of({ instance: '10.0.0.7:9100', nodename: 'PC-7' })).toEqual(['pc-7', '10.0.0.7']);
  expect(of({ 'host.name': 'PC-7' })).toEqual(['pc-7']);
  expect(of({ host_name: 'PC-7.' })).toEqual(['pc-7']);
  expect(of({ Hostname: 'PC-7', instance: 'pc-7:9100' })).toEqual(['pc-7']);
  expect(of({ asset: 'pc-1', instance: 'pc-2:9100' }, ['asset'])).toEqual(['pc-1']);
  expect(of({ alertname: 'X', job: 'node' })).toEqual([]);
});

const said = (value: string): Alias => ({ kind: 'name', value, source: 'said' });
const derived = (value: string): Alias => ({ kind: 'name', value, source: 'derived' });
const seen = (value: string): Alias => ({ kind: 'name', value, source: 'seen' });
let ids = 0;
const pc = (hostname: string, ipAddress: string | null = null, ...aliases: Alias[]) => ({
  id: ++ids,
  hostname,
  ipAddress,
  aliases: hostname.includes('.') ? [derived(hostname.split('.')[0] as string), ...aliases] : aliases,
});

describe('"short name = FQDN when exactly one endpoint fits"; ambiguity is said, never guessed', () => {
  const fleet = hostIndex([
    pc('lab-pc-07', '10.20.0.7'),
    pc('lab-pc-08.corp.example.net'),
    pc('twin.a.example.net', '10.20.0.99'),
    pc('twin.b.example.net', '10.20.0.99'),
    pc('renamed', null, said('old-name.example.net'), seen('localhost')),
  ]);
  const meant = (...hosts: string[]) => {
    const match = matchEndpoint(hosts, fleet);
    return match.kind === 'found'
      ? match.endpoint.hostname
      : match.kind === 'none'
        ? null
        : match.among.map(({ hostname }) => hostname);
  };

  test.each([
    [['lab-pc-07.corp.example.net'], 'lab-pc-07'],
    [['lab-pc-08'], 'lab-pc-08.corp.example.net'],
    [['lab-pc-08.other.example.net'], null],
    [['twin'], ['twin.a.example.net', 'twin.b.example.net']],
    [['twin.a.example.net'], 'twin.a.example.net'],
    [['twin.c.example.net'], null],
    [['10.20.0.99'], ['twin.a.example.net', 'twin.b.example.net']],
    [['10.20.0.99', 'twin.b.example.net'], 'twin.b.example.net'],
    [['twin', '10.20.0.7'], 'lab-pc-07'],
    [['old-name.example.net'], 'renamed'],
    [['localhost'], null],
    [['nobody', '10.20.0.7'], 'lab-pc-07'],
    [['lab-pc-07.corp.example.net', 'lab-pc-08.corp.example.net'], 'lab-pc-07'],
  ])('%j means %j', (hosts, expected) => expect(meant(...hosts)).toEqual(expected));
});
