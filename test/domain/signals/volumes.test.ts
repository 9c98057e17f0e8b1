/** Which volumes are the machine's own, and what is said of the others. */
import { describe, expect, it } from 'vitest';
import { judgedItems } from '../../../src/domain/signals/reading.ts';
import { type Volume, volumeReadings } from '../../../src/domain/signals/volumes.ts';

const disk = (mount: string, usedPct: number, change: Partial<Volume> = {}): Volume => ({
  mount,
  type: 'ext4',
  readOnly: false,
  sizeBytes: 1e11,
  freeBytes: 1e11 - 1e9 * usedPct,
  availableBytes: 1e11 - 1e9 * usedPct,
  ...change,
});
const judged = (...volumes: Volume[]) =>
  judgedItems(volumeReadings(volumes).diskPct)?.map(({ item, value }) => `${item} ${Math.round(value)}`);
const asideOf = (mount: string, ...volumes: Volume[]) => {
  const { diskPct } = volumeReadings(volumes);
  return 'items' in diskPct ? diskPct.items.find(({ item }) => item === mount)?.setAside : undefined;
};

describe('own volumes', () => {
  it('come the fullest first', () => {
    expect(judged(disk('/', 40), disk('/home', 91), disk('/var', 50))).toEqual(['/home 91', '/var 50', '/ 40']);
  });

  it('are counted as df does: space kept for root is not available', () => {
    expect(judged(disk('/', 0, { sizeBytes: 1e11, freeBytes: 2e10, availableBytes: 1e10 }))).toEqual(['/ 89']);
  });

  it.each(['zfs', 'btrfs', 'xfs', 'ntfs3', 'fuseblk', 'exfat', 'bcachefs', 'f2fs', 'apfs'])('may be %s', (type) => {
    expect(judged(disk('/', 30), disk('/mnt/x', 97, { type }))).toEqual(['/mnt/x 97', '/ 30']);
  });

  it("count where a container's layers or a share are the root itself", () => {
    expect(judged(disk('/', 30, { type: 'overlay' }))).toEqual(['/ 30']);
    expect(judged(disk('/', 30, { type: 'nfs4' }))).toEqual(['/ 30']);
  });

  it('mounted twice are called by the shorter path', () => {
    const device = '/dev/sda2';
    expect(judged(disk('/srv/data/bind', 70, { device }), disk('/data', 70, { device }))).toEqual(['/data 70']);
  });
});

describe('A name list alone cannot do it. Set aside, with the reason', () => {
  it.each<[string, Partial<Volume> & { mount?: string }, RegExp]>([
    ['a snap image', { type: 'squashfs', readOnly: true }, /image/],
    ['memory', { type: 'tmpfs' }, /memory/],
    ['a disc by its device', { type: 'hfsplus', device: '/dev/sr0' }, /optical disc/],
    ['a disc by what the exporter says', { type: 'UDF', medium: 'optical', mount: 'E:' }, /optical disc/],
    ["a container's layers", { type: 'overlay' }, /container/],
    ["a virtual machine's shared folder", { type: 'fuse.vmhgfs-fuse' }, /host/],
    ['a Windows drive in WSL', { type: '9p', device: 'C:\\' }, /host/],
    ['a share by its type', { type: 'nfs4' }, /network share/],
    ['a share by its device', { type: 'newfs', device: 'filer:/export' }, /network share/],
    ['a cluster', { type: 'ceph' }, /network share/],
    ['a FUSE mount', { type: 'fuse.rclone' }, /behind a program/],
    ['a stick', { type: 'vfat', mount: '/run/media/ann/KEY' }, /removable/],
    ['a removable drive', { type: 'FAT32', mount: 'F:', medium: 'removable' }, /removable/],
    ['an EFI partition', { type: 'vfat', mount: '/boot/efi' }, /EFI/],
    [
      'a recovery partition by its name',
      { type: 'NTFS', mount: 'D:', label: 'Wiederherstellung', sizeBytes: 2e10 },
      /vendor/,
    ],
    ['a partition without a letter', { type: 'NTFS', mount: 'HarddiskVolume3' }, /drive letter/],
    ['a tiny one', { sizeBytes: 4096 }, /too small/],
    ['one that is read-only on purpose', { readOnly: true, mount: '/usr/share/images' }, /read-only/],
  ])('%s', (_, { mount = '/other', ...change }, reason) => {
    expect(judged(disk('/', 10), disk(mount, 100, change))).toEqual(['/ 10']);
    expect(asideOf(mount, disk('/', 10), disk(mount, 100, change))).toMatch(reason);
  });

  it('a small second partition beside a large system drive, when nobody says what it is', () => {
    const system = disk('C:', 60, { type: 'NTFS', sizeBytes: 5e11 });
    expect(asideOf('D:', system, disk('D:', 96, { type: 'NTFS', sizeBytes: 1.4e10 }))).toMatch(/vendor/);
    expect(judged(system, disk('D:', 60, { type: 'NTFS', sizeBytes: 1e11, label: 'Data' }))).toContain('D: 60');
  });

  it('the sealed system volume of a Mac, for the volume that holds the data', () => {
    const root = disk('/', 69, { type: 'apfs', readOnly: true });
    const data = disk('/System/Volumes/Data', 69, { type: 'apfs' });
    expect(judged(root, data, disk('/System/Volumes/VM', 69, { type: 'apfs' }))).toEqual(['/System/Volumes/Data 69']);
    expect(volumeReadings([root, data]).readOnlyMounts).toEqual({ value: [] });
  });
});

describe('a volume that became read-only', () => {
  it.each(['/', '/home', '/var/lib/data'])('%s is an alert', (mount) => {
    expect(volumeReadings([disk(mount, 50, { readOnly: true })]).readOnlyMounts).toEqual({ value: [mount] });
  });

  it('is none where the system writes elsewhere, or the volume is writable under another path', () => {
    const device = '/dev/sda3';
    const immutable = [disk('/', 50, { readOnly: true }), disk('/var', 10)];
    const view = [disk('/srv/ro', 50, { readOnly: true, device }), disk('/mnt/rw', 50, { device })];
    expect(volumeReadings(immutable).readOnlyMounts).toEqual({ value: [] });
    expect(volumeReadings(view).readOnlyMounts).toEqual({ value: [] });
  });

  it('is not known where nobody says', () => {
    const { readOnly: _unknown, ...volume } = disk('/', 50);
    expect(volumeReadings([volume]).readOnlyMounts).toHaveProperty('missing');
  });
});

describe('values that contradict themselves', () => {
  it.each([
    ['wrapped below zero', 2 ** 64 - 4096, 100],
    ['negative', -4e9, 100],
  ])('%s is a full disk', (_, availableBytes, pct) => {
    expect(judged(disk('/', 50, { availableBytes }))).toEqual([`/ ${pct}`]);
  });

  it('more free than there is, is missing, never 0 %', () => {
    expect(volumeReadings([disk('/', 50, { availableBytes: 9e11 })]).diskPct).toEqual({
      items: [{ item: '/', missing: '900 GB free of 100 GB is not possible' }],
    });
  });
});

it('a boot partition is no disk that people fill', () => {
  const { diskPct, bootPct } = volumeReadings([disk('/', 45), disk('/boot', 96)]);
  expect(judgedItems(diskPct)).toEqual([{ item: '/', value: 45 }]);
  expect(bootPct).toEqual({ items: [{ item: '/boot', value: 96 }] });
});

it('nothing at all says so', () => {
  expect(volumeReadings([]).diskPct).toEqual({ missing: 'no volume was reported' });
});
