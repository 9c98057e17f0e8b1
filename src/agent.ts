/** The push agent: measures the machine it runs on and posts each snapshot to the DexOps server, catching up after being offline. */
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { collectSnapshot } from './adapters/collectors/collectSnapshot.ts';
import { createLocalReader } from './adapters/collectors/local.ts';
import {
  agentSecrets,
  enrol,
  isForcedPrivate,
  keepPrivacy,
  keptPrivacy,
  keptToken,
  tokenFile,
} from './agentEnrolment.ts';
import { type AgentSnapshotWire, snapshotToWire } from './core/scans/agentSnapshot.ts';
import { minimised } from './domain/privacy/minimise.ts';
import type { ScanTarget, Snapshot } from './domain/signals/telemetry.ts';
import { processEnv } from './environment.ts';

const USAGE = `Usage: npm run agent -- --server URL [options]

  --server URL      the DexOps server, for example https://dex.example.com
  --token TOKEN     the endpoint's token; better given as DEX_AGENT_TOKEN, which other users of the machine cannot see.
                    Without one the machine enrols with DEX_ENROLMENT_SECRET, once, and keeps the token it gets
  --interval SEC    seconds between two reports (default 300, at least 10)
  --services A,B    services that should run here
  --internet-target IP[:PORT]  where to measure the way to the internet (port 53 unless given)
  --no-personal     leave out which programs are used most, crash or hang
                    (DEX_PRIVACY=pseudonymous in the environment: nothing personal leaves this machine, whatever the server says)
  --once            report once and exit: 0 when the server took it, 1 when not
  --insecure        allow http:// to another machine; token and report then travel in clear text
`;

export interface AgentSettings {
  /** The service's address, with a slash at the end. */
  server: URL;
  reportUrl: URL;
  token: string;
  intervalMs: number;
  services: string[] | undefined;
  internetTarget: string | undefined;
  /** Whether programs are named. */
  personal: boolean;
  /** Nothing personal is measured until the server says that it may be. */
  isPrivate: boolean;
  /** Nor then. */
  isForced: boolean;
  once: boolean;
}

/** Reads the command line; throws an Error whose message tells the user what to change. */
export function readSettings(
  args: string[],
  tokenFromEnvironment: string | undefined,
  { isPrivate = false, isForced = false } = {},
): AgentSettings {
  const { values } = parseArgs({
    args,
    options: {
      server: { type: 'string' },
      token: { type: 'string' },
      interval: { type: 'string', default: '300' },
      services: { type: 'string' },
      'internet-target': { type: 'string' },
      'no-personal': { type: 'boolean', default: false },
      once: { type: 'boolean', default: false },
      insecure: { type: 'boolean', default: false },
    },
  });
  const token = values.token ?? tokenFromEnvironment;
  if (!values.server) throw new Error('--server is missing');
  if (!token) throw new Error('the token is missing: set DEX_ENROLMENT_SECRET or DEX_AGENT_TOKEN, or give --token');
  if (!/^[\x21-\x7e]+$/.test(token)) throw new Error('the token holds characters that no token has');
  const server = serverUrl(values.server, values.insecure);
  const intervalS = Number(values.interval);
  if (!(intervalS >= 10 && intervalS <= 86_400)) {
    throw new Error(`--interval ${values.interval} is not a number of seconds from 10 to 86400`);
  }
  return {
    server,
    reportUrl: new URL('api/v1/dex/agent/snapshot', server),
    token,
    intervalMs: intervalS * 1000,
    services: values.services?.split(',').filter((service) => service !== ''),
    internetTarget: internetTarget(values['internet-target']),
    personal: !values['no-personal'] && !isForced,
    isPrivate,
    isForced,
    once: values.once,
  };
}

/** An address of a person's choice: never a name, whose look-up would be timed with the way. */
function internetTarget(given: string | undefined): string | undefined {
  if (given === undefined) return undefined;
  const [, bracketed, plain] = /^(?:\[(.+)\]|([^:]+))(?::\d{1,5})?$/.exec(given) ?? [];
  if (isIP(given) || isIP(bracketed ?? plain ?? '')) return given;
  throw new Error(`--internet-target ${given} is not an IP address with or without a port, such as 192.0.2.1:443`);
}

function serverUrl(server: string, insecure: boolean): URL {
  const base = URL.parse(server.endsWith('/') ? server : `${server}/`);
  if (!base || !/^https?:$/.test(base.protocol)) throw new Error(`--server ${server} is not an http(s) URL`);
  const loopback = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(base.hostname);
  if (base.protocol === 'http:' && !loopback && !insecure) {
    throw new Error(`${server} would carry the token in clear text: use https, or --insecure if the network is yours`);
  }
  return base;
}

