/** The tool by which people report that their own machine serves them badly. */
import { z } from 'zod';
import { groupsOf } from '../../domain/people/confidentiality.ts';
import { NOT_SCANNED_FROM_HERE } from '../../domain/signals/telemetry.ts';
import { visible } from '../characters.ts';
import { IMPACTS, openCase } from '../remedies/reportProblem.ts';
import { requestRun } from '../runs/runs.ts';
import { requireEndpoint } from '../scans/scanning.ts';
import { hostnameInput } from '../shapes.ts';
import { machineSubject } from '../subjects.ts';
import { defineTool } from '../tool.ts';
import { answerInput } from './feedback.ts';

/** Who reports a problem is not content: the lower half of 1–5. */
const COMPLAINT_RATING = { annoying: 2, slower: 2, stopped: 1 };

export const reportProblem = defineTool({
  name: 'report_problem',
  title: 'Report a problem',
  effect: 'write',
  reach: 'selection',
  subject: machineSubject,
  ownerRole: 'employee',
  // What people say is only said by people.
  hiddenFrom: ['mcp', 'planner'],
  description:
    "Report that a machine serves its user badly: IT gets an alert with the diagnosis, the reporter hears who has it, the machine is scanned at once, and it counts as feedback with a low rating. For one's own machine, or for operators.",
  http: { method: 'POST', path: '/api/v1/dex/endpoints/:hostname/problems', status: 202 },
  command: {
    name: 'report',
    args: ['hostname', 'comment'],
    sentence: true,
    everydayFor: ['employees'],
    example: 'report dev-machine-01 the VPN drops every hour --category connectivity',
  },
  ownMachineLabel: 'Report a problem',
  input: z.strictObject({
    hostname: hostnameInput.describe('Which machine?'),
    comment: answerInput.comment.describe('What happens?'),
    since: z
      .string()
      .overwrite((text) => visible(text).trim())
      .max(80, 'has at most 80 characters')
      .nullish()
      .describe('Since when? As "this morning" or "the last update"'),
    impact: z.enum(IMPACTS).default('slower').describe('How bad is it? "stopped": work is not possible'),
    category: answerInput.category,
  }),
  output: z.object({
    ok: z.literal(true),
    hostname: z.string(),
    alert_id: z.number().int(),
    run_id: z.string().nullable(),
  }),
  async run({ hostname, category, comment, since, impact }, { ports, actor }) {
    const endpoint = await requireEndpoint(ports, hostname);
    await ports.store.feedback.add([
      {
        source: 'feedback',
        rating: COMPLAINT_RATING[impact],
        category,
        comment: comment || null,
        groups: groupsOf(endpoint),
      },
    ]);
    const run =
      endpoint.collector in NOT_SCANNED_FROM_HERE ? null : await requestRun(ports, actor, 'scan', { hostname });
    const alertId = await openCase(ports, endpoint, actor, { text: comment || null, since: since || null, impact });
    return { ok: true as const, hostname, alert_id: alertId, run_id: run?.id ?? null };
  },
  summary: ({ hostname, run_id }) =>
    `Your report has arrived, and IT has it with what I found. ${hostname} ${run_id === null ? 'will be scanned when it reports next' : 'is being scanned now'}.`,
  progress: ({ run_id }) => run_id,
});
