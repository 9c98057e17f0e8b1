/** Reads a whole fleet from Fleet (fleetdm.com): its hosts, what it knows of them, and which of its policies they fail. */
import { AppError } from '../../../core/errors.ts';
import type {
  FleetSourceConfig,
  SourceMachine,
  SourcePolicy,
  SourceReader,
  SourceReading,
} from '../../../core/ports/sourcePorts.ts';
import { forbiddenAddressReason, isValidHostname } from '../../../domain/fleet/address.ts';
import { canonicalHost } from '../../../domain/fleet/hostIdentity.ts';
import { canonicalIp } from '../../../domain/fleet/ipAddress.ts';
import { type ScanTarget, type Snapshot, unreachableSnapshot } from '../../../domain/signals/telemetry.ts';
import { complete, toSnapshot } from '../readings.ts';
import { type FleetApi, type FleetHost, fleetApi, policiesIn } from './fleetApi.ts';
import { type HostDetails, hostReadings, momentOf, platformOf } from './hostReadings.ts';

/** Hosts that are asked for by themselves side by side. */
const DETAILS_AT_ONCE = 8;

/** What was asked of a host, and as of when. */
interface KeptDetails {
  asOf: string;
  details: HostDetails;
}

/** @param secretOf the value of an environment variable; null when it is not set */
export function createFleetSource(secretOf: (name: string) => string | null): SourceReader<FleetSourceConfig> {
  // Fleet reads details once an hour, so most of them are known from the cycle before.
  const kept = new Map<string, Map<number, KeptDetails>>();
  return {
    async read(source, known, now, signal) {
      const api = fleetApi(source, secretOf, signal);
      try {
        const { hosts, unreadable } = await api.hosts();
        if (hosts.length === 0)
          throw new AppError('unavailable', `The source ${source.name} was not read: Fleet lists no host of it.`);
        const details = await detailsOf(api, hosts, kept.get(source.name) ?? new Map());
        kept.set(source.name, details);
        const reading: SourceReading = { machines: [], passedOver: [] };
        if (unreadable > 0)
          reading.passedOver.push({ target: `${unreadable} hosts`, reason: 'Fleet lists them without an id' });
        for (const host of hosts) addHost(reading, host, { source, known, details: details.get(host.id), now });
        return reading;
      } finally {
        await api.close();
      }
    },
    async affected(source, cve, signal) {
      const api = fleetApi(source, secretOf, signal);
      try {
        const { hosts } = await api.hosts({ vulnerability: cve });
        return new Set(hosts.map(({ id }) => targetOf(id)));
      } finally {
        await api.close();
      }
    },
  };
}

const targetOf = (id: number): string => `host/${id}`;

async function detailsOf(
  api: FleetApi,
  hosts: readonly FleetHost[],
  before: ReadonlyMap<number, KeptDetails>,
): Promise<Map<number, KeptDetails>> {
  const after = new Map<number, KeptDetails>();
  const queue = hosts.filter((host) => isOnline(host) && platformOf(host) !== null).values();
  const work = async (): Promise<void> => {
    for (const host of queue) {
      const asOf = `${host.detail_updated_at} ${host.software_updated_at}`;
      const earlier = before.get(host.id);
      if (earlier?.asOf === asOf) after.set(host.id, earlier);
      else {
        const details = await askAbout(api, host.id);
        // What failed is asked again in the next cycle.
        const isWhole = typeof details.batteries !== 'string' && typeof details.software !== 'string';
        after.set(host.id, { asOf: isWhole ? asOf : '', details });
      }
    }
  };
  await Promise.all(Array.from({ length: DETAILS_AT_ONCE }, work));
  return after;
}

/** One host that cannot be asked costs its own signals only. */
async function askAbout(api: FleetApi, id: number): Promise<HostDetails> {
  const orReason = async <T>(asked: Promise<T>): Promise<T | string> =>
    asked.catch((error: unknown) => {
      if (error instanceof AppError) return error.message;
      throw error;
    });
  const batteries = await orReason(api.batteries(id));
  return { batteries: batteries ?? [], software: await orReason(api.software(id)) };
}

interface HostContext {
  source: FleetSourceConfig;
  known: ReadonlyMap<string, string>;
  details: KeptDetails | undefined;
  now: Date;
}

function addHost(reading: SourceReading, host: FleetHost, { source, known, details, now }: HostContext): void {
  const target = targetOf(host.id);
  const os = platformOf(host);
  const hostname = [host.hostname, host.computer_name]
    .map(canonicalHost)
    .find((name) => isValidHostname(name) && name !== 'localhost');
  const name = hostname ?? known.get(target);
  if (os === null) reading.passedOver.push({ target, reason: `it is no computer (${host.platform})` });
  else if (name === undefined)
    reading.passedOver.push({ target, reason: `its name ${JSON.stringify(host.hostname)} is no hostname` });
  else {
    const ip = canonicalIp(host.primary_ip);
    const ipAddress = ip !== null && forbiddenAddressReason(ip) === null ? ip : null;
    const scanned: ScanTarget = { hostname: name, ipAddress, osPlatform: os, collector: 'fleet', options: {} };
    reading.machines.push({
      target,
      hostname: name,
      ipAddress,
      ownerEmail: ownerOf(host),
      persona: source.persona,
      osPlatform: os,
      tags: tagsOf(host),
      policies: policiesOf(host),
      snapshot: snapshotOf(host, scanned, details?.details, now),
    });
  }
}

const isOnline = ({ status }: FleetHost): boolean => status === 'online' || status === 'new';

function snapshotOf(host: FleetHost, scanned: ScanTarget, details: HostDetails | undefined, now: Date): Snapshot {
  if (!isOnline(host)) {
    const seen = momentOf(host.seen_time)?.toISOString() ?? 'never';
    return unreachableSnapshot(scanned, now, `Fleet calls it ${host.status || 'offline'}, last seen ${seen}`, 0);
  }
  const asked = details ?? { batteries: 'Fleet was not asked', software: 'Fleet was not asked' };
  const read = hostReadings(host, scanned.osPlatform, asked, now);
  return toSnapshot(
    scanned,
    now,
    0,
    complete(read, scanned.osPlatform, () => 'Fleet does not measure it'),
  );
}

function ownerOf({ device_mapping }: FleetHost): string | null {
  const emails = (device_mapping ?? []).map(({ email }) => email.trim().toLowerCase());
  return emails.find((email) => email.length <= 254 && /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(email)) ?? null;
}

function tagsOf(host: FleetHost): SourceMachine['tags'] {
  const model = [host.hardware_vendor, host.hardware_model].filter(Boolean).join(' ');
  const tags = { model, os_version: host.os_version, team: host.team_name };
  return Object.fromEntries(
    Object.entries(tags).flatMap(([name, value]) => (value ? [[name, value.slice(0, 200)]] : [])),
  );
}

function policiesOf(host: FleetHost): SourcePolicy[] | null {
  const states: Readonly<Record<string, SourcePolicy['state']>> = { pass: 'passing', fail: 'failing' };
  return (
    policiesIn(host)?.map(({ id, name, response, critical, resolution }) => ({
      id,
      name,
      state: states[response] ?? 'unknown',
      isCritical: critical,
      resolution,
    })) ?? null
  );
}
