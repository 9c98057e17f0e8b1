/** A company of people with machines, drawn the same each time: who is who, and what outsiders could know of each. */
import type { EndpointRegistration, Persona } from '../../src/domain/fleet/endpoint.ts';
import type { OsPlatform } from '../../src/domain/signals/declaration.ts';

export interface Colleague {
  hostname: string;
  ownerEmail: string;
  ipAddress: string;
  serialNumber: string;
  machineId: string;
  slackId: string;
  persona: Persona;
  osPlatform: OsPlatform;
  criticalityTier: 1 | 2 | 3;
  tags: Record<string, string>;
  /** When the machine was registered: most came together, new people one by one. */
  joinedAt: Date;
  /** When it was started today, to the minute. */
  bootedAt: Date;
}

const FIRST = ['anna', 'bernd', 'clara', 'david', 'elif', 'farid', 'greta', 'hanna', 'ivan', 'jana', 'kemal', 'laura'];
const LAST = ['albrecht', 'becker', 'cordes', 'demir', 'ernst', 'fischer', 'gruber', 'hoffmann', 'ilic', 'jansen'];
const DEPARTMENTS = ['engineering', 'sales', 'finance', 'legal', 'board'];
const SITES = ['berlin', 'hamburg', 'oslo'];
const MODELS = ['ThinkPad T14', 'ThinkPad X1', 'Latitude 5440', 'MacBook Pro', 'Precision 7960'];
const PERSONAS: Persona[] = ['developer', 'salesperson', 'general', 'tech', 'executive'];
const SYSTEMS: OsPlatform[] = ['windows', 'linux', 'macos'];

/** A small generator of numbers from 0 up to 1 (mulberry32). */
function drawing(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Groups of very different sizes: the last of each list are rare, down to a single person. */
export function company(size: number, now: Date, seed = 7): Colleague[] {
  const random = drawing(seed);
  const skewed = <T>(from: readonly T[]): T => from[Math.floor(from.length * random() ** 2.2)] as T;
  return Array.from({ length: size }, (_, at) => {
    const first = FIRST[at % FIRST.length] as string;
    const last = `${LAST[Math.floor(at / FIRST.length) % LAST.length]}${at >= 120 ? 'mann' : ''}`;
    const daysAgo = at < size - 20 ? 400 + (at % 3) : (size - at) * 9;
    return {
      hostname: `lt-${first}-${last}-${1000 + at}`,
      ownerEmail: `${first}.${last}@musterwerk.example`,
      ipAddress: `10.20.${1 + (at >> 7)}.${1 + (at & 127)}`,
      serialNumber: `PF${(at * 7919 + 123_457).toString(36).toUpperCase()}Q`,
      machineId: `${(at * 104_729 + 1).toString(16).padStart(8, '0')}c0ffee00c0ffee00c0ffee00`,
      slackId: `U0${(at * 15_485_863 + 99_991).toString(36).toUpperCase()}`,
      persona: skewed(PERSONAS),
      osPlatform: skewed(SYSTEMS),
      criticalityTier: skewed([2, 3, 1] as const),
      tags: { dept: skewed(DEPARTMENTS), site: skewed(SITES), model: skewed(MODELS), asset: `A-${5000 + at}` },
      joinedAt: new Date(now.getTime() - daysAgo * 86_400_000),
      bootedAt: new Date(now.getTime() - (7 + Math.floor(random() * 280)) * 60_000),
    };
  });
}

export function registrationOf(colleague: Colleague): EndpointRegistration & { agentTokenDigest: string | null } {
  const { hostname, ipAddress, ownerEmail, persona, criticalityTier, osPlatform, tags } = colleague;
  return {
    hostname,
    ipAddress,
    ownerEmail,
    persona,
    criticalityTier,
    osPlatform,
    tags,
    collector: 'push',
    options: {},
    agentTokenDigest: null,
  };
}

/** Everything by which a person could be named outright. */
export function realNames({ hostname, ownerEmail, ipAddress, serialNumber, machineId, tags }: Colleague): string[] {
  return [
    hostname,
    ownerEmail,
    ownerEmail.split('@')[0] as string,
    ipAddress,
    serialNumber,
    machineId,
    tags.asset as string,
  ];
}
