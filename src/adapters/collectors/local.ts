/** Collects from the machine that this process runs on. */
import { getServers } from 'node:dns';
import { cpus, freemem, hostname, networkInterfaces, totalmem, uptime } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SignalName } from '../../domain/signals/catalogue.ts';
import type { OsPlatform } from '../../domain/signals/declaration.ts';
import { measured, missing, type Reading } from '../../domain/signals/reading.ts';
import { type ScanTarget, withoutPersonal } from '../../domain/signals/telemetry.ts';
import { volumeReadings } from '../../domain/signals/volumes.ts';
import { type Counters, counterReadings, createCounterHistory, processorShares } from './counterHistory.ts';
import { defaultGateway } from './defaultGateway.ts';
import { checkDns } from './dnsCheck.ts';
import { logSpanS } from './journal.ts';
import { memoryUse } from './linux/memory.ts';
import { parseProcMounts, statMounts } from './linux/mounts.ts';
import { createProgramSampler } from './localPrograms.ts';
import { vpnInterfaces } from './machine/links.ts';
import { merged, NOT_YET, ownProbes, runRareProbes } from './machineProbes.ts';
import { measureNetwork } from './network.ts';
import { type Collected, complete, type NetworkQuality, pathReadings, type Reader } from './readings.ts';
import { readLocalSources } from './sources/localSources.ts';
import { createProbeMemory, type Probe } from './sources/probe.ts';
import type { Source, Texts } from './sources/source.ts';
import { createWindowsReader } from './windows/localWindows.ts';

/** What lies around the machine; told apart so that a scan can be pointed at other peers. */
interface Surroundings {
  /** Name servers as `ip` or `ip:port`. */
  nameServers(): string[];
  /** The default gateway as `ip` or `ip:port`; null when there is none. */
  gateway(): Promise<string | null>;
}

const ownSurroundings: Surroundings = {
  nameServers: getServers,
  gateway: defaultGateway,
};

/** Gateways and name servers rarely listen here in vain: they answer or refuse, and either is a round trip. */
const PEER_PORT = 53;
const SECOND_SAMPLE_AFTER_MS = 1_000;
const DEFAULT_TIMEOUT_MS = 10_000;
/** Part of the scan's time that rarely read figures may take. */
const RARE_SHARE = 0.5;
const MOUNTS: Source = { name: 'mounts', files: ['/proc/self/mounts'] };

const OS_BY_PLATFORM: Partial<Record<NodeJS.Platform, OsPlatform>> = {
  linux: 'linux',
  darwin: 'macos',
  win32: 'windows',
};
const OWN_OS = OS_BY_PLATFORM[process.platform] ?? 'other';

