/**
 * `npm run bench -- agent [--archive=FILE] [--seconds=60] [--interval=10]`: the built agent as a machine runs it, unpacked from its archive and started
 * with the flags of its service, reporting over TLS; beside bare Node, which does nothing. Without an archive it builds one. Processor and
 * network are scaled from the interval of the run to the default of 300 seconds, by what a report costs and what idling does.
 */
import { execFile, spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs, promisify } from 'node:util';
import { cpuMsWithChildren } from '../helpers/processCpu.ts';
import { figure } from './figure.ts';

const execute = promisify(execFile);
const DEFAULT_INTERVAL_S = 300;
/** Those of the service's definition. */
const FLAGS = ['--jitless', '--max-semi-space-size=1', '--max-old-space-size=48'];

interface Memory {
  rssMiB: number;
  anonymousMiB: number;
}

export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      archive: { type: 'string' },
      seconds: { type: 'string', default: '60' },
      interval: { type: 'string', default: '10' },
    },
  });
  const dir = await mkdtemp(join(tmpdir(), 'dexops-bench-agent-'));
  try {
    const archive = values.archive ?? (await builtArchive(dir));
    figure('agent', 'download', (await stat(archive)).size / 1e6, 'MB');
    await execute('tar', ['-xJf', archive, '-C', dir, '--strip-components=1', '--one-top-level=unpacked']);
    const unpacked = join(dir, 'unpacked');
    const node = join(unpacked, 'node');
    const bare = await whileRunning(node, ['-e', 'setTimeout(() => {}, 60_000)'], {}, 3, async () => {});
    figure('agent', 'resident_bare_node', bare.memory.rssMiB, 'MiB');
    await measure(dir, node, join(unpacked, 'agent.mjs'), Number(values.seconds), Number(values.interval));
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function builtArchive(dir: string): Promise<string> {
  const build = join(import.meta.dirname, '../../src/agent/package/build.ts');
  await execute(process.execPath, [build, '--platform', 'own', '--out', join(dir, 'built')]);
  const name = (await readdir(join(dir, 'built'))).find((file) => file.endsWith('.tar.xz'));
  return join(dir, 'built', name as string);
}

async function measure(dir: string, node: string, agent: string, seconds: number, intervalS: number): Promise<void> {
  const server = await tlsServer(dir);
  const state = join(dir, 'state');
  const flags = ['--server', server.url, '--state', state, '--interval', String(intervalS)];
  const env = { DEX_AGENT_TOKEN: 'of-the-benchmark', NODE_EXTRA_CA_CERTS: server.certificate };
  const ended = await whileRunning(node, [...FLAGS, agent, 'run', ...flags], env, seconds, async (pid) => {
    // The first report is not the last: what is read rarely, and what loads once, comes with it.
    await sleep(Math.min(15_000, (seconds * 1000) / 3));
    return { cpu: cpuMsWithChildren(pid), reports: server.reports(), atMs: performance.now() };
  });
  await server.close();
  const { memory, begin, cpuMsAtEnd } = ended;
  figure('agent', 'resident', memory.rssMiB, 'MiB');
  figure('agent', 'resident_own', memory.anonymousMiB, 'MiB');
  const reports = server.reports() - (begin?.reports ?? 0);
  if (!begin || reports <= 0) throw new Error('the agent sent no report');
  const perReportMs = (cpuMsAtEnd - begin.cpu) / reports;
  figure('agent', 'cpu_per_report', perReportMs, 'ms', { reports });
  // All processor time is put on the reports, also what idling takes between them.
  figure('agent', 'cpu_of_one_core', (perReportMs / 1000 / DEFAULT_INTERVAL_S) * 100, '%', {
    intervalS: DEFAULT_INTERVAL_S,
  });
  const bytes = server.bytes() / server.reports();
  figure('agent', 'network', (bytes * 8) / 1000 / DEFAULT_INTERVAL_S, 'kbit/s', { bytesAReport: Math.round(bytes) });
}

/** Programs that the agent starts count with it. */
async function whileRunning<T>(
  program: string,
  args: string[],
  env: Record<string, string>,
  seconds: number,
  begin: (pid: number) => Promise<T>,
): Promise<{ memory: Memory; begin: T; cpuMsAtEnd: number }> {
  const child = spawn(program, args, { env: { PATH: process.env.PATH, ...env }, stdio: 'ignore' });
  try {
    const pid = child.pid as number;
    const startedMs = performance.now();
    const begun = await begin(pid);
    await sleep(Math.max(0, seconds * 1000 - (performance.now() - startedMs)));
    return { memory: await memoryOf(pid), begin: begun, cpuMsAtEnd: cpuMsWithChildren(pid) };
  } finally {
    child.kill();
  }
}

async function memoryOf(pid: number): Promise<Memory> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const kib = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]);
  return { rssMiB: kib('VmRSS') / 1024, anonymousMiB: kib('RssAnon') / 1024 };
}

async function tlsServer(dir: string) {
  const [key, certificate] = [join(dir, 'key.pem'), join(dir, 'certificate.pem')];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const made = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  await execute('openssl', ['req', '-x509', ...made, ...subject, '-keyout', key, '-out', certificate]);
  let reports = 0;
  let bytes = 0;
  const options = { key: await readFile(key), cert: await readFile(certificate) };
  const server = createServer(options, async (request, response) => {
    await request.toArray();
    reports++;
    response.writeHead(202, { 'content-type': 'application/json' }).end('{"ok":true,"recorded":true,"score":100}');
  });
  // As the wire carries it: TLS with its handshake, both ways.
  server.on('connection', (socket: Socket) => {
    socket.once('close', () => {
      bytes += socket.bytesRead + socket.bytesWritten;
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    certificate,
    reports: () => reports,
    bytes: () => bytes,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

if (import.meta.main) await run(process.argv.slice(2));
