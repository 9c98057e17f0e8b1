/** Makes the routers of the HTTP interfaces. */
import { createRequire } from 'node:module';
import type Router from '@koa/router';

/**
 * Loaded as CommonJS: its ES module imports node:http, and for an ES module Node reads every name that node:http exports, of
 * which three load its whole HTTP client (undici). That would be a twentieth of a second in every start.
 */
const KoaRouter: typeof Router = createRequire(import.meta.url)('@koa/router');

export const createRouter = (): Router => new KoaRouter();