/** @param probes what to read with the system's own tools; the system's own set unless a test wants fewer */
export function createLocalReader(
  surroundings: Surroundings = ownSurroundings,
  probes: readonly Probe[] = ownProbes(),
): Reader {
  const history = createCounterHistory(1);
  const memory = createProbeMemory();
  const programs = createProgramSampler();
  const windows = OWN_OS === 'windows' ? createWindowsReader() : null;
  const always = probes.filter(({ everyS }) => everyS === 0);
  const rare = probes.filter(({ everyS }) => everyS > 0);

  return async (target, context) => {
    const host = target.hostname;
    const spanS = logSpanS(context.now, context.previousScanAt);
    const reading = { now: context.now, services: target.options.services };
    const files = always.flatMap(({ sources }) => sources).filter(({ command }) => !command);
    const commands = always.flatMap(({ sources }) => sources).filter(({ command }) => command);

    const sample = async (): Promise<{ texts: Texts; counters: Counters }> => {
      const texts = await readLocalSources([...files, MOUNTS], spanS, context.signal);
      const counters: Counters = new Map(always.flatMap((probe) => [...(probe.counters?.(texts) ?? [])]));
      if (!counters.has('cpu.total')) addOwnProcessorTimes(counters);
      return { texts, counters };
    };
    // First, and alone: the programs started below would show in the sample.
    let { texts, counters } = await sample();
    let rise = history.riseSince(host, counters, context.now);
    let shares = rise && processorShares(rise);
    if (!shares) {
      await sleep(SECOND_SAMPLE_AFTER_MS, undefined, { signal: context.signal });
      ({ texts, counters } = await sample());
      rise = history.riseSince(host, counters, new Date(context.now.getTime() + SECOND_SAMPLE_AFTER_MS));
      shares = rise && processorShares(rise);
    }
    const stuck = missing('the CPU counters did not advance between two samples');
    const nameServers = surroundings.nameServers();
    const due = memory.due(host, rare, context.now);
    const budgetMs = RARE_SHARE * (target.options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
    const [commandTexts, disks, paths, dns, top, onWindows] = await Promise.all([
      readLocalSources(commands, spanS, context.signal),
      volumes(texts),
      networkPaths(nameServers, surroundings, target, context.signal),
      checkDns(nameServers, hostname(), ownIpv4()),
      target.options.personal === false ? {} : programs.sample(context.now),
      windows?.read(reading, spanS, context.signal) ?? {},
      runRareProbes(due, memory, host, { ...reading, spanS, signal: context.signal }, budgetMs),
    ]);
    const all = texts.and(commandTexts);
    const collected = merged([
      ownBasics(),
      disks,
      onWindows,
      ...always.map((probe) => probe.read(all, reading)),
      memory.kept(host, rare, context.now),
      counterReadings(counters, rise),
      shares ?? { cpuPct: stuck },
      dns,
      top,
      paths,
    ]);
    const shown = target.options.personal === false ? withoutPersonal(collected) : collected;
    return complete(shown, OWN_OS, whyNotHere);
  };
}

const whyNotHere = (name: SignalName): string =>
  name.startsWith('internet')
    ? 'no internet target is configured for this machine'
    : OWN_OS === 'other'
      ? `there is no reader for ${process.platform} yet`
      : NOT_YET;

/** What the runtime itself knows of any system; what a system's own tools say replaces it. */
function ownBasics(): Collected {
  const vpns = vpnInterfaces(networkInterfaces());
  return {
    memoryPct: memoryUse(totalmem(), freemem(), 0, 0),
    bootedAt: measured(new Date(Math.round(Date.now() / 1000 - uptime()) * 1000)),
    vpnUp: { items: vpns.map((name) => ({ item: name, value: true })) },
  };
}

function addOwnProcessorTimes(counters: Counters): void {
  let idleS = 0;
  let totalS = 0;
  for (const { times } of cpus()) {
    idleS += times.idle / 1000;
    totalS += (times.user + times.nice + times.sys + times.idle + times.irq) / 1000;
  }
  counters.set('cpu.idle', idleS).set('cpu.total', totalS);
}

/** Sizes without starting a program; a Mac's and Windows' volumes come with their own probes. */
async function volumes(texts: Texts): Promise<Collected> {
  const mounts = texts.text(MOUNTS);
  return mounts === '' ? {} : volumeReadings(await statMounts(parseProcMounts(mounts)));
}

/** Round trips to the gateway, to the first peer that answers (it, or a name server outside), and to the internet target. */
async function networkPaths(
  nameServers: string[],
  surroundings: Surroundings,
  target: ScanTarget,
  signal: AbortSignal,
): Promise<Collected> {
  const gateway = await surroundings.gateway();
  const resolvers = nameServers.map(addressAndPort).filter(({ address }) => !/^(127\.|::1$)/.test(address));
  const peers = gateway ? [addressAndPort(gateway), ...resolvers] : resolvers;
  const { internetTarget } = target.options;
  const internet = internetTarget === undefined ? null : addressAndPort(internetTarget);
  const qualities = await Promise.all(
    [...peers, ...(internet ? [internet] : [])].map(({ address, port }) => measureNetwork(address, port, signal)),
  );
  const ofPeers = qualities.slice(0, peers.length);
  const asked = peers.map(({ address, port }) => `${address}:${port}`).join(', ');
  const none: Reading<NetworkQuality> =
    peers.length === 0
      ? missing('there is no default gateway and no name server outside this machine')
      : missing(`none of the machine's network peers answers TCP probes (${asked})`);
  const ofInternet = internet ? qualities.at(-1) : undefined;
  return {
    ...pathReadings('observer', ofPeers.find((quality) => 'value' in quality) ?? none),
    ...pathReadings('gateway', (gateway ? ofPeers[0] : undefined) ?? missing('there is no default gateway')),
    ...(ofInternet && pathReadings('internet', ofInternet)),
  };
}

/** `192.0.2.1`, `192.0.2.1:5353`, `2001:db8::1` or `[2001:db8::1]:5353`. */
function addressAndPort(server: string): { address: string; port: number } {
  const [, bracketed, plain, port] = /^(?:\[(.+)\]|([^:]+)):(\d+)$/.exec(server) ?? [];
  const address = bracketed ?? plain;
  return address ? { address, port: Number(port) } : { address: server, port: PEER_PORT };
}

function ownIpv4(): string | null {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return addresses.find(({ internal, family }) => !internal && family === 'IPv4')?.address ?? null;
}
