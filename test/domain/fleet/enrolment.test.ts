import { describe, expect, test } from 'vitest';
import {
  canonicalMachineId,
  canonicalSerial,
  identifyMachine,
  type KnownMachine,
  machineName,
  ownerAddress,
  suffixedName,
} from '../../../src/domain/fleet/enrolment.ts';

const known = (more: Partial<KnownMachine> = {}): KnownMachine => ({
  endpointId: 1,
  hostname: 'pc-1',
  machineIds: ['id-1'],
  serialNumbers: ['sn-1'],
  hasToken: true,
  ...more,
});
const facts = (machineId: string | null, serialNumber: string | null, hostname = 'pc-1') => ({
  machineId,
  serialNumber,
  hostname,
});

describe('a machine', () => {
  test('that nobody knows is new', () => {
    expect(identifyMachine(facts('id-2', 'sn-2'), [], null)).toEqual({ kind: 'new', copyOf: null });
  });

  test('is itself again under another name', () => {
    expect(identifyMachine(facts('id-1', 'sn-1', 'renamed'), [known()], null)).toMatchObject({ kind: 'same' });
  });

  test('without a serial number is itself by machine id and name', () => {
    const machine = known({ serialNumbers: [] });
    expect(identifyMachine(facts('id-1', null), [machine], null)).toMatchObject({ kind: 'same' });
    expect(identifyMachine(facts('id-1', null, 'pc-2'), [machine], null)).toEqual({ kind: 'new', copyOf: 'pc-1' });
  });

  test('with a known machine id and another serial number is a copy', () => {
    expect(identifyMachine(facts('id-1', 'sn-2', 'pc-2'), [known()], null)).toEqual({ kind: 'new', copyOf: 'pc-1' });
  });

  test('is a copy even with the token that was on the disk', () => {
    expect(identifyMachine(facts('id-1', 'sn-2'), [known()], 1)).toEqual({ kind: 'new', copyOf: 'pc-1' });
  });

  test('that claims the serial number of another is refused, until that one has signed off', () => {
    expect(identifyMachine(facts('id-2', 'sn-1'), [known()], null)).toEqual({ kind: 'claimed', hostname: 'pc-1' });
    expect(identifyMachine(facts('id-2', 'sn-1'), [known({ hasToken: false })], null)).toMatchObject({ kind: 'same' });
  });

  test('with a new system and its old token is itself', () => {
    expect(identifyMachine(facts('id-2', 'sn-1'), [known()], 1)).toMatchObject({ kind: 'same' });
  });

  test('claims nothing by an id that belongs to one and a serial number of another', () => {
    const other = known({ endpointId: 2, hostname: 'pc-2', machineIds: ['id-2'], serialNumbers: ['sn-2'] });
    expect(identifyMachine(facts('id-1', 'sn-2'), [known(), other], null)).toEqual({
      kind: 'claimed',
      hostname: 'pc-2',
    });
  });
});

describe('what names no machine', () => {
  test.each([
    '',
    'To Be Filled By O.E.M.',
    'Default string',
    '0000000',
    '123456789',
    'N/A',
    'x',
    'System Serial Number',
  ])('the serial number %j', (serial) => expect(canonicalSerial(serial)).toBeNull());
  test.each(['', 'uninitialized', '00000000-0000-0000-0000-000000000000'])('the machine id %j', (id) =>
    expect(canonicalMachineId(id)).toBeNull(),
  );
  test.each(['localhost', 'localhost.localdomain', 'not a name', ''])('the name %j', (name) =>
    expect(machineName(name)).toBeNull(),
  );
  test('and what does', () => {
    expect(canonicalSerial(' PF3XK9Q1 ')).toBe('pf3xk9q1');
    expect(machineName('PC-7.Example.NET.')).toBe('pc-7.example.net');
  });
});

test.each([
  ['ann', 'ann@example.com'],
  ['CORP\\Ann', 'ann@example.com'],
  ['ann@corp.local', 'ann@example.com'],
  ['root', null],
  ['PC-7$', null],
  ['', null],
  [null, null],
  ['a b', null],
])('the owner behind the user %j', (user, owner) => {
  expect(ownerAddress(user, '{user}@example.com')).toBe(owner);
  expect(ownerAddress(user, null)).toBeNull();
});

test('a name that is taken gets a suffix, and stays a name', () => {
  expect(suffixedName('pc-7.corp', '3fa2c1')).toBe('pc-7-3fa2c1.corp');
  expect(suffixedName('a'.repeat(63), '3fa2c1')).toHaveLength(63);
});
