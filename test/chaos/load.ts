/** What people and machines do to the service during a storm, and what it promised them by its answers. */
import { EventEmitter } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { alert, delivery } from '../helpers/deliveries.ts';
import { API_KEY } from '../helpers/service.ts';
import type { Promises } from './checks.ts';
import { MACHINES, type Outside, WEBHOOK_SECRET } from './outside.ts';
import type { Chance } from './random.ts';

/** Longer than any answer takes; milliseconds. */
const PATIENCE_MS = 20_000;

/** What people and machines are doing when something strikes. */
export const MOMENTS = ['scan', 'delivery', 'approval', 'update of a ticket'] as const;
/** `approved`: an approval was answered with 200, and what it allows has hardly begun. */
export type Moment = (typeof MOMENTS)[number] | 'approved';

/**
 * Answers that may come: done, accepted, in conflict with what another did first, and not now. Anything else is a bug whatever the
 * weather: nobody here asks for what is not there, is not allowed, or is too much.
 */
const ANSWERS = [200, 202, 409, 503];

export interface Load extends Promises {
  /** Emits a moment by its name: `approved` just after the service has answered, the others just before it hears of them. */
  moments: EventEmitter<Record<Moment, []>>;
  /** How often each status was answered; `cut` for none. */
  statuses: Map<string, number>;
  /** Answers that may not come. */
  bugs: string[];
  /** Stops, and waits for what is under way. */
  stop(): Promise<void>;
  /** Says once more, until it is answered, where alerts that come and go stand. */
  settle(): Promise<void>;
}

/** As Alertmanager knows an alert: what has ended still says when it began. */
interface ComingOrGoing {
  name: string;
  hostname: string;
  firing: boolean;
  startsAt: string;
}

interface Answer {
  status: number;
  body: any;
}

