/** The tool that sets an agent to work. */
import { z } from 'zod';
import { RUN_STATUSES } from '../../domain/run.ts';
import { AppError } from '../errors.ts';
import { newPlannerJob } from '../planner/plannerJob.ts';
import { DEFAULT_PROFILE } from '../planner/plannerRuns.ts';
import { requestRun } from '../runs/runs.ts';
import { defineTool } from '../tool.ts';
import { stopCall } from './runViews.ts';

/** Characters of JSON; about 6,000 tokens, as much as an agent is shown of it. */
const MAX_CONTEXT = 24_000;

export const startRun = defineTool({
  name: 'start_run',
  title: 'Ask an agent',
  effect: 'write',
  reach: 'selection',
  toolset: 'runs',
  // Asking changes nothing by itself, and the agent may do no more than who asked.
  role: 'employee',
  hiddenFrom: ['planner'],
  description:
    'Give an agent a goal or a question in plain language. Answers at once with a run_id; {get_run} (option wait_seconds) brings its steps and its answer.',
  http: { method: 'POST', path: '/api/v1/runs', status: 202 },
  command: {
    name: 'ask',
    args: ['goal'],
    sentence: true,
    takesPlainText: true,
    everydayFor: ['staff'],
    example: 'ask why is dev-machine-01 slow?',
  },
  input: z.strictObject({
    goal: z.string().trim().min(1, 'say what you want to know or reach').max(4000),
    agent_profile: z.string().max(64).default(DEFAULT_PROFILE).describe('A profile of config/agent_profiles.yaml'),
    context: z
      .record(z.string(), z.unknown())
      .default({})
      .refine((context) => JSON.stringify(context).length <= MAX_CONTEXT, `at most ${MAX_CONTEXT} characters of JSON`)
      .describe('Facts to start from, as hostname or alert_id'),
  }),
  output: z.object({ run_id: z.string(), status: z.enum(RUN_STATUSES) }),
  async run({ goal, agent_profile, context }, { ports, actor }) {
    const known = ports.agents.profiles();
    if (!known.includes(agent_profile)) {
      throw new AppError('invalid', `There is no agent profile ${agent_profile}; there are: ${known.join(', ')}.`);
    }
    const run = await requestRun(ports, actor, 'planner', {
      hostname: typeof context.hostname === 'string' ? context.hostname.slice(0, 253) : null,
      goal,
      agentProfile: agent_profile,
      // Nobody waits for what a schedule asked, so it is posted to the channel.
      state: newPlannerJob(actor, { context, tell: actor.kind === 'job' ? `agent:${agent_profile}` : null }),
    });
    return { run_id: run.id, status: run.status };
  },
  summary: ({ run_id }) => `An agent looks into it (run ${run_id}).`,
  related: ({ run_id }) => [stopCall(run_id)],
  progress: ({ run_id }) => run_id,
  schedule: {
    job: 'dex_weekly_report',
    cron: ({ hasAgents }) => (hasAgents ? '0 7 * * 1' : null),
    input: () => ({ agent_profile: 'dex_report', goal: 'Write the digest of the last seven days.' }),
  },
});
