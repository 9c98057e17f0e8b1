/**
 * Developer's command (`npm run migration -- NAME`): writes, for each store, the migration that brings the committed schema
 * up to the entities. With `--squash` it replaces all migrations by a single one; only before a release.
 */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { MikroORM } from '@mikro-orm/core';
import { migrationsPath, ormOptions } from '../../src/adapters/db/open.ts';
import { startPostgres } from './postgres.ts';

const { positionals, values } = parseArgs({ allowPositionals: true, options: { squash: { type: 'boolean' } } });
const dir = await mkdtemp(join(tmpdir(), 'dexops-migration-'));
const postgres = await startPostgres();
try {
  const stores = {
    sqlite: `sqlite:///${join(dir, 'schema.db')}`,
    postgresql: await postgres.createDatabase('schema'),
  };
  for (const [kind, url] of Object.entries(stores)) {
    const path = migrationsPath(kind as keyof typeof stores);
    if (values.squash) for (const file of await readdir(path).catch(() => [])) await rm(join(path, file));
    const orm = await MikroORM.init(await ormOptions(url));
    await orm.migrator.up();
    const { fileName } = await orm.migrator.create(undefined, false, false, positionals[0]);
    process.stdout.write(`${kind}: ${fileName || 'nothing to do'}\n`);
    await orm.close(true);
  }
} finally {
  await postgres.stop();
  await rm(dir, { recursive: true, force: true });
}
