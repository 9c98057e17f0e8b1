/** Whose disk is it, and can it fill? Which volumes are judged as the machine's own, and why the others are not. */
import type { ItemReading, ItemReadings, Reading, Readings } from './reading.ts';

/** A mounted volume as a collector reports it; what it does not know is left out. */
export interface Volume {
  /** `/`, `/home`, `C:`. */
  mount: string;
  /** The file system, as the system names it: `ext4`, `apfs`, `NTFS`. */
  type: string;
  device?: string | undefined;
  /** What the exporter or the system says that the volume is. */
  medium?: 'fixed' | 'removable' | 'optical' | 'network' | 'memory' | undefined;
  /** The volume's name. */
  label?: string | undefined;
  readOnly?: boolean | undefined;
  sizeBytes: number;
  /** Free space, root's reserve included. */
  freeBytes: number;
  /** Free space that ordinary users may fill. */
  availableBytes: number;
  /** Undefined where the system does not say; 0 where a file system has no fixed number. */
  inodes?: number | undefined;
  freeInodes?: number | undefined;
}

type VolumeReadings = Pick<Readings, 'diskPct' | 'diskFreeBytes' | 'bootPct' | 'inodesPct' | 'readOnlyMounts'>;

/** `own` is judged; a boot partition has a rule of its own, a volume that became read-only an alert; the rest is shown. */
type Verdict = 'own' | 'boot' | 'became read-only' | { setAside: string };

/** Made by the kernel or kept in memory. */
const KERNEL =
  /^(autofs|binfmt_misc|bpf|cgroup2?|configfs|debugfs|devfs|devpts|devtmpfs|efivarfs|fdescfs|fusectl|hugetlbfs|kernfs|linprocfs|linsysfs|mqueue|none|nsfs|nullfs|proc|procfs|pstore|ramfs|rpc_pipefs|securityfs|selinuxfs|sysfs|tmpfs|mfs|tracefs)$/i;
/** Images: full by nature. */
const IMAGE =
  /^(cd9660|cdfs|cramfs|erofs|iso9660|romfs|squashfs|fuse\.(squashfuse|archivemount|snapfuse|.*appimage.*)|udf)$/i;
/** The host of a virtual machine shares its disk under these. */
const HOST = /^(9p|drvfs|fuse\.(vmhgfs-fuse|prl_fsd)|hgfs|lxfs|prl_fs|shfs|vboxsf|virtiofs|vmhgfs|wslfs)$/i;
/** Shares and clusters. */
const NETWORK =
  /^(acfs|afpfs|afs|beegfs|ceph|cifs|coda|davfs2?|gfs2?|glusterfs|gpfs|lustre|ncpfs|nfs\d?|ocfs2|orangefs|pvfs2|smb\d?|smbfs|webdav)$/i;
const LAYERS = /^(aufs|overlay|overlayfs|unionfs)$/i;
/** Own disks behind a program: NTFS, exFAT and the like. */
const FUSE_DISK = /^(fuseblk|fuse\.(ntfs.*|exfat.*|ext\d.*|apfs.*|mergerfs|gocryptfs|encfs|cryfs))$/i;

const REMOVABLE_MOUNT = /^\/(media|run\/media|Volumes)\//;
const EFI_MOUNT = /^\/(boot\/(efi|firmware)|efi|esp)$/i;
const MAC_SYSTEM = /^\/System\/Volumes\/(?!Data$)/;
const MAC_DATA = '/System/Volumes/Data';
const OPTICAL_DEVICE = /^\/dev\/(sr|cd|acd|scd|dvd)\d*/;
const SHARE_DEVICE = /^(\/\/|\\\\|[\w.-]+:\/)/;
const DRIVE = /^[A-Z]:\\?$/i;
/** Names that vendors and installers give to partitions which no user fills, in the languages they ship. */
const RECOVERY_LABEL =
  /recover|restore|winre|wiederherst|r[ée]cup|ripristin|recupera|herstel|hp_tools|push.?button|system.?reserved|system_drv|diagnos|\bpbr\b|\bsrv?image\b/i;

const TINY_BYTES = 16 * 1024 * 1024;
const GB = 1e9;
/** A second partition of this size beside a system drive ten times as large is a vendor's, not a user's. */
const VENDOR_PARTITION_BYTES = 32 * GB;
/** Counters of 64 bits that went below zero read as nearly this. */
const WRAPPED_BYTES = 2 ** 62;

