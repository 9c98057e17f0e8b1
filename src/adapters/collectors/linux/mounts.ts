/** Reads Linux' mounted file systems: from the kernel's list on this machine, from `df` of another one. */
import { statfs } from 'node:fs/promises';
import type { Volume } from '../../../domain/signals/volumes.ts';

export interface Mount {
  device?: string | undefined;
  mount: string;
  type: string;
  readOnly: boolean;
}

const MAX_MOUNTS = 2_000;

/** Lines `device mount type options …` of /proc/mounts, with blanks in paths written as `\040`. */
export function parseProcMounts(text: string): Mount[] {
  return text
    .split('\n')
    .slice(0, MAX_MOUNTS)
    .flatMap((line) => {
      const [device, path, type, options] = line.split(' ');
      if (!path || !type || !options) return [];
      const mount = path.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
      return [{ device, mount, type, readOnly: options.split(',').includes('ro') }];
    });
}

/** Asking a server that is away would hold one of the process's four threads until it comes back. */
const REMOTE = /^(nfs|nfs4|cifs|smb3|smbfs|ceph|glusterfs|lustre|afs|9p|fuse\..*|fuse|autofs|webdav|davfs)$/;
/** Made by the kernel: neither size nor files of their own. */
const WITHOUT_SIZE =
  /^(proc|sysfs|cgroup2?|devpts|mqueue|debugfs|tracefs|securityfs|pstore|bpf|configfs|fusectl|hugetlbfs|binfmt_misc|rpc_pipefs|nsfs|efivarfs|devtmpfs|ramfs|selinuxfs)$/;

/** Sizes of this machine's local file systems; the last mount at a path is the one that is seen. */
export async function statMounts(mounts: Mount[]): Promise<Volume[]> {
  const seen = new Map(mounts.map((mount) => [mount.mount, mount]));
  const found: Volume[] = [];
  for (const { device, mount, type, readOnly } of seen.values()) {
    if (WITHOUT_SIZE.test(type) || (REMOTE.test(type) && mount !== '/')) continue;
    const stat = await statfs(mount).catch(() => null);
    if (!stat || stat.blocks === 0) continue;
    found.push({
      device,
      mount,
      type,
      readOnly,
      sizeBytes: stat.blocks * stat.bsize,
      freeBytes: stat.bfree * stat.bsize,
      availableBytes: stat.bavail * stat.bsize,
      inodes: stat.files,
      freeInodes: stat.ffree,
    });
  }
  return found;
}

/**
 * Sizes from `df -Pk`, inodes from `df -Pi` (empty where it has none), type and read-only state from the list of mounts;
 * a file system needs sizes and a type to count.
 */
export function joinDf(sizes: string, inodes: string, mounts: Mount[]): Volume[] {
  const known = new Map(mounts.map((mount) => [mount.mount, mount]));
  const inodeColumns = dfLines(inodes);
  return [...dfLines(sizes)].flatMap(([mount, [sizeKb, usedKb, availableKb]]): Volume[] => {
    const details = known.get(mount);
    if (!details) return [];
    const [total, , free] = inodeColumns.get(mount) ?? [];
    return [
      {
        ...details,
        sizeBytes: sizeKb * 1024,
        freeBytes: (sizeKb - usedKb) * 1024,
        availableBytes: Math.max(0, availableKb) * 1024,
        ...(total !== undefined && free !== undefined && { inodes: total, freeInodes: free }),
      },
    ];
  });
}

/** `device total used available 12% /mount point`. */
function dfLines(text: string): Map<string, [total: number, used: number, available: number]> {
  const lines = text.split('\n').slice(0, MAX_MOUNTS);
  return new Map(
    lines.flatMap((line): [string, [number, number, number]][] => {
      const [, total, used, available, mount] = /\s(\d+)\s+(\d+)\s+(-?\d+)\s+(?:\d+%|-)\s+(\/.*)$/.exec(line) ?? [];
      return mount ? [[mount, [Number(total), Number(used), Number(available)]]] : [];
    }),
  );
}
