/** Runs shipped playbooks with ansible-playbook on one endpoint: its own inventory, its own known host key, a time limit. */
import { access, constants, lstat, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { PlaybookJob, PlaybookReport, PlaybookRunner } from '../../core/ports/ports.ts';
import type { Endpoint } from '../../domain/fleet/endpoint.ts';
import type { Variable } from '../../domain/healing/remediation.ts';
import { readReport } from './ansibleReport.ts';
import { connectionTo, NoConnection, type SshSettings } from './connection.ts';
import { type Ended, runProgram } from './program.ts';

interface AnsibleOptions extends SshSettings {
  playbooksDir: string;
  /** What started programs may know of this process's environment: PATH, HOME, the language. No secrets. */
  env: Readonly<Record<string, string>>;
}

/** What the endpoint is called in a run: names such as `all` and `localhost` mean something else to Ansible. */
const INVENTORY_NAME = 'endpoint';

/** The guide's limit for one run, milliseconds. */
const TIME_LIMIT_MS = 600_000;
const PROGRAM = 'ansible-playbook';
const NAME = /^[a-z][a-z0-9_]{0,63}$/;

export function createAnsibleRunner(options: AnsibleOptions): PlaybookRunner {
  const { playbooksDir, env } = options;

  async function blockingReason(endpoint: Endpoint, playbook: string): Promise<string | null> {
    // A plain file directly in the folder, under a name that cannot be a path: anything else does not exist.
    const file = NAME.test(playbook) ? await lstat(join(playbooksDir, `${playbook}.yml`)).catch(() => null) : null;
    if (!file?.isFile()) return `there is no playbook named ${JSON.stringify(playbook.slice(0, 64))}`;
    if (!(await isInstalled(env.PATH ?? ''))) return 'Ansible is not installed where this service runs';
    const { collector, options: how } = endpoint;
    if (collector !== 'local' && !(how.username && how.privateKeyFile))
      return 'nothing can be run on it: its options have no SSH user name and key';
    return null;
  }

  return {
    blockingReason,

    async run(job, signal) {
      const problem = await blockingReason(job.endpoint, job.playbook);
      if (problem !== null) return failed(problem);
      // Keys and variables of this run only: readable by nobody else, gone when it ends.
      const dir = await mkdtemp(join(tmpdir(), 'dexops-run-'));
      try {
        const connection = await connectionTo(job.endpoint, options, dir, env, signal);
        const ended = await runProgram(PROGRAM, await argumentsFor(job, connection, dir, playbooksDir), {
          cwd: dir,
          env: { ...env, ...settings(dir) },
          timeLimitMs: TIME_LIMIT_MS,
          signal,
        });
        return reportOf(ended);
      } catch (error) {
        if (error instanceof NoConnection) return failed(error.message);
        throw error;
      } finally {
        await rm(dir, { recursive: true, force: true });
      }
    },
  };
}

function settings(dir: string): Record<string, string> {
  return {
    // Ours alone: whatever a machine's own ansible.cfg says must not change what a playbook does.
    ANSIBLE_CONFIG: join(dir, 'ansible.cfg'),
    ANSIBLE_HOME: dir,
    ANSIBLE_LOCAL_TEMP: join(dir, 'tmp'),
    ANSIBLE_STDOUT_CALLBACK: 'ansible.posix.json',
    ANSIBLE_SHOW_CUSTOM_STATS: '1',
    ANSIBLE_HOST_KEY_CHECKING: '1',
    ANSIBLE_RETRY_FILES_ENABLED: '0',
    ANSIBLE_NOCOLOR: '1',
    ANSIBLE_PIPELINING: '1',
    ANSIBLE_TIMEOUT: '15',
    // A shared connection would outlive the run.
    ANSIBLE_SSH_ARGS: '-o ControlMaster=no',
  };
}

async function argumentsFor(
  job: PlaybookJob,
  connection: Record<string, unknown>,
  dir: string,
  playbooksDir: string,
): Promise<string[]> {
  const inventory = join(dir, 'inventory.json');
  const variables = join(dir, 'variables.json');
  await writeFile(join(dir, 'ansible.cfg'), '[defaults]\n', { mode: 0o600 });
  await writeFile(inventory, JSON.stringify({ all: { hosts: { [INVENTORY_NAME]: connection } } }), { mode: 0o600 });
  await writeFile(variables, JSON.stringify(inert(job.variables)), { mode: 0o600 });
  return [
    '--inventory',
    inventory,
    '--limit',
    INVENTORY_NAME,
    '--extra-vars',
    `@${variables}`,
    ...(job.dryRun ? ['--check', '--diff'] : []),
    join(playbooksDir, `${job.playbook}.yml`),
  ];
}

/** Ansible runs templates that it finds in variables, before any check in a playbook, unless they are marked as unsafe. */
function inert(variables: Record<string, Variable>): Record<string, unknown> {
  const mark = (value: string | number | boolean) => (typeof value === 'string' ? { __ansible_unsafe: value } : value);
  return Object.fromEntries(
    Object.entries(variables).map(([name, value]) => [name, Array.isArray(value) ? value.map(mark) : mark(value)]),
  );
}

function reportOf(ended: Ended): PlaybookReport {
  if (ended.stopped === 'time')
    return failed(`it did not end within ${TIME_LIMIT_MS / 60_000} minutes and was stopped`);
  if (ended.stopped === 'signal') return failed('it was stopped while it ran');
  return readReport(ended, INVENTORY_NAME);
}

function failed(reason: string): PlaybookReport {
  return { ok: false, reason, tasks: [], stats: {} };
}

async function isInstalled(path: string): Promise<boolean> {
  const found = await Promise.all(
    path.split(delimiter).map((dir) =>
      access(join(dir, PROGRAM), constants.X_OK).then(
        () => true,
        () => false,
      ),
    ),
  );
  return found.includes(true);
}
