/** A double of Fleet (fleetdm.com) at the network, which speaks the documented answers of its REST API; no Fleet runs here. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { startHttpServer } from './httpServer.ts';

interface DoubleHost {
  id: number;
  hostname: string;
  [field: string]: unknown;
}

export interface FleetServer {
  url: string;
  /** What it lists; a test changes them as it goes. */
  hosts: DoubleHost[];
  /** Batteries and software by host. */
  batteries: Map<number, unknown>;
  software: Map<number, unknown[]>;
  /** Hosts by the CVE that they have. */
  vulnerable: Map<string, number[]>;
  /** Answers in its place while set. */
  instead: ((request: IncomingMessage, response: ServerResponse) => void) | null;
  /** Requests whose address this matches fail. */
  failing: RegExp | null;
  /** Paths that were asked for. */
  asked: string[];
  stop(): Promise<void>;
}

/** The token that it wants. */
export const FLEET_TOKEN = 'the-token-of-fleet';

export async function startFleetServer(): Promise<FleetServer> {
  const state: Omit<FleetServer, 'url' | 'stop'> = {
    hosts: [],
    batteries: new Map(),
    software: new Map(),
    vulnerable: new Map(),
    instead: null,
    failing: null,
    asked: [],
  };
  const server = await startHttpServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://double');
    state.asked.push(url.pathname);
    const answer = (status: number, body: object) =>
      response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' }).end(JSON.stringify(body));
    if (state.failing?.test(request.url ?? '')) return answer(500, { message: 'database is down' });
    if (state.instead) return state.instead(request, response);
    if (request.headers.authorization !== `Bearer ${FLEET_TOKEN}`)
      return answer(401, {
        message: 'Authentication required',
        errors: [{ name: 'base', reason: 'Authentication required' }],
      });
    const page = Number(url.searchParams.get('page') ?? 0);
    const size = Number(url.searchParams.get('per_page') ?? 100);
    const [, id, rest] = /^\/api\/v1\/fleet\/hosts(?:\/(\d+)(\/software)?)?$/.exec(url.pathname) ?? [null];
    if (id === null) return answer(404, { message: 'Resource Not Found' });
    if (id === undefined) {
      const populated = url.searchParams.get('populate_policies') === 'true';
      const cve = url.searchParams.get('vulnerability');
      const wanted =
        cve === null ? state.hosts : state.hosts.filter(({ id }) => state.vulnerable.get(cve)?.includes(id));
      const listed = wanted.slice(page * size, (page + 1) * size);
      return answer(200, { hosts: populated ? listed : listed.map(({ policies: _left, ...host }) => host) });
    }
    const host = state.hosts.find((one) => one.id === Number(id));
    if (!host) return answer(404, { message: 'Resource Not Found' });
    if (rest === undefined) return answer(200, { host: { ...host, batteries: state.batteries.get(host.id) ?? null } });
    const titles = state.software.get(host.id) ?? [];
    return answer(200, { count: titles.length, software: titles.slice(page * size, (page + 1) * size) });
  });
  return Object.assign(state, { url: `http://127.0.0.1:${server.port}`, stop: server.stop });
}

/** A host as Fleet lists one. */
export function fleetHost(id: number, hostname: string, more: object = {}): DoubleHost {
  const now = new Date().toISOString();
  return {
    id,
    hostname,
    computer_name: hostname,
    platform: 'darwin',
    os_version: 'macOS 15.1',
    hardware_vendor: 'Apple Inc.',
    hardware_model: 'MacBookPro18,3',
    hardware_serial: `SERIAL${id}`,
    primary_ip: '',
    status: 'online',
    seen_time: now,
    detail_updated_at: now,
    software_updated_at: now,
    last_restarted_at: '2026-11-20T08:00:00Z',
    uptime: 305_370_000_000_000,
    memory: 17_179_869_184,
    gigs_disk_space_available: 40,
    percent_disk_space_available: 8,
    gigs_total_disk_space: 494,
    team_name: 'Sales',
    device_mapping: [{ email: `Owner${id}@Example.com`, source: 'google_chrome_profiles' }],
    policies: [],
    ...more,
  };
}

export function fleetPolicy(id: number, name: string, response: '' | 'pass' | 'fail', critical = false): object {
  return { id, name, query: 'SELECT 1;', description: '', resolution: 'Turn it on.', platform: '', response, critical };
}
