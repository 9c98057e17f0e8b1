/** How the agent joins the fleet, renews its token and signs off. */
import { type MachineFactsWire, machineFacts, machineId } from './machineFacts.ts';
import { call, objectIn, reasonIn } from './request.ts';
import type { AgentState, StateStore } from './state.ts';
import { AGENT_VERSION } from './version.ts';

type Say = (line: string) => void;

/** Joins with an enrolment's secret and keeps what came of it. @throws Error that says why the server refused */
export async function enrol(
  store: StateStore,
  server: URL,
  { secret, isPrivate }: { secret: string; isPrivate: boolean },
  say: Say,
  facts: () => Promise<MachineFactsWire> = machineFacts,
): Promise<void> {
  const known = await facts();
  const about = isPrivate ? { ...known, user: null } : known;
  const earlier = readOrNull(store);
  const answer = await call({
    method: 'POST',
    url: new URL('agent/v1/enroll', server),
    bearer: secret,
    headers: earlier ? { 'x-agent-token': earlier.token } : {},
    body: JSON.stringify({ ...about, agent_version: AGENT_VERSION }),
  });
  if (answer.status !== 201)
    throw new Error(`this machine was not let in by ${server.origin} (HTTP ${answer.status}): ${reasonIn(answer)}`);
  const answered = objectIn(answer);
  const { hostname, token, warnings, renew_token_after_s, update_key } = answered;
  if (typeof token !== 'string') throw new Error(`${server.origin} answered without a token: is it the DexOps server?`);
  store.write({
    server: server.href,
    token,
    machineId: about.machine_id,
    isPrivate: answered.privacy === 'pseudonymous',
    renewTokenAtMs: Date.now() + Number(renew_token_after_s) * 1000,
    // A key that was pinned once is never replaced over the network.
    updateKey: earlier?.updateKey ?? (typeof update_key === 'string' ? update_key : null),
    update: earlier?.update ?? null,
    failedVersions: earlier?.failedVersions ?? [],
  });
  say(`${answered.known ? 'enrolled again' : 'enrolled'} as ${hostname}`);
  for (const warning of Array.isArray(warnings) ? warnings : []) say(`note: ${warning}`);
}

function readOrNull(store: StateStore): AgentState | null {
  try {
    return store.read();
  } catch {
    // Enrolling again is what repairs it.
    return null;
  }
}

/** Why this machine must not use the token that it found on its disk; null when it may. */
export async function copiedDisk({ machineId: enrolled }: AgentState): Promise<string | null> {
  const current = await machineId();
  if (enrolled === null || current === null || current === enrolled) return null;
  return 'this machine has another id than the one that enrolled: its disk is a copy. Enroll it by itself';
}

/** Changes the token when its time has come; what goes wrong is tried again with the next report. */
export async function renewTokenIfDue(store: StateStore, state: AgentState, say: Say): Promise<AgentState> {
  if (Date.now() < state.renewTokenAtMs) return state;
  try {
    const answer = await call({
      method: 'POST',
      url: new URL('agent/v1/token', state.server),
      bearer: state.token,
      body: JSON.stringify({ machine_id: state.machineId, agent_version: AGENT_VERSION }),
    });
    const { token, renew_token_after_s } = objectIn(answer);
    if (answer.status !== 200 || typeof token !== 'string') {
      say(`the token was not renewed (HTTP ${answer.status}): ${reasonIn(answer)}`);
      return state;
    }
    const renewed = { ...state, token, renewTokenAtMs: Date.now() + Number(renew_token_after_s) * 1000 };
    store.write(renewed);
    say('the token is renewed');
    return renewed;
  } catch (error) {
    say(`the token was not renewed: ${(error as Error).message}`);
    return state;
  }
}

/** Ends the token; the machine stays registered with its history. */
export async function signOff(state: AgentState): Promise<void> {
  const url = new URL('agent/v1/sign-off', state.server);
  const answer = await call({ method: 'POST', url, bearer: state.token, body: '{}' });
  if (answer.status !== 200) throw new Error(`HTTP ${answer.status}: ${reasonIn(answer)}`);
}
