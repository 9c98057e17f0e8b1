/** Escalating: from when an alert or an approval waits until somebody answers, its policy's steps reach people, each step once. */
import type { Severity } from '../../domain/alerts/alert.ts';
import { type OnCallOverride, onCallAt } from '../../domain/escalation/onCall.ts';
import {
  type Escalated,
  type EscalationPolicy,
  type EscalationRules,
  type EscalationStep,
  isUnanswered,
  policyFor,
  stepsDue,
} from '../../domain/escalation/policy.ts';
import type { Target } from '../../domain/escalation/target.ts';
import type { Endpoint } from '../../domain/fleet/endpoint.ts';
import { notifyPeople } from '../outbox/messages.ts';
import type { EscalationState } from '../ports/escalationPorts.ts';
import type { Ports } from '../ports/ports.ts';
import type { Store } from '../ports/storePorts.ts';

/** More that reach the same people at once are reported together. */
const MOST_APART = 3;

/** Escalations that one run of the job moves on. */
const JOB_BATCH = 200;

/** What begins to wait for somebody. */
interface Waiting {
  about: Escalated;
  /** Number or id of the alert or the approval. */
  id: number | string;
  severity: Severity | null;
  /** Null where it is about no machine that is watched. */
  endpoint: Pick<Endpoint, 'ownerEmail' | 'criticalityTier' | 'tags'> | null;
}

/** Steps of one escalation that are due, with whom they reach. */
interface Reached {
  state: EscalationState;
  mention: string[];
  direct: string[];
}

/** Whether anybody is to be reached at all; without policies nothing is read or written. */
export function escalates(ports: Ports): boolean {
  return ports.escalation.current().policies.length > 0;
}

/** Begins for all that have a policy, and takes the steps that are due at once, inside the transaction of what begins to wait. */
export async function beginEscalations(ports: Ports, store: Store, waiting: readonly Waiting[]): Promise<void> {
  const rules = ports.escalation.current();
  if (rules.policies.length === 0 || waiting.length === 0) return;
  const now = ports.clock.now();
  const overrides = await store.onCall.standing(now);
  const reached = waiting.flatMap(({ about, id, severity, endpoint }): Reached[] => {
    const subject = { about, severity, tier: endpoint?.criticalityTier ?? null, tags: endpoint?.tags ?? {} };
    const policy = policyFor(rules.policies, subject, now, zoneOf(rules, ports));
    if (!policy) return [];
    const { due, ...progress } = stepsDue(policy, { beganAt: now, stepsDone: 0 }, now);
    const whom = reachedBy(due, (target) => idOf(target, rules, overrides, endpoint, ports));
    const state = {
      subject: `${about}:${id}`,
      policy: policy.name,
      beganAt: now,
      ...progress,
      notified: [...new Set([...whom.mention, ...whom.direct])],
      endedAt: null,
    };
    return [{ state, ...whom }];
  });
  await store.escalations.begin(reached.map(({ state }) => state));
  await report(ports, store, reached);
}

/** What was answered needs nobody any more. */
export async function endEscalations(
  ports: Ports,
  store: Store,
  about: Escalated,
  ids: readonly (number | string)[],
): Promise<void> {
  if (ids.length === 0 || !escalates(ports)) return;
  await store.escalations.end(
    ids.map((id) => `${about}:${id}`),
    ports.clock.now(),
  );
}

/** Takes the steps that have become due. Of a service that was away for long, all of one escalation together. */
export async function takeDueSteps(ports: Ports): Promise<number> {
  const now = ports.clock.now();
  return ports.store.transaction(async (store) => {
    const rules = ports.escalation.current();
    const overrides = await store.onCall.standing(now);
    const reached: Reached[] = [];
    for (const state of await store.escalations.due(now, JOB_BATCH)) {
      const policy = rules.policies.find(({ name }) => name === state.policy);
      const endpoint = policy && (await waitingOn(store, state.subject));
      if (policy && endpoint !== undefined) {
        const step = await takeStep(ports, store, state, policy, { rules, overrides, endpoint, now });
        if (step) reached.push(step);
      } else await store.escalations.end([state.subject], now);
    }
    await report(ports, store, reached);
    return reached.length;
  });
}

