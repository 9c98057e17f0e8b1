/** What the agent is asked to do: its command line, read and checked. */
import { isIP } from 'node:net';
import { parseArgs } from 'node:util';

export const USAGE = `Usage: dexops-agent [run|enroll|sign-off|version] [options]

  run (default)       measure this machine and report, until stopped; joins first with DEX_ENROLMENT_SECRET where it has no token
  enroll              join the fleet with the secret in DEX_ENROLMENT_SECRET, and keep the token in --state
  sign-off            end the token, before the agent is uninstalled

  --server URL        the DexOps server, for example https://dex.example.com; after enrolling it is known
  --state DIR         where token and waiting reports are kept; a folder of the home's .dexops-agent unless
                      given, and in memory with a token of the command line or the environment
  --token TOKEN       the endpoint's token; better given as DEX_AGENT_TOKEN, which other users of the machine cannot see
  --interval SEC      seconds between two reports (default 300, at least 10)
  --services A,B      services that should run here
  --internet-target IP[:PORT]  where to measure the way to the internet (port 53 unless given)
  --no-personal       leave out which programs are used most, crash or hang
  --no-update         never take an update from the server
  --once              report once and exit: 0 when the server took it, 1 when not
  --insecure          allow http:// to another machine; token and report then travel in clear text
`;

const COMMANDS = ['run', 'enroll', 'sign-off', 'version'] as const;

export interface AgentSettings {
  /** The server's address, with a slash at the end. */
  server: URL;
  token: string;
  intervalMs: number;
  services: string[] | undefined;
  internetTarget: string | undefined;
  /** Whether programs are named. */
  personal: boolean;
  /** Nothing that tells something about the person at the machine is reported, until the server says otherwise. */
  isPrivate: boolean;
  /** Whether updates are taken. */
  updates: boolean;
  once: boolean;
}

/** The command line before what an enrolment said is known. */
export interface AgentCommand extends Omit<AgentSettings, 'server' | 'token' | 'isPrivate'> {
  command: (typeof COMMANDS)[number];
  server: URL | null;
  token: string | undefined;
  stateDir: string | null;
}

/** What earlier enrolment left behind. */
interface Known {
  server: string;
  token: string;
  isPrivate: boolean;
}

/** Reads the command line; throws an Error whose message tells the user what to change. */
export function readCommandLine(args: string[]): AgentCommand {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      server: { type: 'string' },
      state: { type: 'string' },
      token: { type: 'string' },
      interval: { type: 'string', default: '300' },
      services: { type: 'string' },
      'internet-target': { type: 'string' },
      'no-personal': { type: 'boolean', default: false },
      'no-update': { type: 'boolean', default: false },
      once: { type: 'boolean', default: false },
      insecure: { type: 'boolean', default: false },
    },
  });
  const [command = 'run', ...surplus] = positionals;
  if (!isCommand(command) || surplus.length > 0)
    throw new Error(`${positionals.join(' ')} is none of ${COMMANDS.join(', ')}`);
  const intervalS = Number(values.interval);
  if (!(intervalS >= 10 && intervalS <= 86_400)) {
    throw new Error(`--interval ${values.interval} is not a number of seconds from 10 to 86400`);
  }
  return {
    command,
    server: values.server === undefined ? null : serverUrl(values.server, values.insecure),
    token: values.token,
    stateDir: values.state ?? null,
    intervalMs: intervalS * 1000,
    services: values.services?.split(',').filter((service) => service !== ''),
    internetTarget: internetTarget(values['internet-target']),
    personal: !values['no-personal'],
    updates: !values['no-update'],
    once: values.once,
  };
}

function isCommand(word: string): word is AgentCommand['command'] {
  return (COMMANDS as readonly string[]).includes(word);
}

/** The settings of `run`, with what the environment and an earlier enrolment say where the command line is silent. */
export function runSettings(
  { command: _command, stateDir: _stateDir, ...given }: AgentCommand,
  environment: { token?: string | undefined; isPrivate?: boolean },
  known: Known | null,
): AgentSettings {
  const server = given.server ?? (known && new URL(known.server));
  const token = given.token ?? environment.token ?? known?.token;
  if (!server) throw new Error('--server is missing');
  if (!token) throw new Error('the token is missing: set DEX_ENROLMENT_SECRET or DEX_AGENT_TOKEN, or give --token');
  if (!/^[\x21-\x7e]+$/.test(token)) throw new Error('the token holds characters that no token has');
  const isPrivate = environment.isPrivate || known?.isPrivate || false;
  return { ...given, server, token, isPrivate };
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
