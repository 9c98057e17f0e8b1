/** The Store port over MikroORM: repositories that share one session, and transactions over all of them. */
import { ConnectionException, LockWaitTimeoutException } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { AppError } from '../../core/errors.ts';
import type { Store } from '../../core/storePorts.ts';
import { alertRepository } from './alertRepository.ts';
import { apiKeyRepository } from './apiKeyRepository.ts';
import { endpointRepository } from './endpointRepository.ts';
import { feedbackRepository } from './feedbackRepository.ts';
import { approvalRepository, remediationRepository } from './healingRepositories.ts';
import { llmSpendRepository } from './llmSpendRepository.ts';
import { outboxRepository } from './outboxRepository.ts';
import { predictionRepository } from './predictionRepository.ts';
import { retentionRepository } from './retentionRepository.ts';
import type { Session } from './rows.ts';
import { runbookVoteRepository } from './runbookVoteRepository.ts';
import { scanShardRepository } from './scanShardRepository.ts';
import { slackMessageRepository } from './slackMessageRepository.ts';
import { surveyRepository } from './surveyRepository.ts';
import { fleetScoreRepository, scoreRepository, snapshotRepository } from './telemetryRepositories.ts';
import { ticketRepository } from './ticketRepository.ts';
import { unknownHostRepository } from './unknownHostRepository.ts';
import { jobRecordRepository, workerRepository } from './workerRepository.ts';
import { auditRepository, runRepository } from './workRepositories.ts';

export function createStore(em: SqlEntityManager): Store {
  return storeOver(
    () => em.fork(),
    (work) =>
      em
        .fork()
        .transactional((inner) => work(storeIn(inner)))
        .catch(sayIfAway),
    sayingIfAway,
  );
}

/** Rejects with kind `unavailable` when the database is not there for us, with any other failure as it is. */
function sayIfAway(error: unknown): never {
  throw isAway(error)
    ? new AppError('unavailable', 'The database does not answer; nothing was changed. Try again shortly.', undefined, {
        cause: error,
      })
    : error;
}

/** The same for each call of a repository outside any transaction. */
function sayingIfAway<R extends object>(repository: R): R {
  return new Proxy(repository, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function') return typeof member === 'object' && member ? sayingIfAway(member) : member;
      return async (...given: unknown[]) => {
        try {
          return await member.apply(target, given);
        } catch (error) {
          return sayIfAway(error);
        }
      };
    },
  });
}

/**
 * SQLSTATE of PostgreSQL when it is not there for us: class 08 (connection), 53 (resources), 57P0x (shutdown), the time limits
 * (57014 statement, 55P03 lock, 25P03 idle transaction), and the two that mean "try again" (deadlock, serialization). Node's
 * own for a socket that leads nowhere. The rest says it in words: the pool of
 * connections, and SQLite on a full or failing disk.
 */
const AWAY_MESSAGE =
  /Connection terminated|has encountered a connection error|timeout exceeded when trying to connect|database or disk is full|disk I\/O error|is not queryable/;
const AWAY =
  /^(08...|53...|57P0.|57014|55P03|25P03|40P01|40001|ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|ENOTFOUND|EHOSTUNREACH)$/;

function isAway(error: unknown): boolean {
  if (error instanceof ConnectionException || error instanceof LockWaitTimeoutException) return true;
  const { code, message = '' } = error as { code?: string; message?: string };
  return AWAY.test(code ?? '') || AWAY_MESSAGE.test(message);
}

/** The store inside a running transaction; nested transactions join it. */
function storeIn(em: SqlEntityManager): Store {
  const store: Store = storeOver(
    () => em,
    (work) => work(store),
    // The transaction as a whole says it.
    (repository) => repository,
  );
  return store;
}

function storeOver(
  session: Session,
  transaction: Store['transaction'],
  guard: <R extends object>(repository: R) => R,
): Store {
  return {
    endpoints: guard(endpointRepository(session)),
    snapshots: guard(snapshotRepository(session)),
    scores: guard(scoreRepository(session)),
    fleetScores: guard(fleetScoreRepository(session)),
    alerts: guard(alertRepository(session)),
    predictions: guard(predictionRepository(session)),
    unknownHosts: guard(unknownHostRepository(session)),
    outbox: guard(outboxRepository(session)),
    slackMessages: guard(slackMessageRepository(session)),
    approvals: guard(approvalRepository(session)),
    remediations: guard(remediationRepository(session)),
    tickets: guard(ticketRepository(session)),
    feedback: guard(feedbackRepository(session)),
    surveys: guard(surveyRepository(session)),
    runs: guard(runRepository(session)),
    llmSpending: guard(llmSpendRepository(session)),
    scanShards: guard(scanShardRepository(session)),
    audit: guard(auditRepository(session)),
    apiKeys: guard(apiKeyRepository(session)),
    workers: guard(workerRepository(session)),
    jobs: guard(jobRecordRepository(session)),
    runbookVotes: guard(runbookVoteRepository(session)),
    retention: guard(retentionRepository(session)),
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
