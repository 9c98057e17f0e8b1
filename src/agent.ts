/** The push agent: measures the machine it runs on and posts each snapshot to the DexOps server, catching up after being offline. */
import { homedir, hostname } from 'node:os';
import { join } from 'node:path';
import { collectSnapshot } from './adapters/collectors/collectSnapshot.ts';
import { createLocalReader } from './adapters/collectors/local.ts';
import { copiedDisk, enrol, renewTokenIfDue, signOff } from './agent/enrol.ts';
import { agentEnvironment } from './agent/environment.ts';
import { type Collect, runAgent } from './agent/runAgent.ts';
import { type AgentCommand, type AgentSettings, readCommandLine, runSettings, USAGE } from './agent/settings.ts';
import { type AgentState, fileSpool, type StateStore, stateStore } from './agent/state.ts';
import { chosenBundle, countReports, giveUpUpdate, isOnTrial, RESTART_CODE, takeUpdate } from './agent/update.ts';
import { AGENT_VERSION, IS_BUILT } from './agent/version.ts';
import type { ScanTarget } from './domain/signals/telemetry.ts';
import { processEnv } from './environment.ts';

/** How often the server is asked for an update. Milliseconds. */
const ASK_FOR_UPDATE_EVERY_MS = 6 * 3_600_000;
/** For how many intervals an update may take to report twice. */
const TRIAL_INTERVALS = 6;

const say = (line: string): void => void process.stderr.write(`${line}\n`);

/** @param isUpdate whether this bundle was started by the installed one, in its place */
export async function main(args: string[], isUpdate = false): Promise<number> {
  let line: AgentCommand;
  try {
    line = withStateDir(readCommandLine(args));
  } catch (error) {
    return usage(error);
  }
  const store = line.stateDir === null ? null : stateStore(line.stateDir);
  if (line.command === 'version') return process.stdout.write(`${AGENT_VERSION}\n`) ? 0 : 1;
  if (line.command === 'enroll') return enrolCommand(line, store);
  if (line.command === 'sign-off') return signOffCommand(store);
  const updated =
    isUpdate || line.stateDir === null || store === null || !line.updates
      ? null
      : chosenBundle(line.stateDir, store, say);
  if (updated && line.stateDir !== null && store) {
    // By the installed agent, since the update may have forgotten how.
    const trial = isOnTrial(store) ? watchTrial(line.stateDir, store, line.intervalMs) : undefined;
    try {
      const bundle = (await import(updated.href)) as { main: typeof main };
      return await bundle.main(args, true);
    } catch (error) {
      giveUpUpdate(line.stateDir, store, say, `it failed: ${(error as Error).message}`);
      return RESTART_CODE;
    } finally {
      clearTimeout(trial);
    }
  }
  return run(line, store);
}

/** The agent of a checkout, which nobody installed, keeps what an enrolment gave it below its user's home: one folder a server. */
function withStateDir(line: AgentCommand): AgentCommand {
  const isGivenToken = (line.token ?? agentEnvironment(processEnv()).token) !== undefined;
  if (line.command !== 'run' || line.stateDir !== null || line.server === null || isGivenToken) return line;
  return { ...line, stateDir: join(homedir(), '.dexops-agent', line.server.host.replaceAll(/[^\w.-]/g, '_')) };
}

function usage(error: unknown): number {
  say(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
  return 2;
}

async function enrolCommand({ server }: AgentCommand, store: StateStore | null): Promise<number> {
  const { enrolmentSecret, isPrivate } = agentEnvironment(processEnv());
  if (!server || !store || !enrolmentSecret)
    return usage(new Error('enroll needs --server, --state and the secret in DEX_ENROLMENT_SECRET'));
  try {
    await enrol(store, server, { secret: enrolmentSecret, isPrivate }, say);
    return 0;
  } catch (error) {
    say(`not enrolled: ${(error as Error).message}`);
    return 1;
  }
}

async function signOffCommand(store: StateStore | null): Promise<number> {
  const state = store?.read();
  if (!state) return 0;
  try {
    await signOff(state);
    return 0;
  } catch (error) {
    say(`not signed off: ${(error as Error).message}`);
    return 1;
  }
}

async function run(line: AgentCommand, store: StateStore | null): Promise<number> {
  const environment = agentEnvironment(processEnv());
  const { token, enrolmentSecret } = environment;
  let settings: AgentSettings;
  let state: AgentState | null = null;
  try {
    state = store?.read() ?? null;
    if (
      state === null &&
      store &&
      line.server &&
      (line.token ?? token) === undefined &&
      enrolmentSecret !== undefined
    ) {
      const code = await enrolCommand(line, store);
      if (code !== 0) return code;
      state = store.read();
    }
    settings = runSettings(line, environment, state);
  } catch (error) {
    return usage(error);
  }
  const isCopy = state && (await copiedDisk(state));
  if (isCopy) {
    say(isCopy);
    return 1;
  }
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  process.once('SIGTERM', () => stop.abort());
  const { stateDir } = line;
  const spool = stateDir === null ? undefined : fileSpool(stateDir);
  // Not yet: an agent that asks with its first report would ask with every restart.
  let askedAtMs = performance.now() - ASK_FOR_UPDATE_EVERY_MS * Math.random();
  return runAgent(settings, {
    collect: collector(settings, stop.signal),
    isAlwaysPrivate: environment.isPrivate,
    keepMode(isPrivate) {
      if (!store || !state || state.isPrivate === isPrivate) return;
      state = { ...(store.read() ?? state), isPrivate };
      store.write(state);
    },
    say,
    signal: stop.signal,
    ...(spool && { spool }),
    token: () => state?.token ?? settings.token,
    async afterDelivery(taken) {
      if (!store || !state || stateDir === null) return null;
      countReports(store, taken, say);
      state = await renewTokenIfDue(store, store.read() ?? state, say);
      const isDue = performance.now() - askedAtMs >= ASK_FOR_UPDATE_EVERY_MS || line.once;
      if (!settings.updates || !IS_BUILT || !isDue || isOnTrial(store)) return null;
      askedAtMs = performance.now();
      return (await takeUpdate(stateDir, store, say)) ? RESTART_CODE : null;
    },
  });
}

/** Goes back from an update that runs but does not get its reports through. */
function watchTrial(stateDir: string, store: StateStore, intervalMs: number): NodeJS.Timeout {
  return setTimeout(() => {
    if (!isOnTrial(store)) return;
    giveUpUpdate(stateDir, store, say, `it did not report twice in ${TRIAL_INTERVALS} intervals`);
    process.exit(RESTART_CODE);
  }, intervalMs * TRIAL_INTERVALS);
}

function collector({ services, internetTarget, personal }: AgentSettings, signal: AbortSignal): Collect {
  const target: ScanTarget = {
    hostname: hostname(),
    ipAddress: null,
    osPlatform: 'other',
    collector: 'push',
    options: {
      ...(services && { services }),
      ...(internetTarget !== undefined && { internetTarget }),
      timeoutMs: 30_000,
    },
  };
  const read = createLocalReader();
  return (previousScanAt, mayBePersonal) => {
    const options = { ...target.options, personal: personal && mayBePersonal };
    return collectSnapshot(read, { ...target, options }, { now: new Date(), signal, previousScanAt });
  };
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