/** What the volumes of a machine say: its own, the fullest first, then those that are shown and not judged. */
export function volumeReadings(volumes: readonly Volume[]): VolumeReadings {
  if (volumes.length === 0) {
    const none = { missing: 'no volume was reported' };
    return { diskPct: none, diskFreeBytes: none, bootPct: none, inodesPct: none, readOnlyMounts: none };
  }
  const found = withoutRepeats(volumes).map((volume) => ({
    volume,
    verdict: classify(volume, volumes),
    space: spaceOf(volume),
  }));
  const judged = found
    .filter(({ verdict }) => verdict === 'own' || verdict === 'became read-only')
    .sort((a, b) => fullness(b.space) - fullness(a.space) || a.volume.mount.length - b.volume.mount.length);
  const aside = found.flatMap(({ volume, verdict, space }) =>
    typeof verdict === 'object' ? [{ volume, space, reason: verdict.setAside }] : [],
  );
  const boots = found.filter(({ verdict }) => verdict === 'boot');
  const inodes = judged.flatMap(({ volume }) => inodesOf(volume));
  return {
    diskPct: itemsOf(
      [
        ...judged.map(({ volume, space }) => shareOf(volume, space)),
        ...aside.map(({ volume, space, reason }) => ({ ...shareOf(volume, space), setAside: reason })),
      ],
      'no volume was reported',
    ),
    diskFreeBytes: itemsOf(
      judged.map(({ volume, space }) => ({
        item: volume.mount,
        ...('problem' in space ? { missing: space.problem } : { value: space.availableBytes }),
      })),
      'no volume counts as its own',
    ),
    bootPct: itemsOf(
      boots.map(({ volume, space }) => shareOf(volume, space)),
      'it has no boot partition of its own',
    ),
    inodesPct: itemsOf(inodes, 'no volume of its own has a fixed number of inodes that was reported'),
    readOnlyMounts: readOnlyMounts(found),
  };
}

function readOnlyMounts(found: readonly { volume: Volume; verdict: Verdict }[]): Reading<string[]> {
  if (found.every(({ volume }) => volume.readOnly === undefined)) {
    return { missing: 'it does not say which volumes are read-only' };
  }
  return { value: found.flatMap(({ volume, verdict }) => (verdict === 'became read-only' ? [volume.mount] : [])) };
}

function itemsOf(items: ItemReading<number>[], none: string): ItemReadings<number> {
  return items.length === 0 ? { missing: none } : { items };
}

function shareOf({ mount }: Volume, space: Space): ItemReading<number> {
  return { item: mount, ...('problem' in space ? { missing: space.problem } : { value: space.usedPct }) };
}

function inodesOf({ mount, inodes, freeInodes }: Volume): ItemReading<number>[] {
  if (inodes === undefined || freeInodes === undefined || !(inodes > 0)) return [];
  if (freeInodes < 0 || freeInodes > inodes) {
    return [{ item: mount, missing: `${freeInodes} free of ${inodes} inodes is not possible` }];
  }
  return [{ item: mount, value: (100 * (inodes - freeInodes)) / inodes }];
}

type Space = { usedPct: number; availableBytes: number } | { problem: string };

/** Use as `df` counts it, used / (used + available to users); values that contradict each other are none. */
function spaceOf({ sizeBytes, freeBytes, availableBytes }: Volume): Space {
  if (!(sizeBytes > 0) || !Number.isFinite(availableBytes)) return { problem: 'it reports no size' };
  // Below zero, or wrapped round, only root's reserve is left: the volume is full.
  const isFull = availableBytes <= 0 || availableBytes >= WRAPPED_BYTES;
  const available = isFull ? 0 : availableBytes;
  if (available > sizeBytes) return { problem: `${text(available)} free of ${text(sizeBytes)} is not possible` };
  const free = freeBytes >= available && freeBytes <= sizeBytes ? freeBytes : available;
  const used = sizeBytes - free;
  return { usedPct: isFull ? 100 : (100 * used) / (used + available), availableBytes: available };
}

const text = (bytes: number): string => `${Math.round(bytes / GB)} GB`;

function fullness(space: Space): number {
  return 'problem' in space ? -1 : space.usedPct;
}

