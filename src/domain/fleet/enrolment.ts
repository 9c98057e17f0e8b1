/** Enrolment: whether a machine that presents itself is new, known already, a copy of a known one, or claims to be another. */
import type { OsPlatform } from '../signals/declaration.ts';
import { isValidHostname } from './address.ts';
import { canonicalHost } from './hostIdentity.ts';

/** What a machine says of itself when it enrols. */
export interface MachineFacts {
  hostname: string;
  osPlatform: OsPlatform;
  osVersion: string | null;
  model: string | null;
  serialNumber: string | null;
  /** The installation's own id: /etc/machine-id, IOPlatformUUID or MachineGuid. */
  machineId: string | null;
  /** Who is logged in, or was last. */
  user: string | null;
}

/** What a registered endpoint is known by. */
export interface KnownMachine {
  endpointId: number;
  hostname: string;
  machineIds: readonly string[];
  serialNumbers: readonly string[];
  /** Whether an agent of it may report; false once its agent was uninstalled. */
  hasToken: boolean;
}

export type MachineIdentity =
  | { kind: 'new' /** The machine whose image this one was made from. */; copyOf: string | null }
  | { kind: 'same'; machine: KnownMachine }
  /** It claims the serial number of `hostname`. */
  | { kind: 'claimed'; hostname: string };

/** What firmware says where the manufacturer wrote nothing; compared without case, spaces and punctuation. */
const NO_SERIAL = new Set([
  '',
  'none',
  'na',
  'null',
  'unknown',
  'default',
  'defaultstring',
  'notspecified',
  'notapplicable',
  'notavailable',
  'tobefilledbyoem',
  'systemserialnumber',
  'serialnumber',
  'chassisserialnumber',
  'oem',
  'invalid',
]);

/** A serial number in canonical form; null for what names no machine: `To be filled by O.E.M.`, `0000`, `123456789`. */
export function canonicalSerial(text: string | null): string | null {
  const serial = (text ?? '').trim().toLowerCase();
  const plain = serial.replace(/[^a-z0-9]/g, '');
  if (NO_SERIAL.has(plain) || plain.length < 4 || /^(.)\1*$/.test(plain)) return null;
  if ('0123456789'.startsWith(plain) || '1234567890'.startsWith(plain)) return null;
  return serial.slice(0, 128);
}

/** A machine id in canonical form; null for an empty one and for one that every image has until its first start. */
export function canonicalMachineId(text: string | null): string | null {
  const id = (text ?? '').trim().toLowerCase();
  const plain = id.replace(/[^a-z0-9]/g, '');
  return plain.length < 8 || plain === 'uninitialized' || /^(.)\1*$/.test(plain) ? null : id.slice(0, 128);
}

/**
 * Which machine this is. The machine id decides, where the serial number does not contradict it: two serial numbers with one
 * machine id are two machines from one image. A serial number alone proves nothing, since everybody can read it off the
 * case: who claims one that another machine id enrolled is refused, until that machine's agent has signed off.
 *
 * @param facts with canonical serial number and machine id
 * @param known the machines that have the machine id or the serial number
 * @param proved the endpoint whose valid token the machine presents
 */
export function identifyMachine(
  { serialNumber, machineId, hostname }: Pick<MachineFacts, 'serialNumber' | 'machineId' | 'hostname'>,
  known: readonly KnownMachine[],
  proved: number | null,
): MachineIdentity {
  const hasId = ({ machineIds }: KnownMachine) => machineId !== null && machineIds.includes(machineId);
  const hasSerial = ({ serialNumbers }: KnownMachine) => serialNumber !== null && serialNumbers.includes(serialNumber);
  const otherSerial = (machine: KnownMachine) =>
    serialNumber !== null && machine.serialNumbers.length > 0 && !hasSerial(machine);
  const otherId = (machine: KnownMachine) => machineId !== null && machine.machineIds.length > 0 && !hasId(machine);

  const own = known.find(({ endpointId }) => endpointId === proved);
  if (own && !otherSerial(own) && !(otherId(own) && serialNumber === null)) return { kind: 'same', machine: own };

  const holder = known.find((machine) => hasSerial(machine));
  if (holder && !otherId(holder)) return { kind: 'same', machine: holder };
  if (holder)
    return holder.hasToken ? { kind: 'claimed', hostname: holder.hostname } : { kind: 'same', machine: holder };

  const alike = known.filter((machine) => hasId(machine));
  const same = alike.find((machine) => !otherSerial(machine) && isSameWithoutSerial(machine, serialNumber, hostname));
  if (same) return { kind: 'same', machine: same };
  return { kind: 'new', copyOf: (alike[0] ?? own)?.hostname ?? null };
}

/** Without serial numbers on both sides only a name can tell a renamed machine's copy from the machine itself. */
function isSameWithoutSerial({ hostname }: KnownMachine, serialNumber: string | null, presented: string): boolean {
  return serialNumber !== null || hostname === presented;
}

/** The name under which a machine is registered; null when what it says is no hostname. */
export function machineName(hostname: string): string | null {
  const name = canonicalHost(hostname);
  return isValidHostname(name) && !/^localhost(\.|$)/.test(name) ? name : null;
}

/** The name for a machine whose own is taken by another: `pc-7.corp` with `3fa2c1` is `pc-7-3fa2c1.corp`. */
export function suffixedName(hostname: string, suffix: string): string {
  const [label = '', ...rest] = hostname.split('.');
  return [`${label.slice(0, 62 - suffix.length)}-${suffix}`, ...rest].join('.');
}

/** Accounts of systems, which are nobody's address. */
const NOBODY =
  /^(root|system|nobody|gdm|gdm3|lightdm|sddm|setup|_mbsetupuser|loginwindow|administrator|defaultuser\d*|.*\$)$/i;

/**
 * The owner's mail address by a directory rule such as `{user}@example.com`; null where the rule or the user gives none.
 * @param user as the system names it: `ann`, `CORP\ann` or `ann@corp.example`
 */
export function ownerAddress(user: string | null, rule: string | null): string | null {
  const name = (user ?? '').trim().replace(/^.*\\/, '').replace(/@.*$/, '').toLowerCase();
  if (rule === null || !/^[a-z0-9][a-z0-9._+-]{0,63}$/.test(name) || NOBODY.test(name)) return null;
  return rule.replaceAll('{user}', name).toLowerCase();
}
