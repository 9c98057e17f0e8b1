/** The tools behind the push agent's reports, one by one and in batches; their routes know the endpoint by its token. */
import { z } from 'zod';
import { PRIVACY_MODES } from '../../../domain/privacy/minimise.ts';
import { INTERFACES } from '../../actor.ts';
import { AppError } from '../../errors.ts';
import { iso } from '../../present.ts';
import { agentSnapshotWire } from '../../scans/agentSnapshot.ts';
import { reportedSnapshot } from '../../scans/reportedSnapshot.ts';
import { hostnameInput, timestamp } from '../../shapes.ts';
import { machineSubject } from '../../subjects.ts';
import { defineTool } from '../../tool.ts';

export const submitSnapshot = defineTool({
  name: 'submit_snapshot',
  title: 'Report a snapshot',
  effect: 'write',
  reach: 'fleet',
  takesIn: 'agent',
  subject: machineSubject,
  selfRecording: true,
  hiddenFrom: INTERFACES.filter((via) => via !== 'agent'),
  description:
    'Takes what an endpoint measured of itself. A report that is not newer than the last one changes nothing.',
  input: z.strictObject({ hostname: hostnameInput, snapshot: agentSnapshotWire }),
  output: z.object({
    ok: z.literal(true),
    recorded: z.boolean(),
    score: z.number().nullable(),
    /** What the agent may collect, and until when it collects nothing. */
    privacy: z.enum(PRIVACY_MODES),
    paused_until: timestamp.nullable(),
  }),
  async run({ hostname, snapshot: wire }, { ports, now }) {
    const taken = await ports.snapshotIntake.take(hostname, (endpoint) => reportedSnapshot(ports, endpoint, wire, now));
    return {
      ok: true as const,
      recorded: taken.recorded,
      score: taken.score,
      privacy: ports.privacy ? ('pseudonymous' as const) : ('named' as const),
      paused_until: taken.pausedUntil > now ? iso(taken.pausedUntil) : null,
    };
  },
  summary: ({ recorded, score }) => (recorded ? `Recorded, score ${score ?? 'unknown'}.` : 'Known already.'),
});

/** Reports in one batch: a day at the default interval, and room for a shorter one. */
const MOST_REPORTS = 500;

export const submitSnapshots = defineTool({
  name: 'submit_snapshots',
  title: 'Report late snapshots',
  effect: 'write',
  reach: 'fleet',
  takesIn: 'late_reports',
  subject: machineSubject,
  selfRecording: true,
  hiddenFrom: INTERFACES.filter((via) => via !== 'agent'),
  description:
    'Takes what an endpoint measured of itself while it was offline, oldest first; a report that is not valid costs itself only.',
  input: z.strictObject({
    hostname: hostnameInput,
    reports: z.array(z.unknown()).min(1).max(MOST_REPORTS, `at most ${MOST_REPORTS} reports in one batch`),
  }),
  output: z.object({
    ok: z.literal(true),
    received: z.number().int(),
    recorded: z.number().int(),
    invalid: z.array(z.object({ index: z.number().int(), reason: z.string() })),
    score: z.number().nullable(),
  }),
  async run({ hostname, reports }, { ports, now }) {
    const invalid: { index: number; reason: string }[] = [];
    const take = async (report: unknown, index: number) => {
      try {
        return await ports.snapshotIntake.take(hostname, (endpoint) =>
          reportedSnapshot(ports, endpoint, parsedReport(report), now),
        );
      } catch (error) {
        if (!(error instanceof AppError) || error.kind !== 'invalid') throw error;
        invalid.push({ index, reason: error.message });
        return null;
      }
    };
    const taken = (await Promise.all(reports.map(take))).filter((one) => one !== null);
    return {
      ok: true as const,
      received: reports.length,
      recorded: taken.filter(({ recorded }) => recorded).length,
      invalid,
      score: taken.at(-1)?.score ?? null,
    };
  },
  summary: ({ received, recorded, invalid }) =>
    `${received} received, ${recorded} recorded, ${invalid.length} not valid.`,
});

function parsedReport(report: unknown): z.output<typeof agentSnapshotWire> {
  const parsed = agentSnapshotWire.safeParse(report);
  if (parsed.success) return parsed.data;
  throw new AppError('invalid', z.prettifyError(parsed.error));
}
