/** Scans the machine that this process runs on. */
import { getServers } from 'node:dns';
import { cpus, hostname, networkInterfaces, uptime } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { fsSize, services as listServices, mem, networkGatewayDefault } from 'systeminformation';
import type { CollectContext } from '../../core/ports/ports.ts';
import type { ScanTarget } from '../../domain/signals/telemetry.ts';
import { type VolumeReadings, volumeReadings } from '../../domain/signals/volumes.ts';
import { runCommand } from './command.ts';
import { checkDns } from './dnsCheck.ts';
import { type CpuHistory, type CpuTimes, createCpuHistory } from './exporters/cpuHistory.ts';
import { journalArgs, journalErrors, logSpanS, NEWEST_ENTRY_ARGS } from './journal.ts';
import { measureNetwork } from './network.ts';
import { type Measured, measured, measuredNumber, missing, type NetworkQuality, type Reader } from './readings.ts';
import { downUnits, LIST_UNITS_ARGS, parseUnits } from './systemdUnits.ts';

/** What lies around the machine; distinguished so that a scan can be pointed at other peers. */
interface Surroundings {
  /** Name servers as `ip` or `ip:port`. */
  nameServers(): string[];
  /** The default gateway as `ip` or `ip:port`; null when there is none. */
  gateway(): Promise<string | null>;
}

const ownSurroundings: Surroundings = {
  nameServers: getServers,
  gateway: async () => (await networkGatewayDefault()) || null,
};

/** Gateways and name servers rarely listen here in vain: they answer or refuse, and either is a round trip. */
const PEER_PORT = 53;
const SECOND_SAMPLE_AFTER_MS = 1_000;

export function createLocalReader(surroundings: Surroundings = ownSurroundings): Reader {
  const cpuHistory = createCpuHistory(1);
  return async (target, context) => {
    // First, and alone: the programs started below would show in the sample.
    const cpuPct = await cpuUse(cpuHistory, target.hostname, context);
    const nameServers = surroundings.nameServers();
    const [memoryPct, volumes, network, dns, servicesDown, logErrors] = await Promise.all([
      memoryUse(),
      volumesOf(),
      networkQuality(nameServers, surroundings, context.signal),
      checkDns(nameServers, hostname(), ownIpv4()),
      failedServices(target, context.signal),
      errorsLogged(context),
    ]);
    const bootedAt = measured(new Date(Math.round(Date.now() / 1000 - uptime()) * 1000));
    return { cpuPct, memoryPct, volumes, network, dns, servicesDown, logErrors, bootedAt };
  };
}

async function cpuUse(history: CpuHistory, name: string, context: CollectContext): Promise<Measured<number>> {
  let busyPct = history.pctSince(name, cpuTimes(), context.now);
  if (busyPct === null) {
    await sleep(SECOND_SAMPLE_AFTER_MS, undefined, { signal: context.signal });
    busyPct = history.pctSince(name, cpuTimes(), context.now);
  }
  return measuredNumber(busyPct, 'the CPU counters did not advance between two samples');
}

function cpuTimes(): CpuTimes {
  const sum: CpuTimes = { idleS: 0, totalS: 0 };
  for (const { times } of cpus()) {
    sum.idleS += times.idle / 1000;
    sum.totalS += (times.user + times.nice + times.sys + times.idle + times.irq) / 1000;
  }
  return sum;
}

async function memoryUse(): Promise<Measured<number>> {
  const { total, available } = await mem();
  return measuredNumber(100 * (1 - available / total), 'the system reports no memory use');
}

async function volumesOf(): Promise<VolumeReadings> {
  const disks = await fsSize();
  return volumeReadings(
    disks.map(({ fs, mount, type, rw, size, used, available }) => ({
      mount,
      type,
      device: fs,
      readOnly: rw === false,
      sizeBytes: size,
      freeBytes: size - used,
      availableBytes: available,
    })),
  );
}

/** Round trips to the first peer that answers: the gateway, then the name servers that are not this machine itself. */
async function networkQuality(
  nameServers: string[],
  surroundings: Surroundings,
  signal: AbortSignal,
): Promise<Measured<NetworkQuality>> {
  const gateway = await surroundings.gateway();
  const resolvers = nameServers.map(addressAndPort).filter(({ address }) => !/^(127\.|::1$)/.test(address));
  const peers = gateway ? [addressAndPort(gateway), ...resolvers] : resolvers;
  if (peers.length === 0) return missing('there is no default gateway and no name server outside this machine');
  const qualities = await Promise.all(peers.map(({ address, port }) => measureNetwork(address, port, signal)));
  const answering = qualities.find((quality) => 'value' in quality);
  const asked = peers.map(({ address, port }) => `${address}:${port}`).join(', ');
  return answering ?? missing(`none of the machine's network peers answers TCP probes (${asked})`);
}

/** `192.0.2.1`, `192.0.2.1:5353`, `2001:db8::1` or `[2001:db8::1]:5353`. */
function addressAndPort(server: string): { address: string; port: number } {
  const [, bracketed, plain, port] = /^(?:\[(.+)\]|([^:]+)):(\d+)$/.exec(server) ?? [];
  const address = bracketed ?? plain;
  return address ? { address, port: Number(port) } : { address: server, port: PEER_PORT };
}

async function failedServices(target: ScanTarget, signal: AbortSignal): Promise<Measured<string[]>> {
  const { services } = target.options;
  const listed = process.platform === 'linux' ? await runCommand('systemctl', LIST_UNITS_ARGS, signal) : null;
  if (listed?.code === 0) return measured(downUnits(parseUnits(listed.stdout), services));
  if (process.platform === 'linux') {
    const problem = listed ? listed.stderr.trim().split('\n', 1)[0] : 'there is no systemctl';
    return missing(`systemd does not list its units: ${problem || 'systemctl did not finish'}`);
  }
  if (!services) return missing('list the services that should run in the options of this endpoint');
  const found = await listServices(services.join(','));
  const running = new Set(found.filter((service) => service.running).map(({ name }) => name.toLowerCase()));
  return measured(services.filter((service) => !running.has(service.toLowerCase())));
}

async function errorsLogged({ now, previousScanAt, signal }: CollectContext): Promise<Measured<number>> {
  if (process.platform !== 'linux') return missing(`there is no reader for the system log of ${process.platform}`);
  const errors = await runCommand('journalctl', journalArgs(String(logSpanS(now, previousScanAt))), signal);
  if (!errors) return missing('there is no journalctl');
  if (errors.code === null) return missing('journalctl did not finish in time');
  const newest = await runCommand('journalctl', NEWEST_ENTRY_ARGS, signal);
  const entries = errors.stdout.split('\n').filter((line) => line.startsWith('{')).length;
  return journalErrors(entries, newest?.stdout.startsWith('{') ?? false, errors.stderr);
}

function ownIpv4(): string | null {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return addresses.find(({ internal, family }) => !internal && family === 'IPv4')?.address ?? null;
}
