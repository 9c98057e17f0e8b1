/** Collects from Linux, macOS and Windows machines over SSH: one login, one fixed script. */
import { readFile, realpath } from 'node:fs/promises';
import { isAbsolute, relative, resolve } from 'node:path';
import { performance } from 'node:perf_hooks';
import type { Client } from 'ssh2';
import type { CollectContext } from '../../../core/ports/ports.ts';
import type { SignalName } from '../../../domain/signals/catalogue.ts';
import { missing, type Readings } from '../../../domain/signals/reading.ts';
import type { ScanTarget } from '../../../domain/signals/telemetry.ts';
import { type CounterHistory, counterReadings, createCounterHistory, processorShares } from '../counterHistory.ts';
import { logSpanS } from '../journal.ts';
import { merged, NOT_YET } from '../machineProbes.ts';
import { measureNetwork } from '../network.ts';
import { type Collected, complete, pathReadings, type Reader, Unreachable } from '../readings.ts';
import { resolveAddress } from '../resolveAddress.ts';
import { createProbeMemory, type ProbeMemory } from '../sources/probe.ts';
import { connect, type HostKeyType } from './connect.ts';
import { RARE_PROBES, REPORT_SCRIPT, readReport, SAMPLE_AGAIN } from './report.ts';
import { looksLikeWindows, readWindowsOutput, runOnWindows, WINDOWS_PROBES } from './windowsLogin.ts';

/** Remembers the host key that an endpoint showed first. */
export interface KnownHosts {
  /** `SHA256:…`, or null when the endpoint was never seen. */
  get(hostname: string): Promise<string | null>;
  set(hostname: string, fingerprint: string): Promise<void>;
}

export interface SshOptions {
  knownHosts: KnownHosts;
  /** The directory that private keys must lie in, symbolic links resolved; null when the operator allows none. */
  keysDir: string | null;
}

/** What is remembered of endpoints from scan to scan. */
interface Remembered {
  history: CounterHistory;
  memory: ProbeMemory;
  keyTypes: Map<string, HostKeyType>;
  onWindows: Set<string>;
}

const DEFAULT_PORT = 22;
const CONNECT_TIMEOUT_MS = 8_000;
const DEFAULT_TIMEOUT_MS = 10_000;
/** Part of the scan's time after which rarely read figures are no longer waited for. */
const PATIENCE = 0.5;
/** Facts that are only convenient to remember are forgotten together when they are too many. */
const MAX_REMEMBERED = 20_000;

export function createSshReader({ knownHosts, keysDir }: SshOptions): Reader {
  const remembered: Remembered = {
    history: createCounterHistory(),
    memory: createProbeMemory(),
    keyTypes: new Map(),
    onWindows: new Set(),
  };
  return async (target, context) => {
    const { username, hostKeySha256, port = DEFAULT_PORT } = target.options;
    if (!username) throw new Unreachable('the endpoint has no SSH user name in its options');
    const privateKey = await readPrivateKey(target, keysDir);
    const address = await resolveAddress(target);
    const knownKey = hostKeySha256 ?? (await knownHosts.get(target.hostname));
    context.signal.throwIfAborted();
    const login = { host: address, port, username, privateKey, readyTimeout: CONNECT_TIMEOUT_MS };
    const firstType = remembered.keyTypes.get(target.hostname) ?? null;
    const { client, hostKey, keyType } = await connect(login, knownKey, firstType, context.signal);
    try {
      if (remembered.keyTypes.size > MAX_REMEMBERED) remembered.keyTypes.clear();
      if (keyType !== null) remembered.keyTypes.set(target.hostname, keyType);
      // Only now, after a login: a stranger on a wrong port must not leave a key to be trusted.
      if (knownKey === null) await knownHosts.set(target.hostname, hostKey);
      const [report, network] = await Promise.all([
        collect(client, target, context, remembered),
        measureNetwork(address, port, context.signal),
      ]);
      return report(pathReadings('observer', network));
    } finally {
      client.destroy();
    }
  };
}