/** A day of reports at the default interval; when the server is away for longer, the oldest are given up. */
const MAX_WAITING = 288;
const FIRST_RETRY_MS = 5_000;
const MAX_RETRY_MS = 300_000;

export type Collect = (previousScanAt: Date | null) => Promise<Snapshot>;

/** What the server lets the agent collect, as its last answer said. */
interface Orders {
  /** Nothing that tells something about the person at the machine. */
  isPrivate: boolean;
  /** Nothing at all until then, by the machine's own clock. */
  pausedUntilMs: number;
}

interface RunOptions {
  firstRetryMs?: number;
  /** Remembers for the next start what the server lets be collected. */
  keep?: (isPrivate: boolean) => void;
}

/** Longer than any pause that a server may ask for. */
const LONGEST_PAUSE_MS = 2 * 3_600_000;
type Say = (line: string) => void;

/**
 * Collects every `intervalMs` and delivers in order; what cannot be delivered waits in memory and is retried with
 * growing pauses. Ends when `signal` is aborted, when the server refuses the token, or after one report with `once`.
 * @returns the process's exit code
 */
export async function runAgent(
  { reportUrl, token, intervalMs, once, isPrivate, isForced }: AgentSettings,
  collect: Collect,
  say: Say,
  signal: AbortSignal,
  { firstRetryMs = FIRST_RETRY_MS, keep = () => {} }: RunOptions = {},
): Promise<number> {
  const waiting: AgentSnapshotWire[] = [];
  let previousScanAt: Date | null = null;
  // By a clock that nobody sets.
  let nextCollectionMs = performance.now();
  let retryMs = firstRetryMs;
  const orders: Orders = { isPrivate, pausedUntilMs: 0 };
  const obey = (answer: string) => {
    Object.assign(orders, ordersIn(answer, orders));
    keep(orders.isPrivate);
  };
  while (!signal.aborted) {
    if (performance.now() >= nextCollectionMs && Date.now() < orders.pausedUntilMs) {
      say('nothing is measured: the person at this machine paused it');
      nextCollectionMs = performance.now() + intervalMs;
    }
    if (performance.now() >= nextCollectionMs) {
      const whole = await collect(previousScanAt);
      const snapshot = isForced || orders.isPrivate ? minimised(whole) : whole;
      if (snapshot.reachable) {
        previousScanAt = snapshot.collectedAt;
        waiting.push(snapshotToWire(snapshot));
        if (waiting.length > MAX_WAITING) waiting.shift();
      } else {
        say(`this machine could not be measured: ${snapshot.unreachableReason}`);
        if (once) return 1;
      }
      // Counted from now: after a laptop's sleep one report follows, not one for every interval slept through.
      nextCollectionMs = performance.now() + intervalMs;
    }
    const outcome = await deliverAll(waiting, reportUrl, token, say, obey);
    if (outcome === 'token refused') return 1;
    if (once) return outcome === 'done' ? 0 : 1;
    const untilCollectionMs = Math.max(0, nextCollectionMs - performance.now());
    if (outcome === 'try later') {
      // Jitter keeps a fleet from knocking in step when its server comes back.
      const pauseMs = retryMs * (0.5 + Math.random() / 2);
      retryMs = Math.min(retryMs * 2, MAX_RETRY_MS);
      await pause(Math.min(pauseMs, untilCollectionMs), signal);
    } else {
      retryMs = firstRetryMs;
      await pause(untilCollectionMs, signal);
    }
  }
  return 0;
}

/** Sleeps, and returns early when aborted. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => {});
}

type Outcome = 'done' | 'rejected' | 'try later' | 'token refused';

/** Posts the oldest first and stops at the first that has to wait; a report that the server calls invalid is dropped. */
async function deliverAll(
  waiting: AgentSnapshotWire[],
  url: URL,
  token: string,
  say: Say,
  heard: (answer: string) => void,
): Promise<Outcome> {
  let outcome: Outcome = 'done';
  for (let report = waiting[0]; report; report = waiting[0]) {
    const { verdict, remark, answer } = await post(report, url, token);
    if (answer !== undefined) heard(answer);
    say(`${report.collected_at} ${remark}`);
    if (verdict === 'try later' || verdict === 'token refused') {
      if (verdict === 'try later') say(`${waiting.length} report(s) waiting`);
      return verdict;
    }
    if (verdict === 'rejected') outcome = 'rejected';
    waiting.shift();
  }
  return outcome;
}

