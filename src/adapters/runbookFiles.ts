/** Reads runbooks from their folders, keeps those handed in over the API, and tells when any of them changes. */
import { isUtf8 } from 'node:buffer';
import { createHash, randomBytes } from 'node:crypto';
import { type FSWatcher, watch as watchFolder } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { parse } from 'yaml';
import { AppError } from '../core/errors.ts';
import type { Log } from '../core/ports/ports.ts';
import type { RefusedRunbook, RunbookFiles, RunbookSource } from '../core/ports/runbookPorts.ts';
import { MAX_RUNBOOK_BYTES, splitFrontMatter } from '../domain/runbooks/runbook.ts';

/** An editor's save is several events: one answer after they have settled. */
const SETTLE_MS = 300;
/** Files read side by side: one by one is three times slower. */
const READ_AT_ONCE = 16;

type Page = { source: RunbookSource } | RefusedRunbook;

/**
 * `shippedDir` is read only; `uploadedDir` is made when the first page is saved, and its page wins over a shipped one of
 * the same name. Paths inside `root` are shown relative to it. A folder's README.md is about the folder and no runbook.
 */
export function createRunbookFiles(options: {
  root: string;
  shippedDir: string;
  uploadedDir: string;
  log: Log;
}): RunbookFiles {
  const { root, shippedDir, uploadedDir, log } = options;
  /** By path: most listings find nothing new, and reading a thousand pages takes longer than indexing one. */
  const pagesRead = new Map<string, { stamp: string; page: Page }>();

  async function list() {
    const names = await namesIn(shippedDir).catch((error: unknown) => {
      throw new AppError(
        'unavailable',
        `The runbook folder ${shown(root, shippedDir)} cannot be read: ${reasonOf(error)}`,
      );
    });
    const uploaded = await namesIn(uploadedDir).catch((error: unknown): string[] => {
      if (isMissing(error)) return [];
      throw new AppError(
        'unavailable',
        `The runbook folder ${shown(root, uploadedDir)} cannot be read: ${reasonOf(error)}`,
      );
    });
    const sources: RunbookSource[] = [];
    const refused: RefusedRunbook[] = [];
    const found = [
      ...uploaded.map((name) => ({ dir: uploadedDir, name })),
      ...names.filter((name) => !uploaded.includes(name)).map((name) => ({ dir: shippedDir, name })),
    ];
    for (let at = 0; at < found.length; at += READ_AT_ONCE) {
      const slice = found.slice(at, at + READ_AT_ONCE).map(({ dir, name }) => ({ name, path: join(dir, name) }));
      const pages = await Promise.all(slice.map(({ name, path }) => pageAt(name, path)));
      for (const page of pages) {
        if ('source' in page) sources.push(page.source);
        else refused.push(page);
      }
    }
    const paths = new Set(found.map(({ dir, name }) => join(dir, name)));
    for (const path of pagesRead.keys()) if (!paths.has(path)) pagesRead.delete(path);
    return { sources, refused };
  }

  /** Links are followed: mounted configuration comes as links. */
  async function pageAt(name: string, path: string): Promise<Page> {
    const refuse = (reason: string) => ({ path: shown(root, path), reason });
    try {
      const at = await stat(path);
      if (!at.isFile()) return refuse('it is not a file');
      const stamp = `${at.mtimeMs}/${at.ctimeMs}/${at.size}/${at.ino}`;
      const known = pagesRead.get(path);
      if (known?.stamp === stamp) return known.page;
      const read = at.size > MAX_RUNBOOK_BYTES ? { reason: tooLarge(at.size) } : contentOf(await readFile(path));
      const page =
        'reason' in read
          ? refuse(read.reason)
          : { source: sourceOf(name.slice(0, -'.md'.length), shown(root, path), read.content) };
      pagesRead.set(path, { stamp, page });
      return page;
    } catch (error) {
      return refuse(reasonOf(error));
    }
  }

  async function read(docId: string): Promise<RunbookSource | null> {
    const name = `${docId}.md`;
    for (const dir of [uploadedDir, shippedDir]) {
      // Only a name that the folder itself tells becomes a path.
      if (!(await namesIn(dir).catch((): string[] => [])).includes(name)) continue;
      const page = await pageAt(name, join(dir, name));
      if ('source' in page) return page.source;
      throw new AppError('refused', `The runbook ${page.path} cannot be shown: ${page.reason}.`);
    }
    return null;
  }

  async function save(docId: string, content: string): Promise<RunbookSource> {
    if (Buffer.byteLength(content) > MAX_RUNBOOK_BYTES)
      throw new AppError('too_large', tooLarge(Buffer.byteLength(content)));
    if (content.includes('\0'))
      throw new AppError('invalid', 'content is binary: send the Markdown of the runbook.', { field: 'content' });
    await mkdir(uploadedDir, { recursive: true });
    const path = join(uploadedDir, `${docId}.md`);
    const draft = join(uploadedDir, `.${docId}.${randomBytes(4).toString('hex')}`);
    const file = await open(draft, 'w');
    try {
      await file.writeFile(content);
      await file.sync();
      await rename(draft, path);
    } finally {
      await file.close();
      await rm(draft, { force: true });
    }
    return sourceOf(docId, shown(root, path), content);
  }

  async function watch(changed: () => void) {
    await mkdir(uploadedDir, { recursive: true });
    let timer: NodeJS.Timeout | undefined;
    const later = () => {
      clearTimeout(timer);
      timer = setTimeout(changed, SETTLE_MS);
    };
    const watchers: FSWatcher[] = [];
    for (const dir of [shippedDir, uploadedDir]) {
      try {
        const watcher = watchFolder(dir, (_event, name) => {
          // A mounted configuration is exchanged as a whole, by its link `..data`.
          if (name === null || isRunbook(name) || name === '..data') later();
        });
        watcher.on('error', (error) => log.warn({ err: error, dir }, 'changes to runbooks are no longer seen here'));
        watchers.push(watcher);
      } catch (error) {
        log.warn({ err: error, dir }, 'changes to runbooks are not seen here');
      }
    }
    return {
      close() {
        clearTimeout(timer);
        for (const watcher of watchers) watcher.close();
      },
    };
  }

  return { list, read, save, watch };
}