/** Runs the script that fits the machine; returns what completes its readings with those taken from here. */
async function collect(
  client: Client,
  target: ScanTarget,
  context: CollectContext,
  remembered: Remembered,
): Promise<(network: Collected) => Readings> {
  const host = target.hostname;
  const spanS = logSpanS(context.now, context.previousScanAt);
  const reading = { now: context.now, services: target.options.services };
  const patienceMs = PATIENCE * (target.options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
  if (target.osPlatform !== 'windows' && !remembered.onWindows.has(host)) {
    const due = remembered.memory.due(host, RARE_PROBES, context.now).map(({ name }) => name);
    const names = [...new Set([...due, ...(hasSample(remembered, host) ? [] : [SAMPLE_AGAIN])])];
    const { output, errors } = await run(
      client,
      `/bin/sh -s ${spanS} ${names.join(' ')}`.trim(),
      REPORT_SCRIPT,
      patienceMs,
    );
    if (!looksLikeWindows(output, errors)) {
      const report = readReport(output, names, reading);
      // What was cut off stands for a sixth of its time: a tool that hangs is not asked with every scan.
      const cut = output.includes('@@end') ? 1 : 6;
      for (const { probe, collected } of report.rare) {
        remembered.memory.keep(host, { ...probe, everyS: probe.everyS / cut }, collected, context.now);
      }
      const kept = remembered.memory.kept(host, RARE_PROBES, context.now);
      const counted = rates(report, host, context.now, remembered.history);
      return (network) => complete(merged([report.collected, kept, counted, network]), report.os, whyNotOverSsh);
    }
    if (remembered.onWindows.size > MAX_REMEMBERED) remembered.onWindows.clear();
    remembered.onWindows.add(host);
  }
  const due = remembered.memory.due(host, WINDOWS_PROBES, context.now);
  const output = await runOnWindows((command, input) => run(client, command, input, patienceMs), spanS, due);
  const { collected, rare, counters } = readWindowsOutput(output, due, reading);
  for (const { probe, collected: read } of rare) remembered.memory.keep(host, probe, read, context.now);
  const rise = remembered.history.riseSince(host, counters, context.now);
  const kept = remembered.memory.kept(host, WINDOWS_PROBES, context.now);
  const counted = counterReadings(counters, rise);
  return (network) => complete(merged([collected, kept, counted, network]), 'windows', whyNotOverSsh);
}

/** Whether an earlier sample of counters is remembered; a look that changes nothing. */
const hasSample = ({ history }: Remembered, host: string): boolean => history.knows(host);

function rates(
  { counters, countersAgain, os }: ReturnType<typeof readReport>,
  host: string,
  now: Date,
  history: CounterHistory,
): Collected {
  if (!counters.has('cpu.total')) {
    const rise = history.riseSince(host, counters, now);
    return {
      ...counterReadings(counters, rise),
      ...(os === 'linux' && { cpuPct: missing('the endpoint shows no /proc/stat') }),
    };
  }
  let rise = history.riseSince(host, counters, now);
  const rates = counterReadings(counters, rise);
  if (countersAgain) rise = history.riseSince(host, countersAgain, new Date(now.getTime() + 1000));
  const shares = rise && processorShares(rise);
  return { ...rates, ...(shares ?? { cpuPct: missing('the CPU counters did not advance between two samples') }) };
}

function whyNotOverSsh(name: SignalName): string {
  if (name.startsWith('dns')) return 'look-ups over SSH cannot tell a missing name from a failing name server';
  if (/^(gateway|internet)/.test(name)) return 'the path from the machine is not measured over SSH: the agent does';
  if (name.startsWith('top')) return 'single programs are not looked at over SSH: the agent does';
  return NOT_YET;
}

async function readPrivateKey(target: ScanTarget, keysDir: string | null): Promise<Buffer> {
  const { privateKeyFile } = target.options;
  if (!privateKeyFile) throw new Unreachable('the endpoint has no private key file in its options');
  if (keysDir === null) throw new Unreachable('no directory for SSH keys is configured');
  const notUsable = new Unreachable(
    `the private key ${privateKeyFile} is not a readable file in the SSH key directory`,
  );
  const directory = await realpath(keysDir).catch(() => null);
  const file = await realpath(resolve(keysDir, privateKeyFile)).catch(() => null);
  if (directory === null || file === null) throw notUsable;
  const inside = relative(directory, file);
  if (inside === '' || inside.startsWith('..') || isAbsolute(inside)) throw notUsable;
  return await readFile(file).catch(() => {
    throw notUsable;
  });
}

const MAX_OUTPUT_BYTES = 2 * 1024 * 1024;
const MAX_ERROR_BYTES = 4 * 1024;

/** What every scan reads is there; the rest is read rarely and may be slow. */
const MEASURED = '@@measured';

/**
 * Output of one command that is fed `input`; stops reading at 2 MB. When `patienceMs` is up and what every scan reads
 * has come, the rest is not waited for.
 */
function run(
  client: Client,
  command: string,
  input: string,
  patienceMs: number,
): Promise<{ output: string; errors: string }> {
  return new Promise((resolve, reject) => {
    client.once('close', () => reject(new Unreachable('the connection was closed before the report was complete')));
    client.exec(command, (error, channel) => {
      if (error) {
        reject(new Unreachable(`the login may not run commands: ${error.message}`));
        return;
      }
      const chunks: Buffer[] = [];
      let bytes = 0;
      let errors = '';
      const startedMs = performance.now();
      channel.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes <= MAX_OUTPUT_BYTES) chunks.push(chunk);
        else reject(new Unreachable(`the report is larger than ${MAX_OUTPUT_BYTES / 1024 / 1024} MB`));
      });
      channel.stderr.on('data', (chunk: Buffer) => {
        if (errors.length < MAX_ERROR_BYTES) errors += chunk.toString('utf8');
      });
      const give = (): void => resolve({ output: Buffer.concat(chunks).toString('utf8'), errors });
      const impatient = setInterval(() => {
        if (performance.now() - startedMs >= patienceMs && Buffer.concat(chunks).includes(MEASURED)) give();
      }, 250);
      channel.once('close', () => {
        clearInterval(impatient);
        give();
      });
      client.once('close', () => clearInterval(impatient));
      // A shell that is none ends before it has read everything.
      channel.on('error', () => {});
      channel.end(input);
    });
  });
}
