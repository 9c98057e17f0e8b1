/**
 * Self-update: takes a bundle that the pinned key signed, starts it in place of the installed one, and goes back when it does
 * not report twice. The installed agent stays what starts, so that a broken update can never keep the machine from reporting.
 */
import { createHash, createPublicKey, verify } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { call, objectIn } from './request.ts';
import { type AgentState, type StateStore, type TakenUpdate, writeWhole } from './state.ts';
import { AGENT_VERSION } from './version.ts';

type Say = (line: string) => void;

/** Reports after which an update is kept. */
const REPORTS_TO_KEEP = 2;
/** Starts that an update has for them: a crash or a reboot may cost one. */
const MOST_STARTS = 3;
/** A bundle is some 300 KB. */
const MOST_BYTES = 16 * 1024 * 1024;
const MOST_FAILED_VERSIONS = 20;

/** Tells the service manager to start the agent again. */
export const RESTART_CODE = 75;

/** What the key signs: a signature of one version is none of another. */
export function signedText(version: string, sha256: string): Buffer {
  return Buffer.from(`dexops-agent-update\n${version}\n${sha256}\n`);
}

function folder(stateDir: string): string {
  return join(stateDir, 'updates');
}

function bundleFile(stateDir: string, version: string): string {
  return join(folder(stateDir), `agent-${version}.mjs`);
}

/** Whether the file is what the pinned key signed for this version. */
function isGenuine(
  content: Buffer,
  { version, sha256, signature }: Pick<TakenUpdate, 'version' | 'sha256' | 'signature'>,
  key: string,
): boolean {
  if (createHash('sha256').update(content).digest('hex') !== sha256) return false;
  try {
    return verify(null, signedText(version, sha256), createPublicKey(key), Buffer.from(signature, 'base64'));
  } catch {
    return false;
  }
}

/** Whether `a` is newer than `b`; versions are numbers with dots, and what follows them is compared as text. */
export function isNewer(a: string, b: string): boolean {
  const parts = (version: string) => version.split(/[.+-]/).map((part) => (/^\d+$/.test(part) ? Number(part) : part));
  const [left, right] = [parts(a), parts(b)];
  for (let at = 0; at < Math.max(left.length, right.length); at++) {
    const [l, r] = [left[at] ?? 0, right[at] ?? 0];
    if (l !== r) return typeof l === typeof r ? l > r : typeof l === 'number';
  }
  return false;
}

/**
 * The bundle to run instead of the installed one; null for the installed one. Counts the start, and gives up an update that
 * has had its starts, that is not genuine, or that is no newer than the installed agent any more.
 */
export function chosenBundle(stateDir: string, store: StateStore, say: Say): URL | null {
  const state = store.read();
  const update = state?.update;
  if (!state || !update) return null;
  if (!isNewer(update.version, AGENT_VERSION)) {
    forget(stateDir, store, state, []);
    return null;
  }
  const file = bundleFile(stateDir, update.version);
  const content = readFile(file);
  const giveUp = (why: string): null => {
    say(`going back from version ${update.version} to ${AGENT_VERSION}: ${why}`);
    forget(stateDir, store, state, [update.version]);
    return null;
  };
  if (content === null || state.updateKey === null || !isGenuine(content, update, state.updateKey))
    return giveUp('its file is not what was signed');
  if (update.reports < REPORTS_TO_KEEP) {
    if (update.starts >= MOST_STARTS) return giveUp(`it did not report twice in ${MOST_STARTS} starts`);
    store.write({ ...state, update: { ...update, starts: update.starts + 1 } });
  }
  return pathToFileURL(file);
}

/** Goes back from an update that failed to start, or did not report in its time. */
export function giveUpUpdate(stateDir: string, store: StateStore, say: Say, why: string): void {
  const state = store.read();
  if (!state?.update) return;
  say(`going back from version ${state.update.version}: ${why}`);
  forget(stateDir, store, state, [state.update.version]);
}

/** Whether the running update has yet to prove itself. */
export function isOnTrial(store: StateStore): boolean {
  const update = store.read()?.update;
  return update !== null && update !== undefined && update.reports < REPORTS_TO_KEEP;
}

/** Counts reports that the server took from the running update. */
export function countReports(store: StateStore, taken: number, say: Say): void {
  const state = store.read();
  const update = state?.update;
  if (!state || !update || update.version !== AGENT_VERSION || update.reports >= REPORTS_TO_KEEP) return;
  const reports = Math.min(REPORTS_TO_KEEP, update.reports + taken);
  store.write({ ...state, update: { ...update, reports } });
  if (reports >= REPORTS_TO_KEEP) say(`version ${AGENT_VERSION} has reported twice and is kept`);
}

/** Asks for an update and takes it. @returns whether the agent has to start again; what goes wrong is said and tried later */
export async function takeUpdate(stateDir: string, store: StateStore, say: Say): Promise<boolean> {
  const state = store.read();
  if (!state || state.updateKey === null) return false;
  try {
    const url = new URL('agent/v1/update', state.server);
    url.searchParams.set('version', AGENT_VERSION);
    if (state.failedVersions.length > 0) url.searchParams.set('failed', state.failedVersions.at(-1) as string);
    const offer = await call({ method: 'GET', url, bearer: state.token });
    if (offer.status !== 200) return false;
    const { version, sha256, signature } = objectIn(offer) as Record<string, string>;
    if (!version || !sha256 || !signature || !/^[\w.+-]{1,64}$/.test(version)) return false;
    if (!isNewer(version, AGENT_VERSION) || state.failedVersions.includes(version)) return false;
    const file = new URL(`agent/v1/update/${encodeURIComponent(version)}`, state.server);
    const { status, body } = await call({ method: 'GET', url: file, bearer: state.token, mostBytes: MOST_BYTES });
    if (status !== 200) return false;
    if (!isGenuine(body, { version, sha256, signature }, state.updateKey)) {
      say(`version ${version} is refused: it is not signed by the key that was pinned at enrolment`);
      return false;
    }
    mkdirSync(folder(stateDir), { recursive: true, mode: 0o700 });
    writeWhole(bundleFile(stateDir, version), body);
    const update = { version, sha256, signature, starts: 0, reports: 0 };
    // Read again: the token may have been renewed meanwhile.
    store.write({ ...(store.read() ?? state), update });
    say(`version ${version} is taken and starts now`);
    return true;
  } catch (error) {
    say(`no update: ${(error as Error).message}`);
    return false;
  }
}

function forget(stateDir: string, store: StateStore, state: AgentState, failed: string[]): void {
  const failedVersions = [...new Set([...state.failedVersions, ...failed])].slice(-MOST_FAILED_VERSIONS);
  store.write({ ...state, update: null, failedVersions });
  for (const name of namesIn(folder(stateDir))) rmSync(join(folder(stateDir), name), { force: true });
}

function namesIn(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}

function readFile(file: string): Buffer | null {
  try {
    return readFileSync(file);
  } catch {
    return null;
  }
}
