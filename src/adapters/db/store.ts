/** The Store port over MikroORM: repositories that share one session, and transactions over all of them. */
import { ConnectionException, LockWaitTimeoutException } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { AppError } from '../../core/errors.ts';
import type { Store } from '../../core/ports/storePorts.ts';
import { alertRepository } from './alerts/alertRepository.ts';
import { escalationRepository, onCallRepository } from './alerts/escalationRepositories.ts';
import { approvalRepository, remediationRepository } from './alerts/healingRepositories.ts';
import { ownerRemedyRepository } from './alerts/ownerRemedyRepository.ts';
import { predictionRepository } from './alerts/predictionRepository.ts';
import { ticketRepository } from './alerts/ticketRepository.ts';
import { unknownHostRepository } from './alerts/unknownHostRepository.ts';
import { narrowedStore, outsideOfScopes } from './dataScope.ts';
import { apiKeyRepository } from './people/apiKeyRepository.ts';
import { feedbackRepository } from './people/feedbackRepository.ts';
import { personalDataRepository } from './people/personalData.ts';
import {
  accessRepository,
  identityRepository,
  pauseRepository,
  revealRepository,
} from './people/privacyRepositories.ts';
import { runbookVoteRepository } from './people/runbookVoteRepository.ts';
import { signInSessionRepository } from './people/signInSessionRepository.ts';
import { surveyRepository } from './people/surveyRepository.ts';
import type { DbSession } from './rows.ts';
import { changeMarkers } from './runs/changeMarkers.ts';
import { llmSpendRepository } from './runs/llmSpendRepository.ts';
import { outboxRepository } from './runs/outboxRepository.ts';
import { auditRepository, runRepository } from './runs/runRepositories.ts';
import { slackMessageRepository } from './runs/slackMessageRepository.ts';
import { jobRecordRepository, workerRepository } from './runs/workerRepository.ts';
import { aliasRepository } from './telemetry/aliasRepository.ts';
import { endpointRepository } from './telemetry/endpointRepository.ts';
import { agentRepository, enrolmentRepository } from './telemetry/enrolmentRepositories.ts';
import { retentionRepository } from './telemetry/retentionRepository.ts';
import { scanShardRepository } from './telemetry/scanShardRepository.ts';
import { fleetScoreRepository, scoreRepository, snapshotRepository } from './telemetry/telemetryRepositories.ts';

/** @param notifyCarrier called when messages have been committed to the outbox by this process */
export function createStore(em: SqlEntityManager, notifyCarrier: () => void = () => {}): Store {
  // Whoever carries messages serves everybody.
  const onMessages = () => outsideOfScopes(notifyCarrier);
  const store = guarded(
    storeOver(
      () => em.fork(),
      async (work) => {
        let waiting = false;
        const result = await em.fork().transactional((inner) => work(storeIn(inner, () => (waiting = true))));
        if (waiting) onMessages();
        return result;
      },
      onMessages,
    ),
  );
  return narrowable(store);
}

/** Its methods fail with kind `unavailable` when the database is not there for them. */
function guarded<Part extends object>(part: Part): Part {
  const members = Object.entries(part).map(([name, member]: [string, unknown]) => [
    name,
    typeof member === 'function'
      ? (...given: unknown[]) => Promise.resolve(member(...given)).catch(failed)
      : guarded(member as object),
  ]);
  return Object.fromEntries(members) as Part;
}

function failed(error: unknown): never {
  if (!isAway(error)) throw error;
  const message = 'The database does not answer; nothing was changed. Try again shortly.';
  throw new AppError('unavailable', message, undefined, { cause: error });
}

/**
 * SQLSTATE of PostgreSQL when it is not there for us: class 08 (connection), 53 (resources), 57P0x (shutdown), the time limits
 * (57014 statement, 55P03 lock, 25P03 idle transaction), and the two that mean "try again" (deadlock, serialization). Node's
 * own for a socket that leads nowhere.
 */
const AWAY =
  /^(08...|53...|57P0.|57014|55P03|25P03|40P01|40001|ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|ENOTFOUND|EHOSTUNREACH)$/;

/** What pg says of a connection that broke without a code, and SQLite of a full or failing disk. */
const AWAY_WORDS =
  /Connection terminated|has encountered a connection error|is not queryable|timeout exceeded when trying to connect|Query read timeout|database or disk is full|disk I\/O error/;

function isAway(error: unknown): boolean {
  if (error instanceof ConnectionException || error instanceof LockWaitTimeoutException) return true;
  const { code, message = '' } = error as { code?: string; message?: string };
  return AWAY.test(code ?? '') || AWAY_WORDS.test(message);
}

/** The store inside a running transaction; nested transactions join it. */
function storeIn(em: SqlEntityManager, onMessages: () => void): Store {
  const store: Store = narrowable(
    storeOver(
      () => em,
      (work) => work(store),
      onMessages,
    ),
  );
  return store;
}

function narrowable(store: Omit<Store, 'within'>): Store {
  return { ...store, within: (scope) => narrowedStore(store, scope) };
}

function storeOver(
  session: DbSession,
  transaction: Store['transaction'],
  onMessages: () => void,
): Omit<Store, 'within'> {
  return {
    endpoints: endpointRepository(session),
    aliases: aliasRepository(session),
    enrolments: enrolmentRepository(session),
    agents: agentRepository(session),
    snapshots: snapshotRepository(session),
    scores: scoreRepository(session),
    fleetScores: fleetScoreRepository(session),
    alerts: alertRepository(session),
    predictions: predictionRepository(session),
    unknownHosts: unknownHostRepository(session),
    outbox: outboxRepository(session, onMessages),
    slackMessages: slackMessageRepository(session),
    approvals: approvalRepository(session),
    escalations: escalationRepository(session),
    onCall: onCallRepository(session),
    remediations: remediationRepository(session),
    ownerRemedies: ownerRemedyRepository(session),
    tickets: ticketRepository(session),
    feedback: feedbackRepository(session),
    surveys: surveyRepository(session),
    runs: runRepository(session),
    llmSpending: llmSpendRepository(session),
    scanShards: scanShardRepository(session),
    audit: auditRepository(session),
    apiKeys: apiKeyRepository(session),
    signInSessions: signInSessionRepository(session),
    workers: workerRepository(session),
    jobs: jobRecordRepository(session),
    runbookVotes: runbookVoteRepository(session),
    retention: retentionRepository(session),
    identities: identityRepository(session),
    reveals: revealRepository(session),
    accesses: accessRepository(session),
    pauses: pauseRepository(session),
    personalData: personalDataRepository(session),
    transaction,
    changeMarkers: changeMarkers(session),
    async ping() {
      await session()
        .execute('select 1')
        .catch((error: unknown) => {
          throw new AppError('unavailable', 'The database does not answer.', undefined, { cause: error });
        });
    },
  };
}
