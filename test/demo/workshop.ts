/** Where the filling machine is repaired: its disk is a folder, cleaned by Ansible over SSH where both are installed, else by a stand-in. */
import { readdirSync, statSync } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PlaybookRunner } from '../../src/core/ports/ports.ts';
import { findBinary } from '../helpers/findBinary.ts';
import { sshdBinary, startSshd } from '../helpers/sshd.ts';

/** What the folder holds stands for a thousand thousand times as much: 1 KiB is 1 GB of a disk of 512 GB. */
const BYTES_PER_GB = 1024;
const DISK_GB = 512;
/** System and documents, which no playbook touches. */
const KEPT_PCT = 41;
const FILE_GB = 8;

export interface Workshop {
  /** The machine's address, and the options that let a playbook reach it. */
  address: string;
  options: Record<string, string>;
  keysDir: string;
  /** Null: the real one. */
  runner: PlaybookRunner | null;
  /** What is real and what is not. */
  label: string;
  stop(): Promise<void>;
}

/** The machine's temporary files. */
export interface Disk {
  folder: string;
  usedPct(): number;
  /** Writes files until so much is used. */
  fillTo(pct: number): Promise<void>;
}

export async function createDisk(folder: string): Promise<Disk> {
  await mkdir(folder, { recursive: true });
  let written = 0;
  const usedPct = () => {
    const sizes = readdirSync(folder).map((name) => statSync(join(folder, name)).size);
    return KEPT_PCT + (sizes.reduce((sum, size) => sum + size, 0) / BYTES_PER_GB / DISK_GB) * 100;
  };
  return {
    folder,
    usedPct,
    async fillTo(pct) {
      for (let gb = ((pct - usedPct()) / 100) * DISK_GB; gb > 0; gb -= FILE_GB) {
        const bytes = Math.round(Math.min(gb, FILE_GB) * BYTES_PER_GB);
        await writeFile(join(folder, `build-${++written}.tmp`), Buffer.alloc(bytes));
      }
    },
  };
}

/** An exporter's machine is repaired over port 22, which only root may open. */
const SSH_ADDRESS = '127.0.0.22';
const SSH_PORT = 22;

/** @param ansible whether it may be real */
export async function openWorkshop(disk: Disk, ansible: boolean): Promise<Workshop> {
  const canBeReal =
    ansible &&
    process.platform === 'linux' &&
    process.getuid?.() === 0 &&
    sshdBinary() !== null &&
    ['ansible-playbook', 'ssh-keyscan'].every((program) => findBinary(program) !== null);
  const sshd = canBeReal ? await startSshd(SSH_ADDRESS, SSH_PORT).catch(() => null) : null;
  if (!sshd) return standIn(disk);
  return {
    address: SSH_ADDRESS,
    options: { username: sshd.username, private_key_file: 'id_ed25519', host_key_sha256: sshd.hostKeySha256 },
    keysDir: sshd.keysDir,
    runner: null,
    label: 'real Ansible over a real SSH server on this machine deletes the files of the folder that plays the disk',
    stop: () => sshd.stop(),
  };
}

function standIn(disk: Disk): Workshop {
  return {
    address: '127.0.0.1',
    options: {},
    keysDir: '',
    runner: {
      blockingReason: async () => null,
      async run() {
        const names = await readdir(disk.folder);
        await Promise.all(names.map((name) => rm(join(disk.folder, name))));
        const task = { name: 'Delete old temporary files', status: 'changed' as const, durationMs: null };
        return {
          ok: true,
          reason: null,
          tasks: [{ ...task, message: `${names.length} files` }],
          stats: { files: names.length },
        };
      },
    },
    label:
      'a stand-in for Ansible deletes the files of the folder that plays the disk (with Ansible, sshd and root on Linux it is real)',
    stop: async () => {},
  };
}
