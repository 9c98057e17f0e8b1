/** Hourly roll-ups of the fleet's averages in the database: few rows, and one subject, so they stay rows. */
import type { SampleArchive } from '../../../core/ports/retentionPorts.ts';
import { FLEET_MEASURES, type FleetMeasure } from '../../../domain/scores/rollUp.ts';
import { chunked, type DbSession, type DbTimestamp, msOf, placeholders } from '../rows.ts';
import { type RollUpRow, spreadColumns, spreadValues, toRollUp } from './rollUpRows.ts';

type SampleRow = { moment: DbTimestamp } & Record<FleetMeasure, number>;

const COLUMNS = ['hour', 'samples', ...spreadColumns(FLEET_MEASURES)];

export function fleetArchive(session: DbSession): SampleArchive<FleetMeasure> {
  return {
    async take(_endpointIds, before, limit) {
      const rows = await session().execute<SampleRow[]>(
        `delete from fleet_score where id in (select id from fleet_score where at < ? order by at limit ?)
         returning at as moment, ${FLEET_MEASURES.join(', ')}`,
        [before, limit],
      );
      return rows.map(({ moment, average, endpoints }) => ({
        subjectId: 0,
        at: new Date(msOf(moment)),
        values: { average, endpoints },
      }));
    },

    async find(keys) {
      const rows = await session().execute<RollUpRow[]>(
        `select * from fleet_score_hour where hour in (${placeholders(keys)})`,
        keys.map(({ hour }) => hour),
      );
      return rows.map((row) => toRollUp(FLEET_MEASURES, row));
    },

    async save(rollUps) {
      for (const chunk of chunked([...rollUps], 200)) {
        await session().execute(
          `insert into fleet_score_hour (${COLUMNS.join(', ')}) values ${chunk.map(() => `(${placeholders(COLUMNS)})`).join(', ')}
           on conflict (hour) do update set ${COLUMNS.map((name) => `${name} = excluded.${name}`).join(', ')}`,
          chunk.flatMap((each) => [each.hour, each.samples, ...spreadValues(FLEET_MEASURES, each)]),
        );
      }
    },

    async forget(_endpointIds, before, limit) {
      const rows = await session().execute<unknown[]>(
        `delete from fleet_score_hour where hour in (select hour from fleet_score_hour where hour < ? limit ?)
         returning 1 as forgotten`,
        [before, limit],
      );
      return rows.length;
    },
  };
}
