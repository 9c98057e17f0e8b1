/**
 * `npm run demo`: in about a minute and with no accounts, a disk that fills up from its forecast to the owner's "yes, that
 * fixed it", and a survey. Then it stays up to be looked at, until Ctrl-C.
 *
 *   --once       end after the story
 *   --you        the approval waits for you
 *   --stand-in   no Ansible, even where it is installed
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { jobActor } from '../../src/core/actor.ts';
import type { ApiCall } from '../helpers/slack.ts';
import { buttonOf, buttons, shown } from '../helpers/slackReading.ts';
import { COMPANY, FILLING, OPINIONS } from './company.ts';
import { PAST_HOURS } from './history.ts';
import { createNarrator, type Narrator } from './narrator.ts';
import { startSlackPage } from './slackPage.ts';
import { createWorld, type World } from './world.ts';

const once = process.argv.includes('--once');
const you = process.argv.includes('--you');
/** How long a terminal is given to approve before the demo's own operator does. */
const YOUR_TURN_MS = 20_000;
/** Ansible takes seconds; on a machine that is busy, many. */
const PATIENCE_MS = 180_000;

const job = (name: string) => jobActor(`demo_${name}`);

async function until<T>(what: string, look: () => T | undefined | Promise<T | undefined>): Promise<T> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > deadline) throw new Error(`${what} did not come within ${PATIENCE_MS / 1000} s`);
    await delay(50);
  }
}

/** The newest message of the app that matches, as it was posted or last edited. */
function message({ slack }: World, matches: (call: ApiCall) => boolean): ApiCall | undefined {
  return slack.calls.findLast(
    (call) => /^chat\.(postMessage|update)$/.test(call.method) && call.answer.ok && matches(call),
  );
}

const inAlerts = (world: World, text: RegExp) => (call: ApiCall) =>
  call.body.channel === world.slack.channels.alerts && text.test(String(call.body.text));

/** Types a command and waits for its answer, which only the asker sees. */
async function typed({ slack, send }: World, narrator: Narrator, text: string): Promise<any> {
  const seen = slack.responses.length;
  const { json } = await slack.command(send, 'otto', text);
  // What reaches many people, or cannot be taken back, is asked for once more.
  const certain = json?.blocks && buttons(json).find(({ action_id }) => action_id === 'run:certain');
  if (certain) {
    narrator.slack('otto is asked', String(json.text));
    const channel = slack.channels.alerts ?? '';
    await slack.click(send, 'otto', { actionId: 'run:certain', value: certain.value, message: { channel, ts: '5.1' } });
  }
  const answer = await until(`the answer to /dex ${text}`, () => slack.responses[seen]);
  narrator.slack('otto types', `/dex ${text}`);
  return answer;
}

async function click({ slack, send }: World, user: string, card: ApiCall, actionId: string): Promise<void> {
  const { value } = buttonOf(card.body, actionId);
  await slack.click(send, user, { actionId, value, message: { channel: card.answer.channel, ts: card.answer.ts } });
}

async function call({ service }: World, path: string, accept = 'application/json'): Promise<Response> {
  const response = await fetch(`${service.url}/api/v1/dex${path}`, { headers: { accept } });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return response;
}

async function tell(world: World, narrator: Narrator): Promise<void> {
  const { service, slack, disk } = world;
  const { invoke } = service.app;

  narrator.step('The whole fleet is looked at');
  const from = performance.now();
  // Processor use is the difference of two looks.
  for (let look = 0; look < 2; look++) await scanFleet(world);
  narrator.say(
    `${COMPANY.length} exporter pages read over HTTP, scored and stored, twice, in ${Math.round(performance.now() - from)} ms`,
  );
  narrator.slack('answer', first(await typed(world, narrator, 'fleet')));

  narrator.step('Employees are asked how they fare');
  narrator.slack('answer', first(await typed(world, narrator, 'survey --days 7')));
  await invoke('maintain_surveys', {}, job('surveys'));
  const survey = answerSurveyMessages(world);
  narrator.say('the letters go out one by one meanwhile, as fast as Slack allows; answers are kept without names');

  narrator.step(`${FILLING.hostname} is filling its disk: a forecast`);
  await invoke('check_predictions', {}, job('forecast'));
  const warned = await until('the card', () => message(world, inAlerts(world, /DiskFull on alice-laptop/)));
  narrator.slack('#alerts', warned.body.text);
  await draw(world, narrator, 'forecast', `/endpoints/${FILLING.hostname}/trends?metric=disk_pct`);
  const card = await until('the approval', () => message(world, (it) => hasButton(it, 'run:approve')));
  narrator.slack('#alerts', card.body.text);

  narrator.step('Before anybody looks, the disk is full');
  await disk.fillTo(97);
  await typed(world, narrator, `scan <@${slack.users.alice}>`);
  const alarmed = await until('the critical card', () =>
    message(world, inAlerts(world, /DiskFull on alice-laptop: disk \/: 97 %/)),
  );
  narrator.slack('#alerts, same card', alarmed.body.text);

  narrator.step('A person decides');
  for (const line of shown(card.body).split('\n').slice(0, 6)) narrator.slack('', line);
  const decided = await decide(world, narrator, card);
  narrator.slack('#alerts, same card', decided.body.text);
  if (!/\bsaid no\b/.test(shown(decided.body))) await repaired(world, narrator);

  narrator.step('What employees say');
  await survey.enough;
  narrator.simulated(
    `${await survey.stop()} of the ${COMPANY.length} invented employees answered by a click and a form, signed as Slack signs`,
  );
  narrator.slack('answer', first(await typed(world, narrator, 'close-survey 1')));
  const said = await typed(world, narrator, 'enps');
  for (const line of shown(said).split('\n').slice(0, 9)) narrator.slack('', line);
}

