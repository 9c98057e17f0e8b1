/** The page at /docs: Swagger UI from its package, showing our own description. */
import { createReadStream } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type Router from '@koa/router';
import { createRouter } from '../router.ts';

const ASSETS_DIR = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/swagger-ui.css'));
const ASSETS: Readonly<Record<string, string>> = {
  'swagger-ui.css': 'text/css',
  'swagger-ui-bundle.js': 'text/javascript',
  'favicon-32x32.png': 'image/png',
};

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><title>DexOps API</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="/docs/favicon-32x32.png"><link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="page"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
`;
const START = `SwaggerUIBundle({ url: '/openapi.json', dom_id: '#page', deepLinking: true, persistAuthorization: false });`;

/** @param describe makes the OpenAPI document; called when somebody first asks for it */
export function docsRoutes(describe: () => Record<string, unknown>): Router {
  const router = createRouter();
  let description: Record<string, unknown> | null = null;
  router.get('/openapi.json', (ctx) => {
    description ??= describe();
    ctx.body = description;
  });
  router.get('/docs', (ctx) => {
    ctx.type = 'text/html';
    // Swagger UI sets style attributes and draws its icons as data URLs; scripts come from here alone.
    ctx.set(
      'Content-Security-Policy',
      "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; frame-ancestors 'none'",
    );
    ctx.body = PAGE;
  });
  router.get('/docs/start.js', (ctx) => {
    ctx.type = 'text/javascript';
    ctx.body = START;
  });
  for (const [name, type] of Object.entries(ASSETS)) {
    router.get(`/docs/${name}`, (ctx) => {
      ctx.type = type;
      ctx.set('Cache-Control', 'public, max-age=86400');
      ctx.body = createReadStream(join(ASSETS_DIR, name));
    });
  }
  return router;
}
