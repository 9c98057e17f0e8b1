/** The tool behind the hourly job that keeps the database from growing without end. */
import { z } from 'zod';
import { INTERFACES } from '../actor.ts';
import { maintainRetention } from '../processes/retention.ts';
import { defineTool } from '../tool.ts';

const count = z.number().int();

export const retentionTool = defineTool({
  name: 'maintain_retention',
  title: 'Maintain retention',
  effect: 'write',
  reach: 'fleet',
  hiddenFrom: INTERFACES.filter((via) => via !== 'job'),
  description: 'Roll snapshots and scores up into hourly means once they are old, and delete what is past its time.',
  input: z.strictObject({}),
  output: z.object({
    samples_packed: count,
    snapshots_rolled_up: count,
    scores_rolled_up: count,
    fleet_scores_rolled_up: count,
    roll_ups_forgotten: count,
    forgotten: z.record(z.string(), count),
    /** False when time was up first; the next run goes on. */
    complete: z.boolean(),
  }),
  async run(_input, { ports, signal }) {
    const report = await maintainRetention(ports, signal);
    const wire = {
      samples_packed: report.samplesPacked,
      snapshots_rolled_up: report.snapshotsRolledUp,
      scores_rolled_up: report.scoresRolledUp,
      fleet_scores_rolled_up: report.fleetScoresRolledUp,
      roll_ups_forgotten: report.rollUpsForgotten,
      forgotten: report.forgotten,
      complete: report.complete,
    };
    ports.log.info(
      wire,
      report.complete ? 'retention is up to date' : 'retention: time was up, the rest is left to the next run',
    );
    return wire;
  },
  summary: ({ samples_packed, snapshots_rolled_up, scores_rolled_up, roll_ups_forgotten, complete }) =>
    `${samples_packed} samples packed; ${snapshots_rolled_up} snapshots and ${scores_rolled_up} scores became hourly means, ${roll_ups_forgotten} old means went${complete ? '' : '; the rest is left to the next run'}.`,
  schedule: { job: 'dex_maintain_retention', retiredJobs: ['dex_tend_retention'], cron: () => '22 * * * *' },
});
