/** The page's files, served as they are: its own, and those of packages that are on this list; each compressed once. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, gzipSync, constants as zlib } from 'node:zlib';
import type Router from '@koa/router';
import type { Context } from 'koa';
import { createRouter } from '../router.ts';

const OWN_DIR = fileURLToPath(new URL('../../page/browser', import.meta.url));

const { resolve } = createRequire(import.meta.url);
/** Files of packages by the names under which the page asks for them. */
const VENDOR: Readonly<Record<string, string>> = {
  'vendor/preact.js': join(dirname(resolve('htm')), '..', 'preact', 'standalone.module.js'),
  'vendor/uplot.js': join(dirname(resolve('uplot')), 'uPlot.iife.min.js'),
  'vendor/uplot.css': join(dirname(resolve('uplot')), 'uPlot.min.css'),
};

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** Addresses that people see; all are one document, which shows what its address says. */
const VIEWS = [
  '/',
  '/machines/:hostname{/data}',
  '/alerts{/:alert_id}',
  '/incidents',
  '/approvals{/:approval_id}',
  '/runs/:run_id',
  '/runbooks{/:doc_id}',
  '/kpis',
  '/feedback',
  '/add',
  '/plan',
  '/settings',
];

/** Nothing is loaded from elsewhere, and no script or style stands in the document. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

interface PageFile {
  type: string;
  etag: string;
  plain: Buffer;
  brotli: Buffer;
  gzip: Buffer;
}

/** All files of the page by name, read and compressed. */
export function readPageFiles(): ReadonlyMap<string, PageFile> {
  return new Map([...pagePaths()].map(([name, path]) => [name, readPageFile(path)]));
}

function pagePaths(): ReadonlyMap<string, string> {
  const own = readdirSync(OWN_DIR, { recursive: true, encoding: 'utf8' })
    .filter((name) => extname(name) in TYPES)
    .map((name): [string, string] => [name.replaceAll('\\', '/'), join(OWN_DIR, name)]);
  return new Map([...own, ...Object.entries(VENDOR)]);
}

function readPageFile(path: string): PageFile {
  const plain = readFileSync(path);
  return {
    type: TYPES[extname(path)] as string,
    etag: `"${createHash('sha256').update(plain).digest('base64url').slice(0, 22)}"`,
    plain,
    brotli: brotliCompressSync(plain, { params: { [zlib.BROTLI_PARAM_QUALITY]: 5 } }),
    gzip: gzipSync(plain),
  };
}

export function pageRoutes(): Router {
  const router = createRouter();
  let paths: ReadonlyMap<string, string> | null = null;
  const files = new Map<string, PageFile>();
  // Each compressed when it is first asked for: all at once would keep the first visitor waiting.
  const fileOf = (name: string): PageFile | null => {
    paths ??= pagePaths();
    const path = paths.get(name);
    if (path === undefined) return null;
    const file = files.get(name) ?? readPageFile(path);
    files.set(name, file);
    return file;
  };
  const send = (ctx: Context, name: string) => {
    const file = fileOf(name);
    if (!file) return;
    ctx.type = file.type;
    ctx.set('ETag', file.etag);
    // Asked for anew each time, and answered with 304 while it is the same: an upgrade is seen at once.
    ctx.set('Cache-Control', 'no-cache');
    ctx.vary('Accept-Encoding');
    ctx.status = 200;
    if (ctx.get('If-None-Match').includes(file.etag)) {
      ctx.status = 304;
      return;
    }
    const encoding = ctx.acceptsEncodings('br', 'gzip', 'identity');
    if (encoding === 'br' || encoding === 'gzip') ctx.set('Content-Encoding', encoding);
    ctx.body = encoding === 'br' ? file.brotli : encoding === 'gzip' ? file.gzip : file.plain;
  };
  for (const view of VIEWS)
    router.get(view, (ctx) => {
      ctx.set('Content-Security-Policy', POLICY);
      send(ctx, 'index.html');
    });
  router.get('/page/*path', (ctx) => send(ctx, (ctx as { params: Record<string, string> }).params.path ?? ''));
  return router;
}
