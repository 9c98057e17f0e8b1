/** Turns on the cache of compiled code, for whatever is loaded after it. Where it cannot be written, starting only takes longer. */
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';

enableCompileCache(join(import.meta.dirname, '../node_modules/.cache/dexops'));
