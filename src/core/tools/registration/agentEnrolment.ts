/** Tools that only machines call: joining the fleet, renewing the agent's token, and signing off. Their routes know who calls. */
import { z } from 'zod';
import { PRIVACY_MODES } from '../../../domain/privacy/minimise.ts';
import { OS_PLATFORMS } from '../../../domain/signals/declaration.ts';
import { INTERFACES } from '../../actor.ts';
import { RENEW_TOKEN_AFTER_MS, renewToken, signOff } from '../../enrolment/agentTokens.ts';
import { enrolMachine } from '../../enrolment/enrolMachine.ts';
import { requireEndpoint } from '../../scans/scanning.ts';
import { hostnameInput } from '../../shapes.ts';
import { machineSubject } from '../../subjects.ts';
import { defineTool } from '../../tool.ts';

const AGENTS_ONLY = INTERFACES.filter((via) => via !== 'agent');

const fact = (most: number) => z.string().trim().max(most).nullish();
const version = z.string().regex(/^[\w.+-]{1,64}$/, 'must be a version');

/** What each machine may say of itself; `POST /agent/v1/enroll` takes it as its body. */
const machineInput = z.strictObject({
  hostname: z.string().trim().min(1).max(253),
  os_platform: z.enum(OS_PLATFORMS),
  os_version: fact(200),
  model: fact(200),
  serial_number: fact(128),
  machine_id: fact(128),
  user: fact(256),
  agent_version: version,
});

const renewal = { renew_token_after_s: z.number().int() };

export const enrolMachineTool = defineTool({
  name: 'enrol_machine',
  title: 'Enrol a machine',
  effect: 'write',
  reach: 'fleet',
  takesIn: 'enrolment',
  hiddenFrom: AGENTS_ONLY,
  description:
    'A machine joins with an enrolment’s secret and gets a token of its own; one that is known comes back as itself.',
  input: z.strictObject({
    enrolment_id: z.number().int(),
    /** The endpoint whose token it showed too. */
    proved_hostname: z.string().nullable(),
    machine: machineInput,
  }),
  output: z.object({
    hostname: z.string(),
    token: z.string(),
    known: z.boolean(),
    warnings: z.array(z.string()),
    /** What the agent may collect. */
    privacy: z.enum(PRIVACY_MODES),
    /** The key that signs updates, PEM; the agent takes none that another signed. */
    update_key: z.string(),
    ...renewal,
  }),
  async run({ enrolment_id, proved_hostname, machine }, { ports }) {
    const proved = proved_hostname === null ? null : await ports.store.endpoints.get(proved_hostname);
    const facts = {
      hostname: machine.hostname,
      osPlatform: machine.os_platform,
      osVersion: machine.os_version ?? null,
      model: machine.model ?? null,
      serialNumber: machine.serial_number ?? null,
      machineId: machine.machine_id ?? null,
      // Who is logged in is nothing that this mode knows.
      user: ports.privacy ? null : (machine.user ?? null),
      agentVersion: machine.agent_version,
    };
    const { endpoint, token, isKnown, warnings } = await enrolMachine(ports, enrolment_id, facts, proved?.id ?? null);
    if (warnings.length > 0)
      ports.log.warn({ hostname: endpoint.hostname, enrolment_id, warnings }, 'enrolled with warnings');
    return {
      hostname: endpoint.hostname,
      token,
      known: isKnown,
      warnings,
      privacy: ports.privacy ? ('pseudonymous' as const) : ('named' as const),
      update_key: ports.agentReleases.publicKey(),
      renew_token_after_s: RENEW_TOKEN_AFTER_MS / 1000,
    };
  },
  summary: ({ hostname, known }) => `${hostname} ${known ? 'is back' : 'has joined'}.`,
});

export const renewAgentTokenTool = defineTool({
  name: 'renew_agent_token',
  title: 'Renew an agent’s token',
  effect: 'write',
  reach: 'fleet',
  takesIn: 'token_renewal',
  subject: machineSubject,
  hiddenFrom: AGENTS_ONLY,
  description: 'An agent changes its token for a new one; the one before is taken for a day more.',
  input: z.strictObject({
    hostname: hostnameInput,
    token: z.string(),
    machine: z.strictObject({ machine_id: fact(128), agent_version: version }),
  }),
  output: z.object({ token: z.string(), ...renewal }),
  async run({ hostname, token, machine }, { ports }) {
    const endpoint = await requireEndpoint(ports, hostname);
    const about = { token, machineId: machine.machine_id ?? null, version: machine.agent_version };
    return { token: await renewToken(ports, endpoint, about), renew_token_after_s: RENEW_TOKEN_AFTER_MS / 1000 };
  },
  summary: () => 'The token is renewed.',
});

export const signOffAgentTool = defineTool({
  name: 'sign_off_agent',
  title: 'Sign an agent off',
  effect: 'write',
  reach: 'fleet',
  takesIn: 'sign_off',
  subject: machineSubject,
  hiddenFrom: AGENTS_ONLY,
  description: 'An agent is uninstalled: its token ends, the machine stays registered with its history.',
  input: z.strictObject({ hostname: hostnameInput }),
  output: z.object({ ok: z.literal(true) }),
  async run({ hostname }, { ports }) {
    await signOff(ports, await requireEndpoint(ports, hostname));
    return { ok: true as const };
  },
  summary: () => 'Signed off.',
});
