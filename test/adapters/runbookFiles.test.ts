/** Runbook files as people leave them: good, broken, huge, binary, doubled. */
import { appendFile, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createRunbookFiles } from '../../src/adapters/runbookFiles.ts';
import { collectingLog } from '../helpers/collectingLog.ts';

let root: string;
let shippedDir: string;
let uploadedDir: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'dexops-runbook-files-'));
  shippedDir = join(root, 'runbooks');
  uploadedDir = join(root, 'data', 'runbooks');
  await mkdir(shippedDir);
});
afterEach(() => rm(root, { recursive: true, force: true }));

const open = () => createRunbookFiles({ root, shippedDir, uploadedDir, log: collectingLog().log });
const ship = (name: string, content: string | Buffer) => writeFile(join(shippedDir, name), content);

test('reads Markdown pages with their front-matter, and nothing else', async () => {
  await ship('disk.md', '---\ntitle: Disk full\nalerts: [DiskFull]\n---\n# Disk\n');
  await ship('README.md', '# About this folder');
  await ship('notes.txt', 'x');
  await mkdir(join(shippedDir, 'playbooks'));
  const { sources, refused } = await open().list();
  expect(refused).toEqual([]);
  expect(sources).toEqual([
    {
      docId: 'disk',
      path: 'runbooks/disk.md',
      hash: expect.any(String),
      frontMatter: { title: 'Disk full', alerts: ['DiskFull'] },
      body: '# Disk\n',
      problems: [],
    },
  ]);
});

test('what is no runbook is refused by name and with its reason, and keeps nothing else out', async () => {
  await ship('good.md', '# Good');
  await ship('huge.md', Buffer.alloc(10_000_000, 'a '));
  await ship('binary.md', Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 0, 1]));
  await ship('latin1.md', Buffer.from('# Stra\xdfe', 'latin1'));
  await mkdir(join(shippedDir, 'folder.md'));
  await symlink(join(root, 'nowhere'), join(shippedDir, 'dangling.md'));
  const { sources, refused } = await open().list();
  expect(sources.map(({ docId }) => docId)).toEqual(['good']);
  expect(refused).toEqual([
    { path: 'runbooks/binary.md', reason: expect.stringContaining('binary') },
    { path: 'runbooks/dangling.md', reason: expect.stringContaining('ENOENT') },
    { path: 'runbooks/folder.md', reason: 'it is not a file' },
    { path: 'runbooks/huge.md', reason: expect.stringMatching(/10000000 bytes, more than the 1000000/) },
    { path: 'runbooks/latin1.md', reason: expect.stringContaining('UTF-8') },
  ]);
});

test.each([
  ['not YAML', 'title: [unclosed\n  : :', 'front-matter is not YAML'],
  ['one key twice', 'title: a\ntitle: b', 'front-matter is not YAML'],
])('front-matter that is %s is named; the page is read without it', async (_what, yaml, problem) => {
  await ship('page.md', `---\n${yaml}\n---\n# Page\n`);
  const { sources } = await open().list();
  expect(sources).toMatchObject([
    { frontMatter: null, body: '# Page\n', problems: [expect.stringContaining(problem)] },
  ]);
});

test('front-matter whose aliases explode is named too, and is not expanded', async () => {
  const layers = Array.from({ length: 12 }, (_, n) => `l${n + 1}: &l${n + 1} [${Array(12).fill(`*l${n}`).join(', ')}]`);
  await ship('bomb.md', `---\nl0: &l0 [x]\n${layers.join('\n')}\n---\n# Bomb\n`);
  const { sources } = await open().list();
  expect(sources).toMatchObject([
    { docId: 'bomb', frontMatter: null, problems: [expect.stringContaining('front-matter')] },
  ]);
});

test('a saved page is kept whole, wins over a shipped one, and its hash changes with its text', async () => {
  await ship('disk.md', '# Shipped');
  const files = open();
  const first = await files.save('disk', '# Mine');
  const second = await files.save('disk', '# Mine, better');
  expect(first.hash).not.toBe(second.hash);
  expect((await files.list()).sources).toEqual([second]);
  expect(await readdir(uploadedDir)).toEqual(['disk.md']);
});

test('a page too large in bytes, or binary, is not saved', async () => {
  const files = open();
  await expect(files.save('big', 'ä'.repeat(600_000))).rejects.toMatchObject({ kind: 'too_large' });
  await expect(files.save('bin', 'a\0b')).rejects.toMatchObject({ kind: 'invalid' });
  expect((await files.list()).sources).toEqual([]);
});

test('a folder of shipped pages that is not there is an outage, not an empty list', async () => {
  await rm(shippedDir, { recursive: true });
  await expect(open().list()).rejects.toMatchObject({
    kind: 'unavailable',
    message: expect.stringContaining('runbooks'),
  });
});

test('a change to a page is told once, a change to something else is not', async () => {
  await ship('disk.md', '# Disk');
  let calls = 0;
  let told = () => {};
  const first = new Promise<void>((done) => {
    told = done;
  });
  const watching = await open().watch(() => {
    calls += 1;
    told();
  });
  try {
    await ship('notes.txt', 'x');
    for (let n = 0; n < 5; n += 1) await appendFile(join(shippedDir, 'disk.md'), `\n${n}`);
    await first;
    expect(calls).toBe(1);
  } finally {
    watching.close();
  }
});
