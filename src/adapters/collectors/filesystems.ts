/** Makes readings of a machine's mounted file systems: its own writable disks count, the others are set aside. */
import { type ItemReading, missing } from '../../domain/signals/reading.ts';
import type { Collected } from './readings.ts';

export interface Filesystem {
  mount: string;
  /** As the system names it: `ext4`, `apfs`, `NTFS`. */
  type: string;
  readOnly: boolean;
  sizeBytes: number;
  /** Free space, root's reserve included. */
  freeBytes: number;
  /** Free space that ordinary users may fill. */
  availableBytes: number;
  /** Undefined where the system does not say; 0 where a file system has no fixed number. */
  inodes?: number;
  freeInodes?: number;
}

/** Kept in memory, made by the kernel, or an image that is full by nature. */
const NO_DISK =
  /^(autofs|binfmt_misc|bpf|cgroup2?|configfs|cramfs|debugfs|devfs|devpts|devtmpfs|efivarfs|erofs|fusectl|hugetlbfs|iso9660|mqueue|none|nsfs|nullfs|proc|procfs|pstore|ramfs|rpc_pipefs|securityfs|selinuxfs|squashfs|sysfs|tmpfs|tracefs|udf)$/i;
/** Someone else's disk (the network's, the container host's); it counts only where the machine has no other root. */
const BORROWED = /^(9p|afpfs|aufs|ceph|cifs|fuse(\..*)?|glusterfs|lustre|nfs4?|overlay|smb3|smbfs|virtiofs|webdav)$/i;

/** A thousand mounts are more than anybody reads; of those that count, the fullest stay. */
const MAX_VOLUMES = 64;

/**
 * Use, free space and inodes of every volume, the fullest own disk first; of equally full ones (bind mounts of one disk)
 * the one with the shortest path. Use is counted as `df` does: used / (used + available to users).
 */
export function volumeReadings(filesystems: Filesystem[]): Collected {
  const volumes = filesystems
    .map((filesystem) => ({ filesystem, usedPct: usedPctOf(filesystem), counts: isOwnDisk(filesystem) }))
    .filter(({ usedPct }) => Number.isFinite(usedPct))
    .sort(
      (a, b) =>
        Number(b.counts) - Number(a.counts) ||
        b.usedPct - a.usedPct ||
        a.filesystem.mount.length - b.filesystem.mount.length,
    )
    .slice(0, MAX_VOLUMES);
  if (!volumes.some(({ counts }) => counts)) {
    const none = missing('no writable file system of its own was reported');
    return { diskPct: none, diskFreeBytes: none, inodesPct: none };
  }
  const own = volumes.filter(({ counts }) => counts).map(({ filesystem }) => filesystem);
  const shown = (each: (typeof volumes)[number], value: number): ItemReading<number> => ({
    item: each.filesystem.mount,
    value,
    ...(!each.counts && { setAside: `${each.filesystem.type} is no disk of its own` }),
  });
  return {
    diskPct: { items: volumes.map((each) => shown(each, each.usedPct)) },
    diskFreeBytes: { items: volumes.map((each) => shown(each, each.filesystem.availableBytes)) },
    inodesPct: {
      items: own.flatMap(({ mount, inodes, freeInodes }) =>
        inodes && freeInodes !== undefined ? [{ item: mount, value: 100 * (1 - freeInodes / inodes) }] : [],
      ),
    },
  };
}

function usedPctOf({ sizeBytes, freeBytes, availableBytes }: Filesystem): number {
  const usedBytes = sizeBytes - freeBytes;
  return (100 * usedBytes) / (usedBytes + availableBytes);
}

function isOwnDisk({ mount, type, readOnly, sizeBytes }: Filesystem): boolean {
  if (readOnly || !(sizeBytes > 0) || NO_DISK.test(type)) return false;
  return !BORROWED.test(type) || mount === '/';
}
