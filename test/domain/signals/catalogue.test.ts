/** The catalogue is whole: names, texts and what the operations guide asks for. */
import { describe, expect, test } from 'vitest';
import { declarationOf, SIGNAL_NAMES, signalOfWireName, wireName } from '../../../src/domain/signals/catalogue.ts';

/** The guide's nine and what they are called on the wire since the first version. */
const GUIDE = [
  'booted_at',
  'cpu_pct',
  'disk_pct',
  'dns_failures',
  'latency_ms',
  'log_errors',
  'memory_pct',
  'packet_loss_pct',
  'services_down',
];

describe('the catalogue', () => {
  test('has the guide’s nine under their wire names', () => {
    const guide = SIGNAL_NAMES.filter((name) => declarationOf(name).guide);
    expect(guide.map(wireName).sort()).toEqual(GUIDE);
  });

  test('has at least 34 signals, each found again by its wire name', () => {
    expect(SIGNAL_NAMES.length).toBeGreaterThanOrEqual(34);
    for (const name of SIGNAL_NAMES) expect(signalOfWireName(wireName(name))).toBe(name);
    expect(new Set(SIGNAL_NAMES.map(wireName)).size).toBe(SIGNAL_NAMES.length);
  });

  test('has texts that fit where they stand', () => {
    for (const name of SIGNAL_NAMES) {
      const { label, about, purpose, platforms } = declarationOf(name);
      expect(label.length, name).toBeLessThan(50);
      expect(about, name).toMatch(/^[A-Z−].*\.$/);
      expect(purpose, name).toMatch(/\.$/);
      expect(platforms.length, name).toBeGreaterThan(0);
    }
  });

  test('a name that nobody knows is nobody’s, that of an object’s own part too', () => {
    expect(signalOfWireName('quantum_flux')).toBeUndefined();
    expect(signalOfWireName('__proto__')).toBeUndefined();
    expect(signalOfWireName('constructor')).toBeUndefined();
  });
});