async function repaired(world: World, narrator: Narrator): Promise<void> {
  narrator.step('The repair, and the rescan that proves it');
  narrator.say(world.workshop.label);
  const ended = await until('the end of the repair', async () => {
    const [{ status, reason }] = ((await (await call(world, '/remediations')).json()) as any).remediations;
    return ['queued', 'running', 'verifying'].includes(status) ? undefined : { status, reason };
  });
  if (ended.status !== 'fixed') throw new Error(`the repair ended as ${ended.status}: ${ended.reason}`);
  const fixed = await until('the end of the alert', () =>
    message(world, inAlerts(world, /DiskFull on alice.*\(resolved/)),
  );
  narrator.slack('#alerts, same card', fixed.body.text);
  const { remediations } = (await (await call(world, '/remediations')).json()) as any;
  const [{ status, run_id }] = remediations;
  narrator.say(`remediation ${run_id}: ${status}; the disk is at ${Math.round(world.disk.usedPct())} %`);

  narrator.step('Did that fix it?');
  const question = await until('the question', () => message(world, (it) => hasButton(it, 'replace:fixed')));
  narrator.slack('to alice', question.body.text);
  await click(world, 'alice', question, 'replace:fixed');
  const thanks = await until('the thanks', () =>
    message(world, (it) => it.method === 'chat.update' && it.body.ts === question.answer.ts),
  );
  narrator.slack('alice clicks Yes', thanks.body.text);
}

async function scanFleet(world: World): Promise<void> {
  const { output } = await world.service.app.invoke('scan_fleet', {}, job('scan'));
  await until('the end of the fleet scan', async () => {
    const run = await world.service.app.ports.store.runs.get(String(output.run_id));
    return run?.finishedAt ?? undefined;
  });
}

function first(answer: any): string {
  return String(answer.text).split('\n')[0] ?? '';
}

function hasButton({ body }: ApiCall, actionId: string): boolean {
  return Array.isArray(body.blocks) && buttons(body).some(({ action_id }) => action_id === actionId);
}

/** The invented employees answer their letters as these come. */
function answerSurveyMessages(world: World): { enough: Promise<void>; stop(): Promise<number> } {
  const { slack, send } = world;
  const answered = new Set<string>();
  let stopped = false;
  const enough = Promise.withResolvers<void>();
  const working = (async () => {
    while (!stopped) {
      for (const letter of slack.calls.filter((it) => it.answer.ok && hasButton(it, 'replace:no_more'))) {
        const employee = COMPANY.find(({ name }) => slack.users[name] === letter.body.channel);
        if (!employee || stopped || answered.size >= OPINIONS.length || answered.has(employee.name)) continue;
        answered.add(employee.name);
        const { rating, ...filled } = OPINIONS[answered.size % OPINIONS.length]!;
        const opened = slack.calls.length;
        await click(world, employee.name, letter, `survey_rate:${rating}`);
        const form = await until('the form', () =>
          slack.calls.slice(opened).find(({ method }) => method === 'views.open'),
        );
        await slack.submit(
          send,
          employee.name,
          { ...form.body.view, id: form.answer.view.id },
          { ...filled, hostname: employee.hostname },
        );
        if (answered.size >= OPINIONS.length) enough.resolve();
      }
      await delay(100);
    }
  })();
  working.catch(enough.reject);
  return {
    enough: enough.promise,
    async stop() {
      stopped = true;
      await working;
      return answered.size;
    },
  };
}

/** The operator's word: yours at a terminal or on the page, else the demo's. Resolves to the card that tells of it. */
async function decide(world: World, narrator: Narrator, card: ApiCall): Promise<ApiCall> {
  const decided = () => {
    const now = message(world, ({ answer }) => answer.ts === card.answer.ts);
    return now && !hasButton(now, 'run:approve') ? now : undefined;
  };
  if (once || !(you || process.stdin.isTTY)) {
    narrator.simulated('Otto, an operator, clicks Approve; the click is signed as Slack signs');
    await click(world, 'otto', card, 'run:approve');
  } else {
    const limit = you ? '' : ` (in ${YOUR_TURN_MS / 1000} s Otto does)`;
    narrator.say(`Your turn: press a button on the page; or here Enter approves, "no" denies${limit}`);
    const line = await yourWord(() => decided() !== undefined);
    if (!decided()) await (/^\s*n/i.test(line) ? deny(world, card) : click(world, 'otto', card, 'run:approve'));
  }
  return until('the decision', decided);
}

/** A no asks for its reason in a form. */
async function deny(world: World, card: ApiCall): Promise<void> {
  const { slack, send } = world;
  await click(world, 'otto', card, 'asked:deny');
  const form = await until('the form', () => slack.calls.findLast(({ method }) => method === 'views.open'));
  await slack.submit(send, 'otto', { ...form.body.view, id: form.answer.view.id }, { reason: 'You said no' });
}

/** What you type; nothing when it was decided elsewhere, or when nobody is there. */
async function yourWord(isDecided: () => boolean): Promise<string> {
  const word = Promise.withResolvers<string>();
  process.stdin.once('data', (data) => word.resolve(String(data)));
  const looking = setInterval(() => isDecided() && word.resolve(''), 200);
  const limit = you ? undefined : setTimeout(() => word.resolve(''), YOUR_TURN_MS);
  const line = await word.promise;
  clearInterval(looking);
  clearTimeout(limit);
  process.stdin.pause();
  return line;
}

const drawn: string[] = [];

/** Writes a chart of the API as a PNG file. */
async function draw(world: World, narrator: Narrator, name: string, path: string): Promise<void> {
  const folder = join(world.dir, 'charts');
  await mkdir(folder, { recursive: true });
  const png = Buffer.from(await (await call(world, path, 'image/png')).arrayBuffer());
  const file = join(folder, `${name}.png`);
  await writeFile(file, png);
  drawn.push(name);
  narrator.say(`${file} (${Math.round(png.length / 1024)} KB, from GET /api/v1/dex${path})`);
}

async function main(undo: AsyncDisposableStack): Promise<void> {
  const narrator = createNarrator((text) => process.stdout.write(text));
  narrator.step(`A company of ${COMPANY.length} people`);
  narrator.simulated(`people, machines and their load; each machine is a node_exporter page on ${'http://127.0.0.1'}`);
  narrator.simulated(
    `Slack: a Web API on this machine with the state that Slack would keep; a driver signs and sends what Slack's servers send`,
  );
  const world = await createWorld(undo, !process.argv.includes('--stand-in'));
  narrator.simulated(
    `the past: the service lived through ${PAST_HOURS / 24} days under a fast clock, ${world.past.scans} scans, ${world.past.alerts} alerts`,
  );
  if (world.daysBehind > 0)
    narrator.simulated(`the day: it is the weekend, so the demo's clock is ${world.daysBehind} days behind`);
  narrator.simulated(
    `the employees work in ${world.timeZone}, where it is office time now: surveys go out at no other`,
  );
  narrator.say(
    `real: the service, its database, HTTP, signatures, scores, forecasts, alerts, approvals, charts. It runs at ${world.service.url}`,
  );
  const page = await startSlackPage(world, () => drawn);
  undo.defer(() => page.close());
  narrator.say(`Slack as people would see it, with buttons that work: ${page.url}`);
  await tell(world, narrator);
  narrator.step('Pictures');
  await draw(world, narrator, 'score', `/endpoints/${FILLING.hostname}/history?limit=200`);
  await draw(world, narrator, 'fleet', '/fleet');
  await draw(world, narrator, 'key-figures', '/kpis?lookback_days=7');
  narrator.step(once ? 'Done' : 'Have a look; Ctrl-C ends it and removes everything');
  narrator.say(`API          ${world.service.url}/docs`);
  narrator.say(`Slack        ${page.url}`);
  narrator.say(`its state    ${world.slack.inspectorUrl}/?tab=messages&channel=${world.slack.channels.alerts}`);
  narrator.say(`metrics      ${world.service.url}/metrics`);
  narrator.say(`health       ${world.service.url}/health`);
  if (!once) await new Promise(() => {});
}

const stopped = Promise.withResolvers<void>();
process.once('SIGINT', () => stopped.resolve());
process.once('SIGTERM', () => stopped.resolve());
{
  await using undo = new AsyncDisposableStack();
  await Promise.race([main(undo), stopped.promise]);
  process.stdout.write('\nCleaning up …\n');
}
process.exit(0);
