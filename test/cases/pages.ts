/** “Whose disk is it, and can it fill?”: exporter pages of the field, and what is right about each. */
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { judgedItems } from '../../src/domain/signals/reading.ts';
import type { Case } from './case.ts';
import { type Judgement, PAGES, scanPage } from './scanPage.ts';

type Check = (found: Judgement) => string | null;

const says = (isRight: boolean, wrong: string): string | null => (isRight ? null : wrong);
const healthy: Check = ({ score, alerts }) =>
  says(score?.status === 'healthy' && alerts.size === 0, 'should be healthy, without an alert');
const points =
  (value: number): Check =>
  ({ score }) =>
    says(score?.score === value, `should have ${value}`);
const notHealthy: Check = ({ score }) => says(score?.status !== 'healthy', 'should not be healthy');
const critical: Check = ({ score, alerts }) =>
  says(score?.status === 'critical' && [...alerts.values()].includes('critical'), 'should be critical, with an alert');
const notCritical: Check = ({ score, alerts }) =>
  says(score?.status !== 'critical' && ![...alerts.values()].includes('critical'), 'should not be critical');
const fullest =
  (mount: string, pct: number): Check =>
  ({ snapshot }) => {
    const [first] = judgedItems(snapshot.readings.diskPct) ?? [];
    return says(first?.item === mount && Math.round(first.value) === pct, `should be ${mount} ${pct} %`);
  };
const onlyItem =
  (mount: string): Check =>
  ({ snapshot }) =>
    says(
      judgedItems(snapshot.readings.diskPct)
        ?.map(({ item }) => item)
        .join() === mount,
      `only ${mount} should count`,
    );
const alert =
  (name: string, severity?: string): Check =>
  ({ alerts }) =>
    says(severity === undefined ? alerts.has(name) : alerts.get(name) === severity, `should raise ${name}`);
const noAlert: Check = ({ alerts }) => says(alerts.size === 0, 'should raise no alert');

const ROWS: [quote: string, pages: string[], ...checks: Check[]][] = [
  ['healthy, 100', ['made-healthy', 'winmade-healthy'], healthy, points(100)],
  [
    'C: 60 %; optical, read-only and image volumes never count',
    ['win-iso', 'winmade-dvd-E'],
    fullest('C:', 60),
    onlyItem('C:'),
    noAlert,
  ],
  ["C: counts; a vendor's recovery partition does not alert", ['winmade-recovery-D'], fullest('C:', 60), noAlert],
  [
    '`/` alone counts (healthy); removable media are shown, never alerted as the machine’s own disk',
    ['made-usb-stick-full', 'made-snap-cd'],
    onlyItem('/'),
    healthy,
  ],
  ['`/` 30 %; kernel-made file systems never count', ['freebsd'], fullest('/', 30), onlyItem('/')],
  [
    "own root counts; a host's, share's or cluster's disk is somebody else's",
    ['fs-vboxsf', 'fs-drvfs', 'fs-vmhgfs', 'made-vm-shared-folders'],
    onlyItem('/'),
    healthy,
  ],
  ['as today: hold', ['fs-nfs', 'fs-9p', 'fs-virtiofs', 'fs-fuse.sshfs', 'crlf'], onlyItem('/'), healthy],
  ['as today: hold', ['linux-pseudo'], healthy],
  [
    'own disks at 97 %: alert',
    ['fs-zfs', 'fs-btrfs', 'fs-ntfs3', 'fs-fuseblk', 'fs-exfat'],
    fullest('/mnt/x', 97),
    alert('DiskFull'),
  ],
  [
    '69 % named by the volume that holds the data, not by the shortest path',
    ['mac'],
    fullest('/System/Volumes/Data', 69),
  ],
  ['a warning for `/boot`, never critical', ['made-boot-96'], alert('BootPartitionFull', 'warning'), notCritical],
  ['none for the EFI partition', ['made-efi-88'], healthy],
  ['(4 TB, 150 GB free) not critical', ['made-big-disk-96'], notCritical],
  ['(64 GB, 3.9 GB free) is: absolute free space counts beside the share', ['made-small-disk-94'], critical],
  [
    'for the wrapped unsigned "available", a full disk; never 0 %',
    ['wrap-avail', 'neg-avail'],
    fullest('/', 100),
    alert('DiskFull', 'critical'),
  ],
  [
    'a value that contradicts itself is missing (with the reason)',
    ['free-over-size'],
    ({ snapshot }) => {
      const { diskPct } = snapshot.readings;
      return says('items' in diskPct && 'missing' in (diskPct.items[0] ?? {}), 'should be missing, with the reason');
    },
  ],
  [
    'a boot time after now is not a measurement',
    ['future-boot'],
    ({ snapshot }) => says('missing' in snapshot.readings.bootedAt, 'should be missing'),
  ],
  [
    '`/` mounted read-only although it should not be: critical, own alert',
    ['made-root-readonly'],
    critical,
    alert('FilesystemReadOnly', 'critical'),
  ],
  ['the processor waits for the disk: not healthy', ['made-iowait-90'], notHealthy],
  ['swap full and busy: not healthy', ['made-swap-thrash'], notHealthy],
  [
    'failed one-shot units that nobody misses are a warning at most',
    ['made-3-failed-units'],
    notCritical,
    ({ score }) => says(score?.status === 'healthy', 'should be healthy'),
  ],
];

export const PAGE_CASES: Case[] = ROWS.flatMap(([quote, pages, ...checks]) =>
  pages.map(
    (page): Case => ({ quote, given: page, right: quote, run: () => runPage(join(PAGES, `${page}.prom`), checks) }),
  ),
);

/** Cases of further pages in a folder: what is seen, for somebody to judge. */
export function pagesIn(folder: string): Case[] {
  const files = readdirSync(folder).filter((name) => name.endsWith('.prom'));
  return files.map((name) => ({
    quote: 'a further page',
    given: basename(name, '.prom'),
    right: '(not said)',
    run: () => runPage(join(folder, name), []),
  }));
}

async function runPage(file: string, checks: readonly Check[]) {
  const found = await scanPage(file);
  return { seen: seenText(found), wrong: checks.flatMap((check) => check(found) ?? []) };
}

export function seenText({ snapshot, score, alerts }: Judgement): string {
  const { diskPct } = snapshot.readings;
  const items = 'items' in diskPct ? diskPct.items : [];
  const disks = items.map((each) => {
    const level = 'value' in each ? `${Math.round(each.value)} %` : `(${each.missing})`;
    return `${each.item} ${level}${each.setAside ? ` [${each.setAside}]` : ''}`;
  });
  const alerted = [...alerts].map(([name, severity]) => `${name} ${severity}`);
  const verdict = score ? `${score.status} ${score.score}` : `no score${snapshot.reachable ? '' : ': not reachable'}`;
  const shown = disks.slice(0, 3).join(', ') + (disks.length > 3 ? ` and ${disks.length - 3} more` : '');
  return [verdict, shown, alerted.join(', ')].filter((part) => part !== '').join('; ');
}
