/** The words that search compares. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  MAX_QUERY_TERMS,
  queryTerms,
  splitCamelCase,
  stem,
  terms,
  withoutLabelValues,
} from '../../../src/domain/runbooks/lexicon.ts';

describe('splitCamelCase', () => {
  test.each([
    ['KubePodCrashLooping', 'Kube Pod Crash Looping'],
    ['CPUThrottlingHigh', 'CPU Throttling High'],
    ['etcdNoLeader', 'etcd No Leader'],
    ['ipv6', 'ipv6'],
  ])('%s → %s', (name, words) => expect(splitCamelCase(name)).toBe(words));
});

describe('stem', () => {
  test.each([
    ['fails', 'failed', 'failing', 'failure', 'failures'],
    ['expires', 'expired', 'expiration'],
    ['certificate', 'certificates', 'certification'],
    ['running', 'runs', 'run'],
    ['memory', 'memories'],
    ['disk', 'disks'],
    ['update', 'updated', 'updating', 'updates'],
    ['crash', 'crashes', 'crashed', 'crashing'],
  ])('%s and its forms meet', (...forms) => expect(new Set(forms.map(stem)).size).toBe(1));

  test('words that differ in meaning stay apart', () => {
    for (const [a, b] of [
      ['disk', 'dish'],
      ['service', 'server'],
      ['dns', 'dn'],
      ['status', 'state'],
      ['address', 'add'],
    ] as const) {
      expect(stem(a)).not.toBe(stem(b));
    }
  });
});

describe('terms', () => {
  test('drops filler, accents and case; keeps the words that name a fault', () => {
    expect(terms('Why is the Café printer NOT up?')).toEqual(['caf', 'print', 'not']);
  });
  test('an abbreviation meets its word', () => {
    expect(terms('RAM on k8s, Wi-Fi cert')).toEqual(terms('memory on kubernetes, wifi certificate'));
  });
  test('languages without spaces become pairs of signs', () => {
    expect(terms('磁盘已满')).toEqual(['磁盘', '盘已', '已满']);
  });
});

describe('withoutLabelValues', () => {
  test.each([
    ['Pod payments/checkout-7d9f8b6c5-x2x9p is down', 'Pod is down'],
    ['Filesystem on /var/lib at 10.0.3.17:9100 has 7.3% left', 'Filesystem on at has left'],
    ['severity="info" fires for 15m', 'fires for'],
    ['host db01.example.com:5432 refuses', 'host refuses'],
    ['kubelet on worker-3 fails', 'kubelet on fails'],
    ['request 123e4567-e89b-12d3-a456-426614174000 failed', 'request failed'],
    ['fe80::1ff:fe23:4567:890a drops', 'drops'],
  ])('%s', (query, left) => expect(withoutLabelValues(query)).toBe(left));

  test.each(['0x80070005', 'KB5034441', 'ipv6', 'p95', 'h264', 'read/write'])('%s says what and stays', (word) =>
    expect(withoutLabelValues(`error ${word}`)).toContain(word),
  );
});

describe('queryTerms', () => {
  test('of nothing but values, the values', () => expect(queryTerms('10.0.0.1')).toEqual(['10', '0', '1']));
  test('any text gives at most a bounded number of distinct keys without operators or quotes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 3_000 }), (text) => {
        const keys = queryTerms(text);
        expect(keys.length).toBeLessThanOrEqual(MAX_QUERY_TERMS);
        expect(new Set(keys).size).toBe(keys.length);
        for (const key of keys) expect(key).toMatch(/^[\p{L}\p{N}]+$/u);
      }),
    );
  });
});
