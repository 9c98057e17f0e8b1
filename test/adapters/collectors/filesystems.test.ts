import { describe, expect, it } from 'vitest';
import { type Filesystem, volumeReadings } from '../../../src/adapters/collectors/filesystems.ts';

const disk = (mount: string, usedPct: number, change: Partial<Filesystem> = {}): Filesystem => ({
  mount,
  type: 'ext4',
  readOnly: false,
  sizeBytes: 1000,
  freeBytes: 1000 - 10 * usedPct,
  availableBytes: 1000 - 10 * usedPct,
  ...change,
});

/** The volume that counts first, as the score takes it. */
function fullestDisk(filesystems: Filesystem[]): { value: { usedPct: number; mount: string } } | { missing: string } {
  const { diskPct = { missing: 'nothing' } } = volumeReadings(filesystems);
  if ('missing' in diskPct) return diskPct;
  const first = diskPct.items.find((each) => 'value' in each && each.setAside === undefined);
  return first && 'value' in first
    ? { value: { usedPct: first.value, mount: first.item } }
    : { missing: 'none counts' };
}

describe('the volume that counts', () => {
  it('names the fullest', () => {
    expect(fullestDisk([disk('/', 40), disk('/home', 91), disk('/var', 50)])).toEqual({
      value: { usedPct: 91, mount: '/home' },
    });
  });

  it('counts like df: space kept for root is not available', () => {
    // 80 used, 20 free of which users may fill 10: df says 80 / 90.
    const reserved = disk('/', 0, { sizeBytes: 100, freeBytes: 20, availableBytes: 10 });
    expect(fullestDisk([reserved])).toEqual({ value: { usedPct: expect.closeTo(88.89, 2), mount: '/' } });
  });

  it.each([
    ['a snap image', { type: 'squashfs', readOnly: true }],
    ['memory', { type: 'tmpfs' }],
    ["a container's layers", { type: 'overlay' }],
    ['a read-only mount', { readOnly: true }],
    ["the network's disk", { type: 'nfs4' }],
    ['a FUSE mount', { type: 'fuse.sshfs' }],
    ['an empty device', { sizeBytes: 0, freeBytes: 0, availableBytes: 0 }],
  ])('passes over %s', (_, change) => {
    expect(fullestDisk([disk('/', 10), disk('/other', 100, change)])).toEqual({ value: { usedPct: 10, mount: '/' } });
  });

  it("counts the overlay that is a container's root, and NTFS under FUSE", () => {
    expect(fullestDisk([disk('/', 30, { type: 'overlay' })])).toEqual({ value: { usedPct: 30, mount: '/' } });
    expect(fullestDisk([disk('/', 30), disk('/win', 95, { type: 'fuseblk' })])).toEqual({
      value: { usedPct: 95, mount: '/win' },
    });
  });

  it('calls one disk mounted twice by its shorter path', () => {
    expect(fullestDisk([disk('/srv/data/bind', 70), disk('/data', 70)])).toEqual({
      value: { usedPct: 70, mount: '/data' },
    });
  });

  it('shows what does not count, with the reason, and counts inodes', () => {
    const volumes = [disk('/', 10, { inodes: 1000, freeInodes: 50 }), disk('/run', 90, { type: 'tmpfs' })];
    expect(volumeReadings(volumes)).toMatchObject({
      diskPct: { items: [{ item: '/' }, { item: '/run', setAside: expect.any(String) }] },
      inodesPct: { items: [{ item: '/', value: 95 }] },
    });
  });

  it('keeps the fullest of a thousand mounts', () => {
    const many = Array.from({ length: 1000 }, (_, index) => disk(`/data/${index}`, index / 10));
    const { diskPct } = volumeReadings(many);
    expect(diskPct).toMatchObject({
      items: expect.objectContaining({ length: 64, 0: { item: '/data/999', value: 99.9 } }),
    });
  });

  it('says so when nothing is left', () => {
    expect(fullestDisk([disk('/run', 10, { type: 'tmpfs' })])).toEqual({
      missing: expect.stringContaining('no writable'),
    });
  });
});
