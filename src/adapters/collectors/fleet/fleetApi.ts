/** Fleet's REST API, as far as a source of machines needs it: hosts page by page, one host's batteries, its software. */
import { z } from 'zod';
import type { FleetSourceConfig } from '../../../core/ports/sourcePorts.ts';
import { type SourceAnswer, sourceRequests, sourceUnavailable } from '../sourceRequests.ts';

const HOSTS_A_PAGE = 500;
/** More hosts than any Fleet has, and the end of one that repeats its pages. */
const MOST_PAGES = 400;
const TITLES_A_PAGE = 200;
const MOST_TITLE_PAGES = 10;

const text = z
  .string()
  .nullish()
  .catch('')
  .transform((value) => value ?? '');
const number = z
  .number()
  .nullish()
  .catch(null)
  .transform((value) => value ?? null);

const policy = z.object({
  id: z.number().int(),
  name: text,
  response: text,
  critical: z.boolean().catch(false),
  resolution: text,
});

/** A field that is missing or malformed costs itself only. */
const hostShape = z.object({
  id: z.number().int(),
  hostname: text,
  computer_name: text,
  platform: text,
  os_version: text,
  hardware_vendor: text,
  hardware_model: text,
  primary_ip: text,
  status: text,
  seen_time: text,
  detail_updated_at: text,
  software_updated_at: text,
  last_restarted_at: text,
  uptime: number,
  gigs_disk_space_available: number,
  percent_disk_space_available: number,
  gigs_total_disk_space: number,
  team_name: text,
  device_mapping: z
    .array(z.object({ email: text }))
    .nullish()
    .catch(null),
  policies: z.array(z.unknown()).nullish().catch(null),
});

export type FleetHost = z.output<typeof hostShape>;
type FleetPolicy = z.output<typeof policy>;

const batteriesShape = z.object({
  host: z.object({
    batteries: z
      .array(z.object({ cycle_count: number, health: text }))
      .nullish()
      .catch(null),
  }),
});
export type FleetBattery = { cycle_count: number | null; health: string };

const titleShape = z.object({
  software_package: z.object({ version: text }).nullish().catch(null),
  app_store_app: z.object({ version: text }).nullish().catch(null),
  installed_versions: z
    .array(z.object({ version: text }))
    .nullish()
    .catch(null),
});
export type FleetTitle = z.output<typeof titleShape>;

export interface FleetApi {
  hosts(filter?: Record<string, string>): Promise<{ hosts: FleetHost[]; unreadable: number }>;
  batteries(id: number): Promise<FleetBattery[] | null>;
  software(id: number): Promise<FleetTitle[]>;
  close(): Promise<void>;
}

/** @param secretOf the value of an environment variable; null when it is not set */
export function fleetApi(
  source: FleetSourceConfig,
  secretOf: (name: string) => string | null,
  signal: AbortSignal,
): FleetApi {
  const requests = sourceRequests(source, 'Fleet', secretOf, signal);
  const ask = async (path: string, query: Record<string, string>): Promise<unknown> => {
    const answer = await requests.json('GET', `/api/v1/fleet${path}`, query);
    if (answer.status !== 200)
      throw sourceUnavailable(source.name, `${answer.place} answers HTTP ${answer.status}: ${problemIn(answer)}`);
    return answer.data;
  };
  return {
    async hosts(filter = {}) {
      const hosts = new Map<number, FleetHost>();
      let unreadable = 0;
      for (let page = 0; page < MOST_PAGES; page++) {
        const listed = listIn(
          await ask('/hosts', {
            page: String(page),
            per_page: String(HOSTS_A_PAGE),
            order_key: 'id',
            populate_policies: 'true',
            device_mapping: 'true',
            ...filter,
            ...(source.team_id !== undefined && { team_id: String(source.team_id) }),
          }),
          'hosts',
        );
        if (listed === null) throw sourceUnavailable(source.name, 'its answer has no list of hosts: is this Fleet?');
        const known = hosts.size;
        for (const each of listed) {
          const read = hostShape.safeParse(each);
          if (read.success) hosts.set(read.data.id, read.data);
          else unreadable++;
        }
        // A page of nothing new is the end too: of a server that ignores the number of the page.
        if (listed.length < HOSTS_A_PAGE || hosts.size === known) break;
      }
      return { hosts: [...hosts.values()], unreadable };
    },
    async batteries(id) {
      const read = batteriesShape.safeParse(await ask(`/hosts/${id}`, { exclude_software: 'true' }));
      return read.success ? (read.data.host.batteries ?? null) : null;
    },
    async software(id) {
      const titles: FleetTitle[] = [];
      for (let page = 0; page < MOST_TITLE_PAGES; page++) {
        const query = { page: String(page), per_page: String(TITLES_A_PAGE), available_for_install: 'true' };
        const listed = listIn(await ask(`/hosts/${id}/software`, query), 'software');
        if (listed === null) throw sourceUnavailable(source.name, `its answer has no software of host ${id}`);
        titles.push(...listed.flatMap((each) => titleShape.safeParse(each).data ?? []));
        if (listed.length < TITLES_A_PAGE) break;
      }
      return titles;
    },
    close: () => requests.close(),
  };
}

/** What is a policy of these; null for anything but a list. */
export function policiesIn({ policies }: FleetHost): FleetPolicy[] | null {
  return policies?.flatMap((each) => policy.safeParse(each).data ?? []) ?? null;
}

function listIn(data: unknown, field: string): unknown[] | null {
  const list = typeof data === 'object' && data !== null ? (data as Record<string, unknown>)[field] : null;
  return Array.isArray(list) ? list : null;
}

function problemIn({ data }: SourceAnswer): string {
  const { message, error } = (data ?? {}) as { message?: unknown; error?: unknown };
  return String(message ?? error ?? 'without a reason').slice(0, 300);
}
