/** The ledger of predictions in the database. */
import type { InferEntity } from '@mikro-orm/core';
import type { PredictionRepository, StoredPrediction } from '../../../core/ports/alertPorts.ts';
import { PredictionRow, PredictionThresholdRow } from '../entities/alerts.ts';
import { chunked, type DbSession, plain } from '../rows.ts';

export function predictionRepository(session: DbSession): PredictionRepository {
  return {
    async add(rows) {
      for (const chunk of chunked([...rows])) await session().insertMany(PredictionRow, chunk);
    },

    async current(endpointIds) {
      const rows = await session().find(PredictionRow, { endpointId: { $in: [...endpointIds] }, endedAt: null });
      return rows.map(toPrediction);
    },

    async update(id, patch) {
      await session().nativeUpdate(PredictionRow, { id }, patch);
    },

    async unjudged(afterId, limit) {
      const rows = await session().find(
        PredictionRow,
        { verdict: 'open', id: { $gt: afterId } },
        { orderBy: { id: 'asc' }, limit },
      );
      return rows.map(toPrediction);
    },

    async judge(rows) {
      for (const { id, ...judgement } of rows) {
        await session().nativeUpdate(PredictionRow, { id, verdict: 'open' }, judgement);
      }
    },

    async since(since, alertName) {
      const rows = await session().find(
        PredictionRow,
        { madeAt: { $gte: since }, ...(alertName && { alertName }) },
        { orderBy: { madeAt: 'desc', id: 'desc' } },
      );
      return rows.map(toPrediction);
    },

    async thresholds() {
      const rows = await session().find(PredictionThresholdRow, {}, { orderBy: { alertName: 'asc' } });
      return rows.map((row) => plain(PredictionThresholdRow, row));
    },

    async keepThreshold(threshold) {
      await session().upsert(PredictionThresholdRow, threshold);
    },

    async dropThreshold(alertName) {
      await session().nativeDelete(PredictionThresholdRow, { alertName });
    },
  };
}

function toPrediction(row: InferEntity<typeof PredictionRow>): StoredPrediction {
  return plain(PredictionRow, row);
}
