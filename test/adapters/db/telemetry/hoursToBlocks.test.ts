/** A database of the version before blocks keeps its hourly roll-ups when it is opened. */
import { MikroORM } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { expect, test } from 'vitest';
import { openDatabase, ormOptions } from '../../../../src/adapters/db/open.ts';
import { createStore } from '../../../../src/adapters/db/store.ts';
import { NOW, registration, score } from '../../../helpers/rows.ts';
import { openTestStore, STORE_KINDS } from '../../../helpers/stores.ts';

const HOUR_MS = 3_600_000;

test.each(STORE_KINDS)('%s: roll-ups of the earlier tables are read as before', async (kind) => {
  const opened = await openTestStore(kind);
  try {
    const endpoint = await opened.store.endpoints.register(registration(), null, NOW);
    await opened.store.scores.add([score(endpoint.id, NOW, 90)]);
    await opened.database.close();

    const orm = await MikroORM.init(await ormOptions(opened.url));
    const em = orm.em as SqlEntityManager;
    await orm.migrator.down({ to: 'Migration20261124134901_partial_alert_indexes' });
    const day = Math.floor(NOW.getTime() / (24 * HOUR_MS)) * 24 * HOUR_MS - 40 * 24 * HOUR_MS;
    for (let hour = 0; hour < 50; hour++) {
      const at = new Date(day + hour * HOUR_MS);
      await em.fork().execute(
        `insert into score_hour (endpoint_id, hour, samples, score_mean, score_min, score_max, score_count, device_mean, device_min, device_max, device_count)
         values (?, ?, 4, ?, 10, 99.5, 4, 33.25, 33, 34, 4)`,
        [endpoint.id, at, 40 + hour],
      );
      await em
        .fork()
        .execute(
          `insert into snapshot_hour (endpoint_id, hour, samples, cpu_pct_mean, cpu_pct_min, cpu_pct_max, cpu_pct_count) values (?, ?, 4, ?, 1, 2, 3)`,
          [endpoint.id, at, hour / 3],
        );
    }
    await orm.close(true);

    const again = await openDatabase(opened.url);
    const store = createStore(again.em);
    const history = await store.scores.history(endpoint.id, 100);
    expect(history).toHaveLength(51);
    expect(history[1]).toMatchObject({
      score: 89,
      components: { device: 33.3, network: null },
      scoredAt: new Date(day + 49 * HOUR_MS),
      hourly: { lowest: 10, highest: 99.5, scans: 4 },
    });
    const course = (await store.snapshots.histories([endpoint.id], new Date(day + HOUR_MS))).get(endpoint.id);
    expect(course).toHaveLength(49);
    expect(course?.[0]).toMatchObject({ atMs: day + HOUR_MS, memoryPct: null });
    expect(course?.[0]?.cpuPct).toBeCloseTo(1 / 3, 5);
    await again.close();
  } finally {
    await opened.close();
  }
});
