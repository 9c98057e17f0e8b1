/** What the machine is: its name, system, model, numbers and user, as an enrolment asks for them. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { hostname, release, userInfo } from 'node:os';

/** The body of an enrolment, with the field names of the wire. */
export interface MachineFactsWire {
  hostname: string;
  os_platform: 'linux' | 'macos' | 'windows' | 'other';
  os_version: string | null;
  model: string | null;
  serial_number: string | null;
  machine_id: string | null;
  user: string | null;
}

type Numbers = Omit<MachineFactsWire, 'hostname' | 'os_platform'>;

const TIMEOUT_MS = 20_000;

export async function machineFacts(): Promise<MachineFactsWire> {
  const readers: Partial<Record<NodeJS.Platform, [MachineFactsWire['os_platform'], () => Promise<Numbers>]>> = {
    linux: ['linux', linuxNumbers],
    darwin: ['macos', macNumbers],
    win32: ['windows', windowsNumbers],
  };
  const [os_platform, read] = readers[process.platform] ?? ['other', otherNumbers];
  return { hostname: hostname(), os_platform, ...(await read()) };
}

/** The id of this installation of the system; null where it has none. */
export async function machineId(): Promise<string | null> {
  if (process.platform === 'linux') return linuxMachineId();
  return (await machineFacts()).machine_id;
}

async function linuxMachineId(): Promise<string | null> {
  return (await textOf('/etc/machine-id')) ?? (await textOf('/var/lib/dbus/machine-id'));
}

async function linuxNumbers(): Promise<Numbers> {
  const release = (await textOf('/etc/os-release')) ?? '';
  const [, version = null] = /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(release) ?? [];
  const vendor = await textOf('/sys/class/dmi/id/sys_vendor');
  const product = (await textOf('/sys/class/dmi/id/product_name')) ?? (await textOf('/proc/device-tree/model'));
  const sessions = await outputOf('loginctl', ['list-sessions', '--no-legend']);
  return {
    os_version: version,
    model: [vendor, product].filter(Boolean).join(' ') || null,
    // Only root may read it, as which the agent is installed.
    serial_number:
      (await textOf('/sys/class/dmi/id/product_serial')) ?? (await textOf('/proc/device-tree/serial-number')),
    machine_id: await linuxMachineId(),
    user: userOfSessions(sessions),
  };
}

/** `SESSION UID USER SEAT TTY`: who sits at the machine, first of all people who are logged in. */
export function userOfSessions(sessions: string): string | null {
  const rows = sessions.split('\n').map((line) => line.trim().split(/\s+/));
  const people = rows.filter(([, uid]) => Number(uid) >= 1000 && Number(uid) < 60_000);
  const atSeat = people.find(([, , , seat]) => seat?.startsWith('seat'));
  return (atSeat ?? people[0])?.[2] ?? null;
}

async function macNumbers(): Promise<Numbers> {
  const registry = await outputOf('/usr/sbin/ioreg', ['-rd1', '-c', 'IOPlatformExpertDevice']);
  const value = (name: string) => new RegExp(`"${name}" = <?"([^"]*)"`).exec(registry)?.[1] ?? null;
  const version = (await outputOf('/usr/bin/sw_vers', ['-productVersion'])).trim();
  const user = (await outputOf('/usr/bin/stat', ['-f', '%Su', '/dev/console'])).trim();
  return {
    os_version: version === '' ? null : `macOS ${version}`,
    model: value('model'),
    serial_number: value('IOPlatformSerialNumber'),
    machine_id: value('IOPlatformUUID'),
    user: user || null,
  };
}

const WINDOWS_SCRIPT = `
$system = Get-CimInstance Win32_ComputerSystem
ConvertTo-Json -Compress @{
  os = (Get-CimInstance Win32_OperatingSystem).Caption
  model = ($system.Manufacturer + ' ' + $system.Model).Trim()
  serial = (Get-CimInstance Win32_BIOS).SerialNumber
  id = (Get-ItemProperty 'HKLM:\\SOFTWARE\\Microsoft\\Cryptography').MachineGuid
  user = $system.UserName
}`;

async function windowsNumbers(): Promise<Numbers> {
  const encoded = Buffer.from(WINDOWS_SCRIPT, 'utf16le').toString('base64');
  const text = await outputOf('powershell.exe', ['-NoProfile', '-NonInteractive', '-EncodedCommand', encoded]);
  let read: Record<string, unknown> = {};
  try {
    read = JSON.parse(text) as Record<string, unknown>;
  } catch {
    // Without PowerShell there are no numbers, and the server says that it needs one.
  }
  const value = (name: string) => (typeof read[name] === 'string' && read[name] !== '' ? read[name] : null);
  return {
    os_version: value('os'),
    model: value('model'),
    serial_number: value('serial'),
    machine_id: value('id'),
    user: value('user'),
  };
}

async function otherNumbers(): Promise<Numbers> {
  return {
    os_version: `${process.platform} ${release()}`,
    model: null,
    serial_number: null,
    machine_id: await linuxMachineId(),
    user: userInfo().username,
  };
}

async function textOf(file: string): Promise<string | null> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.replaceAll('\0', '').trim() || null;
}

/** What a program prints; empty when it fails or is not there. */
function outputOf(program: string, args: string[]): Promise<string> {
  return new Promise((resolve) => {
    execFile(program, args, { timeout: TIMEOUT_MS, windowsHide: true, maxBuffer: 1024 * 1024 }, (error, stdout) =>
      resolve(error ? '' : stdout),
    );
  });
}
