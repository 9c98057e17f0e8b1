/** The tool behind the push agent's reports; its route knows the endpoint by its token. */
import { z } from 'zod';
import { PRIVACY_MODES } from '../../../domain/privacy/minimise.ts';
import { INTERFACES } from '../../actor.ts';
import { iso } from '../../present.ts';
import { agentSnapshotWire } from '../../scans/agentSnapshot.ts';
import { isNews, reportedSnapshot } from '../../scans/reportedSnapshot.ts';
import { acceptSnapshot, requireEndpoint } from '../../scans/scanning.ts';
import { hostnameInput, timestamp } from '../../shapes.ts';
import { machineSubject } from '../../subjects.ts';
import { defineTool } from '../../tool.ts';

export const submitSnapshot = defineTool({
  name: 'submit_snapshot',
  title: 'Report a snapshot',
  effect: 'write',
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
    const endpoint = await requireEndpoint(ports, hostname);
    const snapshot = reportedSnapshot(ports, endpoint, wire, now);
    const pause = (await ports.store.pauses.since(snapshot.collectedAt)).get(endpoint.id);
    const answer = {
      ok: true as const,
      privacy: ports.privacy ? ('pseudonymous' as const) : ('named' as const),
      paused_until: pause && pause.until > now ? iso(pause.until) : null,
    };
    const isPaused = pause && snapshot.collectedAt >= pause.from && snapshot.collectedAt < pause.until;
    if (isPaused || !isNews(endpoint, snapshot, now)) return { ...answer, recorded: false, score: endpoint.score };
    const { score } = await acceptSnapshot(ports, endpoint, snapshot);
    return { ...answer, recorded: true, score: score?.score ?? null };
  },
  summary: ({ recorded, score }) => (recorded ? `Recorded, score ${score ?? 'unknown'}.` : 'Known already.'),
});
