/** Answers a question without a language model: finds the machine it is about and lays out what the rules know of it. */
import { isValidHostname } from '../../domain/fleet/address.ts';
import type { Actor } from '../actor.ts';
import { AppError } from '../errors.ts';
import { matchHost } from '../fleet/hostLookup.ts';
import type { Invoke } from '../invoke.ts';
import { isStaff } from '../policy.ts';
import type { Ports } from '../ports/ports.ts';
import { staleBefore } from '../scores/staleness.ts';

interface RuleQuestion {
  goal: string;
  /** `hostname` and `owner_email` say outright what the question is about. */
  context: Record<string, unknown>;
  /** Why there is no model. */
  noModel: string;
}

/** Fits the answer of the default profile, so that interfaces show both alike. */
interface RuleAnswer {
  summary: string;
  findings: { fact: string; source: string }[];
  actions_taken: string[];
  next_steps: string[];
}

/** Machines that one question is answered for; an owner with more is asked which. */
const MAX_HOSTS = 3;
const MAX_WORDS = 60;

export async function ruleAnswer(
  world: { ports: Ports; invoke: Invoke; actor: Actor },
  { goal, context, noModel }: RuleQuestion,
): Promise<RuleAnswer> {
  const seesFleet = isStaff(world.actor);
  // Why there is no model is for those who can change it.
  const why = seesFleet ? ` (${noModel})` : '';
  const disclosure = `No language model is configured${why}, so this is what rules can show.`;
  const hosts = await hostsOf(world, { goal, context });
  const asked = callsFor(hosts, seesFleet);
  const findings: RuleAnswer['findings'] = [];
  for (const { tool, input } of asked) {
    const fact = await told(world, tool, input);
    if (fact) findings.push({ fact, source: tool });
  }
  return {
    summary:
      hosts.length > 0
        ? `${disclosure} About ${hosts.join(', ')}.`
        : `${disclosure} ${seesFleet ? WHOLE_FLEET : NO_MACHINE}`,
    findings,
    actions_taken: [],
    next_steps:
      hosts.length > 0
        ? hosts.map((hostname) => `Reader again now: scan ${hostname}`)
        : ['Ask about one machine by its hostname or its owner’s mail address.'],
  };
}

type Question = Pick<RuleQuestion, 'goal' | 'context'>;

/** The calls that tell first what a question is about. */
export async function callsAbout(
  world: { ports: Ports; actor: Actor },
  question: Question,
): Promise<{ tool: string; input: Record<string, unknown> }[]> {
  return callsFor(await hostsOf(world, question), isStaff(world.actor));
}

async function hostsOf({ ports, actor }: { ports: Ports; actor: Actor }, { goal, context }: Question) {
  return ownOnly(ports, actor, await hostsMeant(ports, goal, context));
}

const callsFor = (hosts: string[], seesFleet: boolean) =>
  hosts.length > 0 ? hosts.flatMap(aboutHost) : seesFleet ? ABOUT_FLEET : [];

const WHOLE_FLEET = 'The question names no registered machine, so it is about the whole fleet.';
const NO_MACHINE = 'The question names no machine of yours.';
const ABOUT_FLEET = [
  { tool: 'get_fleet', input: {} },
  { tool: 'list_alerts', input: { severity: 'critical', limit: 10 } },
];

/** Whose a machine is decides whether it is spoken of at all. */
async function ownOnly({ store }: Ports, actor: Actor, hosts: string[]): Promise<string[]> {
  if (isStaff(actor)) return hosts;
  const found = await Promise.all(hosts.map((hostname) => store.endpoints.get(hostname)));
  return found.flatMap((endpoint) =>
    endpoint && actor.email !== undefined && endpoint.ownerEmail?.toLowerCase() === actor.email.toLowerCase()
      ? [endpoint.hostname]
      : [],
  );
}

const aboutHost = (hostname: string) => [
  { tool: 'diagnose_machine', input: { hostname } },
  { tool: 'get_score', input: { hostname } },
  { tool: 'list_alerts', input: { hostname, limit: 10 } },
  { tool: 'endpoint_runbooks', input: { hostname } },
];

/** What a tool says, or why it has nothing to say; null when this service has no such tool. */
async function told(
  { invoke, actor }: { invoke: Invoke; actor: Actor },
  tool: string,
  input: Record<string, unknown>,
): Promise<string | null> {
  try {
    return (await invoke(tool, input, actor)).text;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return error.message.startsWith('There is no tool') ? null : error.message;
  }
}

/** Hostnames first, then owners by their mail address, then by the name in it (`alice` for alice@company.com). */
async function hostsMeant(ports: Ports, goal: string, context: Record<string, unknown>): Promise<string[]> {
  const given = [context.hostname, context.owner_email].filter((value) => typeof value === 'string');
  const words = [...given, ...goal.split(/[\s,;:!?"“”()<>]+/)]
    .map((word) =>
      word
        .toLowerCase()
        .replace(/['’]s?$/, '')
        .replace(/\.+$/, ''),
    )
    .filter(Boolean);
  const distinct = [...new Set(words)].slice(0, MAX_WORDS);

  const byName = [];
  for (const word of distinct.filter(isValidHostname)) {
    const match = await matchHost(ports.store, word);
    if (match.kind === 'found') byName.push(match.endpoint.hostname);
  }
  if (byName.length > 0) return byName.slice(0, MAX_HOSTS);

  for (const word of distinct.filter((word) => /^[^@]+@[^@]+$/.test(word))) {
    const owned = await ownedBy(ports, { ownerEmail: word });
    if (owned.length > 0) return owned;
  }
  for (const word of distinct.filter((word) => /^[a-z0-9.-]{3,}$/.test(word))) {
    const owned = await ownedBy(ports, { ownerName: word });
    if (owned.length > 0) return owned;
  }
  return [];
}

async function ownedBy(ports: Ports, filter: { ownerEmail?: string; ownerName?: string }): Promise<string[]> {
  const page = { limit: MAX_HOSTS, offset: 0 };
  const { items } = await ports.store.endpoints.list(filter, page, staleBefore(ports, ports.clock.now()));
  return items.map(({ hostname }) => hostname);
}