async function takeStep(
  ports: Ports,
  store: Store,
  state: EscalationState,
  policy: EscalationPolicy,
  {
    rules,
    overrides,
    endpoint,
    now,
  }: { rules: EscalationRules; overrides: readonly OnCallOverride[]; endpoint: Waiting['endpoint']; now: Date },
): Promise<Reached | null> {
  const { due, ...progress } = stepsDue(policy, state, now);
  const whom = reachedBy(due, (target) => idOf(target, rules, overrides, endpoint, ports));
  const notified = [...new Set([...state.notified, ...whom.mention, ...whom.direct])];
  const moved = await store.escalations.advance(state, { ...progress, notified });
  return moved ? { state: { ...state, ...progress, notified }, ...whom } : null;
}

/** The machine of what still waits, null where it is about none; undefined when nothing waits any more. */
async function waitingOn(store: Store, subject: string): Promise<Endpoint | null | undefined> {
  const [about, id = ''] = subject.split(':', 2);
  if (about === 'alert') {
    const alert = await store.alerts.get(Number(id));
    if (!alert || !isUnanswered(alert.status)) return undefined;
    const [endpoint] = await store.endpoints.byIds([alert.endpointId]);
    return endpoint ?? null;
  }
  const approval = await store.approvals.get(id);
  if (approval?.status !== 'pending') return undefined;
  return approval.hostname === null ? null : store.endpoints.get(approval.hostname);
}

function reachedBy(
  steps: readonly EscalationStep[],
  id: (target: Target) => string | null,
): { mention: string[]; direct: string[] } {
  const ids = (targets: readonly Target[]) => [...new Set(targets.map(id).filter((one) => one !== null))];
  return { mention: ids(steps.flatMap(({ mention }) => mention)), direct: ids(steps.flatMap(({ direct }) => direct)) };
}

function idOf(
  target: Target,
  rules: EscalationRules,
  overrides: readonly OnCallOverride[],
  endpoint: Waiting['endpoint'],
  ports: Ports,
): string | null {
  if (target.kind === 'person') return target.person.id;
  if (target.kind === 'group') return target.id;
  if (target.kind === 'owner') return endpoint?.ownerEmail ?? null;
  const rotation = rules.rotations.get(target.name);
  return rotation ? onCallAt(rotation, overrides, ports.clock.now(), zoneOf(rules, ports)).person.id : null;
}

/** IANA zone in which hours and turns are meant. */
export function zoneOf({ timeZone }: EscalationRules, { settings }: Pick<Ports, 'settings'>): string {
  return timeZone ?? settings.timeZone;
}

async function report(ports: Ports, store: Store, reached: readonly Reached[]): Promise<void> {
  const alike = Map.groupBy(reached, ({ state, mention, direct }) =>
    JSON.stringify([state.policy, state.stepsDone, mention, direct]),
  );
  for (const group of alike.values()) {
    const parts = group.length > MOST_APART ? [group] : group.map((one) => [one]);
    for (const part of parts) await reportTogether(ports, store, part);
  }
}

async function reportTogether(ports: Ports, store: Store, part: readonly Reached[]): Promise<void> {
  const [first] = part;
  if (!first) return;
  const { policy, beganAt, stepsDone } = first.state;
  const subjects = part.map(({ state }) => state.subject);
  const about = { subjects, policy, began_at: beganAt.toISOString(), steps_done: stepsDone };
  if (first.mention.length > 0)
    await notifyPeople(ports, store, { what: 'escalation', ...about, people: first.mention });
  for (const person of first.direct) await notifyPeople(ports, store, { what: 'direct', ...about, people: [person] });
}