/** What a server's answer says about further reports; one that is of another version changes nothing. */
function ordersIn(answer: string, orders: Orders): Orders {
  try {
    const { privacy, paused_until } = JSON.parse(answer) as { privacy?: unknown; paused_until?: unknown };
    const untilMs = typeof paused_until === 'string' ? Date.parse(paused_until) : 0;
    return {
      isPrivate: privacy === undefined ? orders.isPrivate : privacy !== 'named',
      pausedUntilMs: Math.min(untilMs || 0, Date.now() + LONGEST_PAUSE_MS),
    };
  } catch {
    return orders;
  }
}

async function post(
  report: AgentSnapshotWire,
  url: URL,
  token: string,
): Promise<{ verdict: Outcome; remark: string; answer?: string }> {
  let response: Response;
  let answer: string;
  try {
    response = await fetch(url, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      // By its own clock: the server notices how far that is off.
      body: JSON.stringify({ ...report, sent_at: new Date().toISOString(), machine_id: machineId() }),
      // A redirect would take the token to wherever it points.
      redirect: 'manual',
      signal: AbortSignal.timeout(30_000),
    });
    answer = (await response.text()).slice(0, 300);
  } catch (error) {
    return { verdict: 'try later', remark: `${url.origin} cannot be reached: ${networkReason(error)}` };
  }
  const { status } = response;
  if (response.ok) return { verdict: 'done', remark: 'delivered', answer };
  if (status === 401 || status === 403) {
    const advice = 'register this machine again with the collector "push" and set DEX_AGENT_TOKEN to its new token';
    return { verdict: 'token refused', remark: `the server refused the token (HTTP ${status}): ${advice}` };
  }
  if (status === 400 || status === 413 || status === 422) {
    return { verdict: 'rejected', remark: `the server called the report invalid, dropped (HTTP ${status}): ${answer}` };
  }
  const hint = status === 404 || (status >= 300 && status < 400) ? `: is ${url.origin} the DexOps server itself?` : '';
  return { verdict: 'try later', remark: `not taken (HTTP ${status})${hint}` };
}

/** Of this installation; null where the system keeps none in a file. Two machines of one image are told apart by it. */
function machineId(): string | null {
  try {
    return readFileSync('/etc/machine-id', 'utf8').trim() || null;
  } catch {
    return null;
  }
}

/** fetch hides the reason ("connect ECONNREFUSED …") in the cause. */
function networkReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  return cause instanceof Error ? cause.message || cause.name : error.message;
}

/** The token of an enrolment, this time's or an earlier one's; undefined where the command line has one or nobody enrols. */
async function joinedToken(
  args: string[],
  secret: string | undefined,
  isPrivate: boolean,
  say: Say,
): Promise<{ token: string | undefined; isPrivate: boolean }> {
  if (args.some((arg) => /^--token(=|$)/.test(arg))) return { token: undefined, isPrivate };
  // The rest of the command line is checked before anything is sent.
  const { server } = readSettings(args, secret ?? 'kept');
  const file = tokenFile(server);
  const kept = await keptToken(file);
  if (kept !== undefined || secret === undefined) return { token: kept, isPrivate };
  const joined = await enrol(server, secret, { file, machineId: machineId(), isPrivate });
  say(`enrolled as ${joined.hostname}; its token is kept in ${file}`);
  for (const warning of joined.warnings) say(`note: ${warning}`);
  return { token: joined.token, isPrivate: isPrivate || joined.privacy === 'pseudonymous' };
}

async function main(): Promise<number> {
  const say: Say = (line) => process.stderr.write(`${line}\n`);
  let settings: AgentSettings;
  try {
    const args = process.argv.slice(2);
    const env = processEnv();
    const secrets = agentSecrets(env);
    const isForced = isForcedPrivate(env);
    const joined = secrets.token ? null : await joinedToken(args, secrets.enrolmentSecret, isForced, say);
    settings = readSettings(args, secrets.token ?? joined?.token, { isForced });
    settings.isPrivate = isForced || joined?.isPrivate === true || keptPrivacy(tokenFile(settings.server));
  } catch (error) {
    say(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    return 2;
  }
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  process.once('SIGTERM', () => stop.abort());
  const target: ScanTarget = {
    hostname: hostname(),
    ipAddress: null,
    osPlatform: 'other',
    collector: 'push',
    options: {
      services: settings.services,
      internetTarget: settings.internetTarget,
      personal: settings.personal,
      timeoutMs: 30_000,
    },
  };
  const look = createLocalReader();
  const collect: Collect = (previousScanAt) =>
    collectSnapshot(look, target, { now: new Date(), signal: stop.signal, previousScanAt });
  const keep = (isPrivate: boolean) => keepPrivacy(tokenFile(settings.server), isPrivate);
  return await runAgent(settings, collect, say, stop.signal, { keep });
}

if (import.meta.main) process.exitCode = await main();
