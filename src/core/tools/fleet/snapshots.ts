/** The tool behind the push agent's reports; its route knows the endpoint by its token. */
import { z } from 'zod';
import { INTERFACES } from '../../actor.ts';
import { agentSnapshotWire } from '../../scans/agentSnapshot.ts';
import { isNews, reportedSnapshot } from '../../scans/reportedSnapshot.ts';
import { acceptSnapshot, requireEndpoint } from '../../scans/scanning.ts';
import { hostnameInput } from '../../shapes.ts';
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
  output: z.object({ ok: z.literal(true), recorded: z.boolean(), score: z.number().nullable() }),
  async run({ hostname, snapshot: wire }, { ports, now }) {
    const endpoint = await requireEndpoint(ports, hostname);
    const snapshot = reportedSnapshot(ports, endpoint, wire, now);
    if (!isNews(endpoint, snapshot, now)) {
      return { ok: true as const, recorded: false, score: endpoint.score };
    }
    const { score } = await acceptSnapshot(ports, endpoint, snapshot);
    return { ok: true as const, recorded: true, score: score?.score ?? null };
  },
  summary: ({ recorded, score }) => (recorded ? `Recorded, score ${score ?? 'unknown'}.` : 'Known already.'),
});
