/** Decides which mounted file systems are the machine's own writable disks and which of them is the fullest. */
import { type FullestDisk, type Measured, measured, missing } from './readings.ts';

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
}

/** Kept in memory, made by the kernel, or an image that is full by nature. */
const NO_DISK =
  /^(autofs|binfmt_misc|bpf|cgroup2?|configfs|cramfs|debugfs|devfs|devpts|devtmpfs|efivarfs|erofs|fusectl|hugetlbfs|iso9660|mqueue|none|nsfs|nullfs|proc|procfs|pstore|ramfs|rpc_pipefs|securityfs|selinuxfs|squashfs|sysfs|tmpfs|tracefs|udf)$/i;
/** Someone else's disk (the network's, the container host's); it counts only where the machine has no other root. */
const BORROWED = /^(9p|afpfs|aufs|ceph|cifs|fuse(\..*)?|glusterfs|lustre|nfs4?|overlay|smb3|smbfs|virtiofs|webdav)$/i;

/**
 * The fullest of the machine's own writable file systems; of equally full ones (bind mounts of one disk) the one with
 * the shortest path. Use is counted as `df` does: used / (used + available to users).
 */
export function fullestDisk(filesystems: Filesystem[]): Measured<FullestDisk> {
  let fullest: FullestDisk | null = null;
  for (const filesystem of filesystems.filter(isOwnDisk)) {
    const usedBytes = filesystem.sizeBytes - filesystem.freeBytes;
    const usedPct = (100 * usedBytes) / (usedBytes + filesystem.availableBytes);
    if (!Number.isFinite(usedPct)) continue;
    const { mount } = filesystem;
    if (!fullest || usedPct > fullest.usedPct || (usedPct === fullest.usedPct && mount.length < fullest.mount.length)) {
      fullest = { usedPct, mount };
    }
  }
  return fullest ? measured(fullest) : missing('no writable file system of its own was reported');
}

function isOwnDisk({ mount, type, readOnly, sizeBytes }: Filesystem): boolean {
  if (readOnly || !(sizeBytes > 0) || NO_DISK.test(type)) return false;
  return !BORROWED.test(type) || mount === '/';
}