/** One volume may be mounted at several places; the one with the shortest path stands for all. */
function withoutRepeats(volumes: readonly Volume[]): Volume[] {
  const kept = new Map<string, Volume>();
  for (const volume of volumes) {
    const { device, mount, sizeBytes, availableBytes, readOnly } = volume;
    const isPath = device?.startsWith('/dev/') && !MAC_SYSTEM.test(mount) && mount !== MAC_DATA;
    const key = isPath ? `${device} ${sizeBytes} ${availableBytes} ${readOnly}` : `at ${mount}`;
    const before = kept.get(key);
    if (!before || mount.length < before.mount.length) kept.set(key, volume);
  }
  return [...kept.values()];
}

function classify(volume: Volume, all: readonly Volume[]): Verdict {
  const { mount, type, medium, sizeBytes, label = '', device = '' } = volume;
  const isRoot = mount === '/' || /^C:/i.test(mount);
  const aside = (setAside: string): Verdict => ({ setAside });

  if (KERNEL.test(type) || medium === 'memory') return aside('kept in memory or made by the kernel');
  if (medium === 'optical' || OPTICAL_DEVICE.test(device)) return aside('optical disc');
  if (IMAGE.test(type)) return aside(`image (${type})`);
  if (!isRoot) {
    if (LAYERS.test(type)) return aside('layers of a container');
    if (HOST.test(type)) return aside(`a disk of the host, shared into this machine (${type})`);
    if (medium === 'network' || NETWORK.test(type) || SHARE_DEVICE.test(device))
      return aside(`network share (${type})`);
    if (/^fuse/i.test(type) && !FUSE_DISK.test(type)) return aside(`behind a program (${type})`);
    if (medium === 'removable') return aside('removable medium');
    if (REMOVABLE_MOUNT.test(mount)) return aside(volume.readOnly ? 'image or removable medium' : 'removable medium');
    if (EFI_MOUNT.test(mount)) return aside('EFI or firmware partition');
    if (MAC_SYSTEM.test(mount)) return aside('system volume of macOS');
    if (/\/CoreSimulator\//.test(mount)) return aside('image of a simulator');
    if (sizeBytes > 0 && sizeBytes < TINY_BYTES) return aside('too small to be a disk');
    if (/^HarddiskVolume/i.test(mount)) return aside('no drive letter: a recovery or boot partition');
    if (DRIVE.test(mount) && isVendors(volume, all))
      return aside(`a vendor's recovery or system partition${named(label)}`);
    if (mount === '/boot') return 'boot';
  }
  if (volume.readOnly) return readOnlyVerdict(volume, all);
  return 'own';
}

function named(label: string): string {
  return label === '' ? '' : ` (${label})`;
}

/** A Windows volume that only a vendor or an installer writes to. */
function isVendors({ mount, label, sizeBytes }: Volume, all: readonly Volume[]): boolean {
  if (sizeBytes > 2 * VENDOR_PARTITION_BYTES) return false;
  if (label !== undefined && label !== '') return RECOVERY_LABEL.test(label);
  const system = all.find((each) => /^C:/i.test(each.mount) && each.mount !== mount);
  return system !== undefined && sizeBytes <= VENDOR_PARTITION_BYTES && sizeBytes * 10 <= system.sizeBytes;
}

/** Where people and programs write on every system; what lies elsewhere may be read-only on purpose. */
const WRITABLE = /^(\/|[A-Z]:\\?|\/(home|var|srv|opt|data|tmp|usr\/home|Users|System\/Volumes\/Data)(\/.*)?)$/i;

/** The system makes a volume read-only after an error; many are read-only on purpose, and then something else is written to. */
function readOnlyVerdict({ mount, device }: Volume, all: readonly Volume[]): Verdict {
  const writable = all.filter(({ readOnly, type }) => readOnly === false && !KERNEL.test(type));
  if (device?.startsWith('/dev/') && writable.some((each) => each.device === device)) {
    return { setAside: 'read-only view of a volume that is writable elsewhere' };
  }
  if (mount === '/' && writable.some((each) => each.mount === MAC_DATA)) {
    return { setAside: 'sealed system volume of macOS' };
  }
  if (mount === '/' && writable.some((each) => /^\/(var|etc|sysroot|state)$/.test(each.mount))) {
    return { setAside: 'read-only by design: the system writes elsewhere' };
  }
  return WRITABLE.test(mount) ? 'became read-only' : { setAside: 'mounted read-only' };
}
