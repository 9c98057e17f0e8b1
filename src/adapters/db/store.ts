/** The Store port over MikroORM: repositories that share one session, and transactions over all of them. */
import type { SqlEntityManager } from '@mikro-orm/sql';
import { AppError } from '../../core/errors.ts';
import type { Store } from '../../core/ports.ts';
import { alertRepository } from './alertRepository.ts';
import { apiKeyRepository } from './apiKeyRepository.ts';
import { endpointRepository } from './endpointRepository.ts';
import type { Session } from './rows.ts';
import { scoreRepository, snapshotRepository } from './telemetryRepositories.ts';
import { jobRecordRepository, workerRepository } from './workerRepository.ts';
import { auditRepository, runRepository } from './workRepositories.ts';

export function createStore(em: SqlEntityManager): Store {
  return storeOver(
    () => em.fork(),
    (work) => em.fork().transactional((inner) => work(storeIn(inner))),
  );
}

/** The store inside a running transaction; nested transactions join it. */
function storeIn(em: SqlEntityManager): Store {
  const store: Store = storeOver(
    () => em,
    (work) => work(store),
  );
  return store;
}

function storeOver(session: Session, transaction: Store['transaction']): Store {
  return {
    endpoints: endpointRepository(session),
    snapshots: snapshotRepository(session),
    scores: scoreRepository(session),
    alerts: alertRepository(session),
    runs: runRepository(session),
    audit: auditRepository(session),
    apiKeys: apiKeyRepository(session),
    workers: workerRepository(session),
    jobs: jobRecordRepository(session),
    transaction,
    async ping() {
      await session()
        .execute('select 1')
        .catch((error: unknown) => {
          throw new AppError('unavailable', 'The database does not answer.', undefined, { cause: error });
        });
    },
  };
}
