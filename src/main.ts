/** Starts the service. So little, because the cache of compiled code has to be on before the code is loaded. */
import './compileCache.ts';
import { flushCompileCache } from 'node:module';

try {
  const { serve } = await import('./serve.ts');
  await serve();
  // A service that is killed one day would never write it.
  flushCompileCache();
} catch (error) {
  const { name, message, stack } = error as Error;
  process.stderr.write(`${name === 'AppError' ? message : stack}\n`);
  process.exit(1);
}