function isRunbook(name: string): boolean {
  return name.endsWith('.md') && !name.startsWith('.') && name.toLowerCase() !== 'readme.md';
}

async function namesIn(dir: string): Promise<string[]> {
  return (await readdir(dir)).filter(isRunbook).sort();
}

function contentOf(bytes: Buffer): { content: string } | { reason: string } {
  if (bytes.includes(0)) return { reason: 'it is binary, not Markdown' };
  if (!isUtf8(bytes)) return { reason: 'it is not UTF-8 text: save it as UTF-8' };
  return { content: bytes.toString('utf8') };
}

function sourceOf(docId: string, path: string, content: string): RunbookSource {
  const { yaml, body } = splitFrontMatter(content);
  const hash = createHash('sha256').update(`${path}\n${content}`).digest('hex');
  if (yaml === null) return { docId, path, hash, frontMatter: null, body, problems: [] };
  try {
    return { docId, path, hash, frontMatter: parse(yaml), body, problems: [] };
  } catch (error) {
    const problem = `front-matter is not YAML (${reasonOf(error).split('\n', 1)[0]}): the page is indexed without it`;
    return { docId, path, hash, frontMatter: null, body, problems: [problem] };
  }
}

function shown(root: string, path: string): string {
  const inside = relative(root, path);
  return inside.startsWith('..') ? path : inside;
}

function tooLarge(bytes: number): string {
  return `it has ${bytes} bytes, more than the ${MAX_RUNBOOK_BYTES} a runbook may have: split it into pages`;
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
