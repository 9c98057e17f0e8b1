/** A run followed by server-sent events: what was, what comes, and coming back after a cut. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { answer, type Model, startModel } from '../../helpers/model.ts';
import { API_KEY, startTestService, type TestService } from '../../helpers/service.ts';

let model: Model;
let service: TestService;
beforeAll(async () => {
  model = await startModel();
  service = await startTestService(model.env);
}, 60_000);
afterAll(async () => {
  await service?.stop();
  await model?.stop();
});

interface Event {
  event: string;
  id: string | undefined;
  data: any;
}

const open = (runId: string, headers: Record<string, string> = {}) =>
  fetch(`${service.url}/api/v1/runs/${runId}/events`, { headers: { 'X-API-Key': API_KEY, ...headers } });

/** All events until the stream ends. */
async function eventsOf(response: Response): Promise<Event[]> {
  const blocks = (await response.text()).split('\n\n');
  return blocks.flatMap((block) => {
    const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1];
    const event = field('event');
    return event ? [{ event, id: field('id'), data: JSON.parse(field('data') ?? 'null') }] : [];
  });
}

async function start(goal: string): Promise<string> {
  return (await service.call('POST', '/api/v1/runs', { goal })).body.run_id;
}

const twoSteps = (goal: string, afterMs = 0) =>
  model.says(goal, { calls: [['dexops__get_fleet', {}]] }, { text: answer('All is well.'), afterMs });

test('everything is told once to whoever watches from the beginning to the end', { timeout: 30_000 }, async () => {
  twoSteps('goal-watch', 300);
  const runId = await start('goal-watch');
  const response = await open(runId);
  expect(response.headers.get('content-type')).toBe('text/event-stream');
  const events = await eventsOf(response);

  expect(events.filter(({ event, id }) => event === 'step' && id).map(({ id }) => id)).toEqual(['1', '2']);
  expect(events.find(({ id }) => id === '1')?.data).toMatchObject({
    step: 1,
    calls: [{ tool: 'dexops__get_fleet', status: 'done' }],
  });
  expect(
    events
      .filter(({ event }) => event === 'status')
      .map(({ data }) => data.status)
      .at(-1),
  ).toBe('completed');
  const text = events
    .filter(({ event }) => event === 'text')
    .map(({ data }) => data.delta)
    .join('');
  expect(text).toContain('All is well.');
  expect(events.at(-1)).toMatchObject({ event: 'end', id: 'end', data: { run_id: runId, status: 'completed' } });
});

test('whoever comes back gets what came after the last step they have, and after the end nothing', {
  timeout: 30_000,
}, async () => {
  twoSteps('goal-return');
  const runId = await start('goal-return');
  await service.finished(runId);

  const all = await eventsOf(await open(runId));
  expect(all.map(({ event, id }) => `${event} ${id}`)).toEqual(['step 1', 'step 2', 'status undefined', 'end end']);
  const later = await eventsOf(await open(runId, { 'Last-Event-ID': '1' }));
  expect(later.map(({ event, id }) => `${event} ${id}`)).toEqual(['step 2', 'status undefined', 'end end']);
  expect((await open(runId, { 'Last-Event-ID': 'end' })).status).toBe(204);
});

test('a watcher who leaves stops nothing', { timeout: 30_000 }, async () => {
  twoSteps('goal-leave', 300);
  const runId = await start('goal-leave');
  const leaving = new AbortController();
  const response = await fetch(`${service.url}/api/v1/runs/${runId}/events`, {
    headers: { 'X-API-Key': API_KEY },
    signal: leaving.signal,
  });
  await response.body!.getReader().read();
  leaving.abort();
  expect((await service.finished(runId)).status).toBe('completed');
});

test('strangers and unknown runs get no stream', async () => {
  expect((await open('none')).status).toBe(404);
  expect((await open('none', { 'X-API-Key': 'wrong' })).status).toBe(401);
});
