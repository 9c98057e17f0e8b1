/** Tools that set agents to work, and that give a human's word on what an agent may not do alone. */
import { z } from 'zod';
import { RUN_STATUSES } from '../../domain/run.ts';
import { FACES } from '../actor.ts';
import { AppError } from '../errors.ts';
import { newPlannerJob } from '../plannerJob.ts';
import { DEFAULT_PROFILE, decideCall, expireDecisions } from '../plannerRuns.ts';
import { presentRun } from '../present.ts';
import { requestRun } from '../scanning.ts';
import { runIdInput, runShape } from '../shapes.ts';
import { defineTool } from '../tool.ts';
import { runText } from './runs.ts';

/** Characters of JSON; about 6,000 tokens, as much as an agent is shown of it. */
const MAX_CONTEXT = 24_000;

export const startRun = defineTool({
  name: 'start_run',
  title: 'Ask an agent',
  effect: 'write',
  // Asking changes nothing by itself, and the agent may do no more than who asked.
  role: 'viewer',
  hiddenFrom: ['planner'],
  description:
    'Give an agent a goal or a question in words. Answers at once with a run_id; get_run with wait_seconds brings its steps and its answer.',
  http: { method: 'POST', path: '/api/v1/runs', status: 202 },
  command: { name: 'ask', args: ['goal'], sentence: true, example: 'ask why is dev-machine-01 slow?' },
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
      // Nobody waits for what a schedule asked, so it is told in the channel.
      state: newPlannerJob(actor, { context, tell: actor.kind === 'job' ? `agent:${agent_profile}` : null }),
    });
    return { run_id: run.id, status: run.status };
  },
  summary: ({ run_id }) => `An agent looks into it (run ${run_id}).`,
});

export const decideRunCall = defineTool({
  name: 'decide_run_call',
  title: 'Allow or refuse an agent’s call',
  effect: 'write',
  humansOnly: true,
  description:
    'A person’s yes or no to the one call that an agent’s run waits with; the first word counts, and the run goes on.',
  http: { method: 'POST', path: '/api/v1/runs/:run_id/steps/:call_id/decide' },
  command: {
    name: 'decide',
    args: ['run_id', 'call_id', 'decision'],
    example: 'decide 01JD3X8T5M7V2N4K6P8Q0R1S2T s2c1 approve',
  },
  input: z.strictObject({
    run_id: runIdInput,
    call_id: z.string().min(1).max(20),
    decision: z.enum(['approve', 'deny']),
    reason: z.string().trim().max(500).optional().describe('Why; the agent is told'),
  }),
  output: runShape,
  async run({ run_id, call_id, decision, reason }, { ports, actor }) {
    const word = { approve: decision === 'approve', by: actor.name, reason: reason ?? null };
    return presentRun(await decideCall(ports, run_id, call_id, word));
  },
  summary: runText,
});

export const tendRuns = defineTool({
  name: 'tend_runs',
  title: 'Tend runs',
  effect: 'write',
  hiddenFrom: FACES.filter((face) => face !== 'job'),
  description: 'Refuse for people who did not answer in time what an agent waits with.',
  input: z.strictObject({}),
  output: z.object({ expired: z.number().int() }),
  run: async (_input, { ports }) => ({ expired: await expireDecisions(ports) }),
  summary: ({ expired }) => `${expired} waiting calls expired.`,
});
