/** Runbooks over REST: the whole service, its own folder of pages, a real index. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Findings, machines, WELL } from '../../helpers/machines.ts';
import { startTestService, type TestService } from '../../helpers/service.ts';

const PAGES: Record<string, string> = {
  README: '# About this folder\n\nNothing about zeppelins.\n',
  disk_linux:
    '---\ntitle: Disk full on Linux\nalerts: [DiskFull]\nplatforms: [linux]\nplaybook: cleanup_disk\n---\n## Symptoms\n\nNo space left on device.\n\n## Fix\n\nVacuum the journal, empty the package cache.\n',
  disk_windows:
    '---\ntitle: Disk full on Windows\nalerts: [DiskFull]\nplatforms: [windows]\n---\n## Fix\n\nEmpty the recycle bin.\n',
  memory: '---\ntitle: Memory is short\nalerts: [HighMemory]\n---\n## Fix\n\nClose what leaks memory.\n',
  unreachable: '---\ntitle: Endpoint unreachable\nalerts: [EndpointUnreachable]\n---\n## Fix\n\nIs it switched on?\n',
};
const HIT_FIELDS = [
  'doc_id',
  'excerpt',
  'fix_rate_pct',
  'heading',
  'path',
  'playbook',
  'score',
  'title',
  'votes',
  'why',
];

const findings = new Map<string, Findings>();
let pagesDir: string;
let service: TestService;
beforeAll(async () => {
  pagesDir = await mkdtemp(join(tmpdir(), 'dexops-pages-'));
  for (const [docId, text] of Object.entries(PAGES)) await writeFile(join(pagesDir, `${docId}.md`), text);
  service = await startTestService({ RUNBOOKS_DIR: pagesDir }, { collector: machines(findings) });
});
afterAll(async () => {
  await service.stop();
  await rm(pagesDir, { recursive: true, force: true });
});

const get = (path: string) => service.call('GET', path);
const search = (query: Record<string, string>) => get(`/api/v1/rag/search?${new URLSearchParams(query)}`);
const ids = (hits: { doc_id: string }[]) => hits.map(({ doc_id }) => doc_id);

test('the service indexes by itself and says in /health by what, and why not by meaning', async () => {
  await expect
    .poll(async () => (await get('/health')).body.checks.vectors, { timeout: 30_000 })
    .toEqual({
      status: 'ok',
      state: 'ready',
      mode: 'lexical',
      documents: 4,
      model: expect.stringContaining('words-and-letters'),
      note: expect.stringContaining('compares words only'),
    });
});

describe('search', () => {
  test('answers with one hit a page, in the promised shape', async () => {
    const { status, body } = await search({ q: 'DiskFull', k: '2' });
    expect(status).toBe(200);
    expect(body).toMatchObject({ query: 'DiskFull', mode: 'lexical', note: expect.stringContaining('words only') });
    expect(ids(body.results).sort()).toEqual(['disk_linux', 'disk_windows']);
    for (const hit of body.results) expect(Object.keys(hit).sort()).toEqual(HIT_FIELDS);
    expect(body.results.find(({ doc_id }: { doc_id: string }) => doc_id === 'disk_linux')).toMatchObject({
      title: 'Disk full on Linux',
      heading: 'Symptoms',
      excerpt: 'No space left on device.',
      score: 1,
      why: 'answers the alert DiskFull',
      path: join(pagesDir, 'disk_linux.md'),
      playbook: 'cleanup_disk',
      fix_rate_pct: null,
      votes: 0,
    });
  });

  test('leaves other platforms out when told which', async () => {
    const { body } = await search({ q: 'my disk is full', platform: 'windows' });
    expect(ids(body.results)).toContain('disk_windows');
    expect(ids(body.results)).not.toContain('disk_linux');
  });

  test('does not know the folder’s README', async () => {
    expect(ids((await search({ q: 'zeppelins' })).body.results)).not.toContain('README');
    expect((await get('/api/v1/dex/runbooks/README')).status).toBe(404);
  });

  test.each<[string, Record<string, string>]>([
    ['no question', {}],
    ['an empty one', { q: '' }],
    ['spaces', { q: ' \t\n' }],
    ['100 KB', { q: 'disk '.repeat(20_480) }],
    ['k 0', { q: 'disk', k: '0' }],
    ['k 21', { q: 'disk', k: '21' }],
    ['k in words', { q: 'disk', k: 'five' }],
    ['an unknown platform', { q: 'disk', platform: 'beos' }],
    ['an unknown field', { q: 'disk', order: 'asc' }],
  ])('%s is refused with what is wrong', async (_what, query) => {
    const { status, body } = await search(query);
    expect(status).toBe(400);
    expect(body.error).toMatchObject({ kind: 'invalid', message: expect.stringContaining('Search the runbooks') });
  });

  test('an address beyond all limits is refused in the same shape', async () => {
    const { status, body } = await search({ q: 'x'.repeat(300_000) });
    expect(status).toBe(431);
    expect(body.error).toMatchObject({ kind: 'too_large', message: expect.stringContaining('JSON body') });
  });

  test.each(['"disk" AND (full OR "x', 'disk^9 ~2 -full +* words:disk', "disk full'; DROP TABLE x; --"])(
    'operators mean nothing: %j',
    async (q) => {
      const { status, body } = await search({ q });
      expect(status).toBe(200);
      expect(ids(body.results)).toContain('disk_linux');
    },
  );
});

describe('for an endpoint', () => {
  const BASE = '/api/v1/dex/endpoints';
  const scanned = async (hostname: string, found: Findings, os = 'linux') => {
    findings.set(hostname, found);
    await service.call('POST', BASE, { hostname, os_platform: os, collector: 'node_exporter' });
    const { body } = await service.call('POST', `${BASE}/${hostname}/scan`);
    await service.finished(body.run_id);
    return (await get(`${BASE}/${hostname}/runbooks`)).body;
  };

  test('one alert, whether open or not, on its own platform', async () => {
    await service.call('POST', BASE, { hostname: 'advice-alert', os_platform: 'windows' });
    const { status, body } = await get(`${BASE}/advice-alert/runbooks?alert=DiskFull&k=1`);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      hostname: 'advice-alert',
      query: 'DiskFull',
      runbooks: [{ doc_id: 'disk_windows', score: 1, problem: 'DiskFull' }],
    });
    expect(Object.keys(body.runbooks[0]).sort()).toEqual([...HIT_FIELDS, 'problem'].sort());
  });

  test('without one: the first page for each of its alerts and for whatever else lowers its score', async () => {
    const body = await scanned('advice-two', { ...WELL, diskPct: 97, diskMount: '/home', memoryPct: 96 });
    expect(body.runbooks.slice(0, 2)).toMatchObject([
      { doc_id: 'disk_linux', score: 1, problem: expect.stringMatching(/^DiskFull: .*97 %/) },
      { doc_id: 'memory', score: 1, problem: expect.stringMatching(/^HighMemory: .*96 %/) },
    ]);
    // The disk has an alert and lowers the score: one problem.
    expect(body.query.match(/DiskFull/g)).toHaveLength(1);
    expect(new Set(ids(body.runbooks)).size).toBe(body.runbooks.length);
    expect(ids(body.runbooks)).not.toContain('disk_windows');
  });

  test('one that cannot be reached', async () => {
    const body = await scanned('advice-gone', 'unreachable');
    expect(body.runbooks[0]).toMatchObject({ doc_id: 'unreachable', score: 1 });
  });

  test('one that nothing ails has no query and no pages', async () => {
    expect(await scanned('advice-well', WELL)).toMatchObject({ query: '', runbooks: [], mode: 'lexical' });
  });

  test('one that is not registered is not found', async () => {
    expect((await get(`${BASE}/nobody/runbooks`)).status).toBe(404);
  });
});

describe('adding a page', () => {
  const INDEX = '/api/v1/dex/runbooks/index';

  test('by the query, as the guide does it: found at once, read, replaced', async () => {
    const content = `# Coffee machine\n\nDescale it.\n\n## Fix\n\n${'Rinse. '.repeat(4_000)}`;
    const added = await service.call('POST', `${INDEX}?${new URLSearchParams({ doc_id: 'coffee_v2', content })}`);
    expect(added).toMatchObject({ status: 200, body: { ok: true, doc_id: 'coffee_v2', problems: [] } });
    expect(added.body.chunks).toBeGreaterThan(10);
    expect(ids((await search({ q: 'Coffee machine' })).body.results)[0]).toBe('coffee_v2');
    expect((await get('/api/v1/dex/runbooks/coffee_v2')).body).toMatchObject({ title: 'Coffee machine', content });

    await service.call('POST', INDEX, { doc_id: 'coffee_v2', content: '# Coffee machine\n\nBuy tea.\n' });
    expect((await search({ q: 'Coffee machine' })).body.results[0].excerpt).toBe('Buy tea.');
  });

  test('front-matter that is no YAML is told, and the page is kept', async () => {
    const { body } = await service.call('POST', INDEX, { doc_id: 'odd', content: '---\n: [\n---\n# Odd page\n' });
    expect(body).toMatchObject({ ok: true, problems: [expect.stringContaining('not YAML')] });
  });

  test.each<[string, unknown, number, string]>([
    ['a path', { doc_id: '../../etc/cron.d/x', content: '# X' }, 400, 'doc_id'],
    ['a folder', { doc_id: 'a/b', content: '# X' }, 400, 'doc_id'],
    ['dots', { doc_id: '..', content: '# X' }, 400, 'doc_id'],
    ['a hidden file', { doc_id: '.bashrc', content: '# X' }, 400, 'doc_id'],
    ['the README', { doc_id: 'readme', content: '# X' }, 400, 'README'],
    ['no name', { content: '# X' }, 400, 'doc_id'],
    ['no content', { doc_id: 'x' }, 400, 'content'],
    ['empty content', { doc_id: 'x', content: ' \n' }, 400, 'content is empty'],
    ['a number', { doc_id: 'x', content: 7 }, 400, 'content'],
    ['binary content', { doc_id: 'x', content: 'a\u0000b' }, 400, 'NUL'],
    ['too many bytes', { doc_id: 'x', content: 'ä'.repeat(520_000) }, 413, '1'],
  ])('%s is refused and keeps nothing', async (_what, body, status, words) => {
    const before = (await get('/api/v1/dex/runbooks')).body.total;
    const answer = await service.call('POST', INDEX, body);
    expect(answer.status).toBe(status);
    expect(answer.body.error.message).toContain(words);
    expect((await get('/api/v1/dex/runbooks')).body.total).toBe(before);
  });

  test('a file that is put into the folder, changed or taken out is followed', async () => {
    const path = join(pagesDir, 'zeppelin.md');
    const first = async () => (await search({ q: 'Zeppelin leaks' })).body.results[0];
    await writeFile(path, '# Zeppelin leaks\n\nPatch the hull.\n');
    await expect.poll(async () => (await first())?.excerpt, { timeout: 20_000 }).toBe('Patch the hull.');
    await writeFile(path, '# Zeppelin leaks\n\nLand it first.\n');
    await expect.poll(async () => (await first())?.excerpt, { timeout: 20_000 }).toBe('Land it first.');
    await rm(path);
    await expect.poll(async () => (await first())?.doc_id, { timeout: 20_000 }).not.toBe('zeppelin');
  });

  test('everything can be indexed at once, and an unchanged folder embeds nothing', async () => {
    await service.call('POST', '/api/v1/dex/runbooks/reindex');
    expect(await service.call('POST', '/api/v1/dex/runbooks/reindex')).toMatchObject({
      status: 200,
      body: { embedded: 0, chunks: 0, removed: 0, rebuilt: null, mode: 'lexical' },
    });
  });
});

describe('did it help', () => {
  const rate = (docId: string, vote: unknown) => service.call('POST', `/api/v1/dex/runbooks/${docId}/feedback`, vote);

  test('votes are counted once a person, page and alert, and shown with every hit', async () => {
    expect((await rate('memory', { helped: true, alert_id: 1 })).body).toEqual({
      ok: true,
      doc_id: 'memory',
      fix_rate_pct: 100,
      votes: 1,
    });
    await rate('memory', { helped: 'no', alert_id: 2 });
    expect((await rate('memory', { helped: 'no', alert_id: 2 })).body).toMatchObject({ fix_rate_pct: 50, votes: 2 });
    expect((await rate('memory', { helped: 'yes', alert_id: 2 })).body).toMatchObject({ fix_rate_pct: 100, votes: 2 });
    expect((await search({ q: 'HighMemory' })).body.results[0]).toMatchObject({ fix_rate_pct: 100, votes: 2 });
    const { body } = await get('/api/v1/dex/runbooks');
    expect(body.runbooks.find(({ doc_id }: { doc_id: string }) => doc_id === 'memory')).toMatchObject({ votes: 2 });
  });

  test('of two pages that fit alike the one that helped comes first', async () => {
    for (const docId of ['twin_a', 'twin_b'])
      await service.call('POST', '/api/v1/dex/runbooks/index', {
        doc_id: docId,
        content: '# Twin\n\nGyroscope drifts.\n',
      });
    const first = async () => ids((await search({ q: 'the gyroscope drifts' })).body.results)[0];
    for (const [good, bad] of [
      ['twin_b', 'twin_a'],
      ['twin_a', 'twin_b'],
    ] as const) {
      await rate(good, { helped: true });
      await rate(bad, { helped: false });
      expect(await first()).toBe(good);
    }
  });

  test.each<[string, string, unknown, number, string]>([
    ['a page that is not there', 'memry', { helped: true }, 404, 'Did you mean memory?'],
    ['a path', '..%2f..%2fetc%2fpasswd', { helped: true }, 404, 'no runbook'],
    ['no word', 'memory', {}, 400, 'helped'],
    ['a word that is neither', 'memory', { helped: 'perhaps' }, 400, 'must be yes or no'],
    ['an alert that cannot be', 'memory', { helped: true, alert_id: -1 }, 400, 'alert_id'],
  ])('%s', async (_what, docId, vote, status, words) => {
    const answer = await rate(docId, vote);
    expect(answer.status).toBe(status);
    expect(answer.body.error.message).toContain(words);
  });
});

test('a folder of pages that is not there: the service runs, and health says what is wrong', async () => {
  const bare = await startTestService({ RUNBOOKS_DIR: join(pagesDir, 'nowhere') }, { collector: machines(new Map()) });
  try {
    const vectors = async () => (await bare.call('GET', '/health')).body.checks.vectors;
    await expect.poll(vectors, { timeout: 20_000 }).toMatchObject({
      status: 'degraded',
      state: 'failed',
      detail: expect.stringContaining('cannot be read'),
    });
    const { status, body } = await bare.call('GET', '/api/v1/rag/search?q=disk');
    expect(status).toBe(503);
    expect(body.error.message).toContain('runbook folder');
  } finally {
    await bare.stop();
  }
});