/** @param clockMs the time as the service sees it */
export function startLoad(url: string, outside: Outside, luck: Chance, clockMs: () => number): Load {
  const stopped = new AbortController();
  const moments: Load['moments'] = new EventEmitter();
  /** What comes and goes, by alert and machine. */
  const going = new Map<string, ComingOrGoing>();
  let named = 0;

  /** Null when no answer came. */
  async function call(
    method: string,
    path: string,
    body?: object,
    headers: Record<string, string> = { 'X-API-Key': API_KEY },
    answers = ANSWERS,
  ): Promise<Answer | null> {
    let answer: Answer | null = null;
    try {
      const response = await fetch(url + path, {
        method,
        headers: { 'Content-Type': 'application/json', ...headers },
        body: body && JSON.stringify(body),
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
      const text = await response.text();
      answer = { status: response.status, body: text === '' ? null : JSON.parse(text) };
    } catch {
      // Killed or not up again yet.
    }
    const status = String(answer?.status ?? 'cut');
    load.statuses.set(status, (load.statuses.get(status) ?? 0) + 1);
    if (answer && !answers.includes(answer.status))
      load.bugs.push(`${method} ${path} was answered ${status}: ${JSON.stringify(answer.body).slice(0, 200)}`);
    return answer;
  }

  const bearer = { Authorization: `Bearer ${WEBHOOK_SECRET}` };
  async function deliver(alerts: object[]): Promise<boolean> {
    moments.emit('delivery');
    return (await call('POST', '/api/v1/webhooks/alertmanager', delivery(...alerts), bearer))?.status === 200;
  }
  const isoNow = () => new Date().toISOString();

  /** As Alertmanager, which has a clock of its own: again and again until it is answered, and some deliveries twice although they were. */
  async function deliverOne(): Promise<void> {
    const hostname = luck.pick(MACHINES);
    const alertName = `Storm${named++}`;
    const severity = luck.pick(['info', 'warning', 'critical']);
    const alerts = [alert({ name: alertName, host: hostname, labels: { severity }, startsAt: isoNow() })];
    while (!stopped.signal.aborted) {
      if (await deliver(alerts)) {
        load.delivered.push({ hostname, alertName });
        if (luck.next() < 0.3) await deliver(alerts);
        return;
      }
      await pause(500);
    }
  }

  /** One that nothing heals, and one that is healed without asking. */
  const COME_AND_GO = ['ComesAndGoes', 'Stuck'];
  const comesOrGoes = ({ name, hostname, firing, startsAt }: ComingOrGoing) =>
    alert({
      name,
      host: hostname,
      status: firing ? 'firing' : 'resolved',
      startsAt,
      ...(!firing && { endsAt: isoNow() }),
    });
  async function comeAndGo(): Promise<void> {
    const name = luck.pick(COME_AND_GO);
    const hostname = luck.pick(MACHINES.slice(0, 4));
    const before = going.get(name + hostname);
    const now: ComingOrGoing = before?.firing
      ? { ...before, firing: false }
      : { name, hostname, firing: true, startsAt: isoNow() };
    going.set(name + hostname, now);
    await deliver([comesOrGoes(now)]);
  }

  async function scan(): Promise<void> {
    const fleet = luck.next() < 0.3;
    const hostname = luck.pick(MACHINES);
    const drawn = luck.next();
    if (drawn < 0.4) outside.fillDisk(hostname);
    else if (drawn < 0.5) outside.freeDisk(hostname);
    moments.emit('scan');
    const path = fleet ? '/api/v1/dex/fleet/scan' : `/api/v1/dex/endpoints/${hostname}/scan`;
    keepRun(await call('POST', path));
  }

  async function ask(): Promise<void> {
    keepRun(await call('POST', '/api/v1/runs', { goal: 'Look at the fleet.' }));
  }

  function keepRun(answer: Answer | null): void {
    if (answer?.status === 202) load.runIds.push(answer.body.run_id);
  }

  /** Two people answer at the same moment. */
  async function approve(): Promise<void> {
    const pending = await call('GET', '/api/v1/approvals?status=pending');
    for (const { approval_id: id } of pending?.body?.approvals ?? []) {
      const decision = luck.next() < 0.85 ? 'approve' : 'deny';
      const path = `/api/v1/approvals/${id}/decide`;
      if (decision === 'approve') moments.emit('approval');
      const answers = await Promise.all([call('POST', path, { decision }), call('POST', path, { decision })]);
      if (answers.some((answer) => answer?.status === 200 && answer.body.approval.status === 'approved')) {
        load.approvedIds.push(id);
        moments.emit('approved');
      }
    }
  }

  /** The ticket system tells that a ticket is done, and tells it again. */
  async function closeTicket(): Promise<void> {
    const sent = outside.tickets.sent.at(luck.between(0, Math.max(0, outside.tickets.sent.length - 1)));
    if (!sent) return;
    const { id } = JSON.parse(sent.text);
    const word = { delivery_id: `done-${id}`, ticket_id: id, event: 'resolved', at: new Date(clockMs()).toISOString() };
    const headers = { ...bearer, 'X-Webhook-Timestamp': String(Math.floor(clockMs() / 1000)) };
    moments.emit('update of a ticket');
    // Refused as too old or too new, when the clock jumped while it was on its way.
    const answers = [...ANSWERS, 401];
    for (const _again of luck.next() < 0.3 ? [1, 2] : [1])
      await call('POST', '/api/v1/webhooks/tickets', word, headers, answers);
  }

  async function look(): Promise<void> {
    await call(
      'GET',
      luck.pick([
        '/api/v1/dex/fleet',
        '/api/v1/dex/alerts',
        '/api/v1/runs',
        '/api/v1/dex/kpis',
        '/api/v1/dex/incidents',
      ]),
    );
  }

  const pause = (ms: number) => delay(ms, undefined, { signal: stopped.signal }).catch(() => {});
  const every = async (ms: number, work: () => Promise<void>) => {
    while (!stopped.signal.aborted) {
      await work();
      await pause(ms / 2 + ms * luck.next());
    }
  };
  const loops = [
    every(1500, deliverOne),
    every(1000, comeAndGo),
    every(700, scan),
    every(6000, ask),
    every(1500, approve),
    every(4000, closeTicket),
    every(400, look),
  ];

  const load: Load = {
    moments,
    delivered: [],
    leftAs: [],
    runIds: [],
    approvedIds: [],
    statuses: new Map(),
    bugs: [],
    async stop() {
      stopped.abort();
      await Promise.all(loops);
    },
    async settle() {
      for (const state of going.values()) {
        while (!(await deliver([comesOrGoes(state)]))) await delay(500);
        load.leftAs.push({ hostname: state.hostname, alertName: state.name, firing: state.firing });
      }
      // What people were asked during the storm is answered, so that nothing waits.
      await approve();
    },
  };
  return load;
}
