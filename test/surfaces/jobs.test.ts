/** The schedule: names and times of the operations guide ("Scheduled Jobs"), and one invocation a job. */
import { expect, test } from 'vitest';
import { TOOLS } from '../../src/core/tools/index.ts';
import { retiredJobs, schedule, startJobs } from '../../src/surfaces/jobs.ts';

const NO_SURVEY = { cron: '', sharePct: 100 };
const ALL = schedule(TOOLS, {
  scanIntervalMinutes: 15,
  survey: { cron: '0 8 * * 1', sharePct: 20 },
  hasAgents: true,
});

test.each([
  [15, '*/15 * * * *'],
  [60, '0 * * * *'],
])('the fleet is scanned every %i minutes', (minutes, cron) => {
  const jobs = schedule(TOOLS, { scanIntervalMinutes: minutes, survey: NO_SURVEY, hasAgents: false });
  expect(jobs.find(({ name }) => name === 'dex_scan_all_endpoints')).toMatchObject({ cron, tool: 'scan_fleet' });
});

test('predictions are checked every hour', () => {
  const job = ALL.find(({ name }) => name === 'dex_check_predictive_alerts');
  expect(job).toMatchObject({ tool: 'check_predictions', cron: expect.stringMatching(/^\d+ \* \* \* \*$/) });
});

test('each job has a name of its own and a tool that there is', () => {
  expect(new Set(ALL.map(({ name }) => name)).size).toBe(ALL.length);
  const tools = TOOLS.map(({ name }) => name);
  expect(ALL.filter(({ tool }) => !tools.includes(tool))).toEqual([]);
});

test('no job is called as a retired one was', () => {
  const names = ALL.map(({ name }) => name);
  expect(retiredJobs(TOOLS).filter((retired) => names.includes(retired))).toEqual([]);
});

test('a job invokes its tool as a job, and its failure is its own', async () => {
  const handlers = new Map<string, (data: Record<string, unknown>, signal: AbortSignal) => Promise<void>>();
  const planned: string[] = [];
  const removed: string[] = [];
  const scheduler = {
    define: (job: string, handler: NonNullable<ReturnType<typeof handlers.get>>) => void handlers.set(job, handler),
    every: async (cron: string, job: string) => void planned.push(`${cron} ${job}`),
    remove: async (jobs: readonly string[]) => void removed.push(...jobs),
  };
  const called: string[] = [];
  await startJobs(ALL, retiredJobs(TOOLS), scheduler, async (tool, input, actor) => {
    called.push(`${tool} by ${actor.kind} ${actor.id}`);
    if (tool === 'maintain_alerts') throw new Error('no luck');
    return {
      call: { tool, input: input as Record<string, unknown> },
      output: {},
      text: '',
      chart: null,
      card: null,
      page: null,
      related: [],
      progress: null,
      followUp: null,
      illustration: null,
    };
  });
  expect(removed.sort()).toEqual(['dex_tend_alerts', 'dex_tend_retention', 'dex_tend_surveys']);
  expect(planned).toEqual(ALL.map(({ cron, name }) => `${cron} ${name}`));
  const goesOn = new AbortController().signal;
  await handlers.get('dex_scan_all_endpoints')?.({}, goesOn);
  await expect(handlers.get('dex_maintain_alerts')?.({}, goesOn)).rejects.toThrow('no luck');
  expect(called).toEqual([
    'scan_fleet by job job:dex_scan_all_endpoints',
    'maintain_alerts by job job:dex_maintain_alerts',
  ]);
});
