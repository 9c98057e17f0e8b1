/** The attack: an operator who knows everything about 200 colleagues tries to find out which pseudonym is whose. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Actor } from '../../src/core/actor.ts';
import { offers } from '../../src/core/policy.ts';
import type { Messenger } from '../../src/core/ports/messagePorts.ts';
import { TOOLS } from '../../src/core/tools/index.ts';
import { collectingLog } from '../helpers/collectingLog.ts';
import { type Colleague, company, realNames, registrationOf } from '../helpers/company.ts';
import { startTestService, type TestService } from '../helpers/service.ts';

const NOW = new Date('2026-11-28T09:41:00Z');
const SIZE = 200;
const COLLEAGUES = company(SIZE, NOW);
const ENOUGH = 5;

const actor = (via: Actor['via'], role: Actor['role'], kind: Actor['kind'] = 'human'): Actor => ({
  id: `${via}:attacker`,
  name: 'attacker',
  kind,
  via,
  role,
});
const ATTACKERS = [
  actor('rest', 'operator'),
  actor('rest', 'viewer'),
  actor('slack', 'operator'),
  actor('mcp', 'operator', 'model'),
  actor('cli', 'admin'),
];
const OPERATOR = ATTACKERS[0] as Actor;

let service: TestService;
const { log, lines: logged } = collectingLog();
const delivered: unknown[] = [];
/** What the attacker read, with where. */
const corpus: { where: string; text: string }[] = [];
let clock = NOW;
/** What the report says of each attack: how many people it singled out. */
const report: [attack: string, tries: number, singledOut: number][] = [];

interface Listed {
  id: number;
  hostname: string;
  persona: string;
  os_platform: string;
  criticality_tier: number | null;
  tags: Record<string, string>;
  last_seen_at: string | null;
  registered_at: string;
}
let listed: Listed[] = [];

beforeAll(async () => {
  const tickets: Messenger = {
    name: 'ticket',
    paceMs: 0,
    async deliver({ messages }) {
      delivered.push(...messages);
      return { outcome: 'delivered' };
    },
  };
  service = await startTestService(
    { DEX_PRIVACY: 'pseudonymous', LOG_LEVEL: 'DEBUG', PUBLIC_URL: 'https://dex.musterwerk.example' },
    { clock: { now: () => clock }, log, messengers: [tickets] },
  );
  const { store } = service.app.ports;
  for (const joining of new Set(COLLEAGUES.map(({ joinedAt }) => joinedAt.getTime()))) {
    const together = COLLEAGUES.filter(({ joinedAt }) => joinedAt.getTime() === joining);
    const endpoints = await store.endpoints.registerAll(together.map(registrationOf), new Date(joining));
    for (const [at, { serialNumber, machineId }] of together.entries())
      await store.aliases.keep(
        (endpoints[at] as { id: number }).id,
        [
          { kind: 'serial_number', value: serialNumber, source: 'seen' },
          { kind: 'machine_id', value: machineId, source: 'seen' },
        ],
        new Date(joining),
      );
  }
  for (const [at, colleague] of COLLEAGUES.entries()) await reports(colleague, at % 5 === 0);
  clock = NOW;
  const webhook = actor('webhook', 'operator', 'system');
  const alerts = COLLEAGUES.filter((_, at) => at % 4 === 0).map(({ hostname, ipAddress }) => ({
    status: 'firing',
    labels: { alertname: 'DiskFull', severity: 'critical', instance: `${hostname}:9100` },
    annotations: { summary: `disk of ${hostname} (${ipAddress}) is full, /home/${hostname} holds most` },
    startsAt: NOW.toISOString(),
  }));
  await service.app.invoke('ingest_alerts', { alerts }, webhook);
  await service.app.invoke(
    'ingest_alerts',
    {
      alerts: [
        { status: 'firing', labels: { alertname: 'Odd', instance: 'lt-nobody-registered:9100' }, annotations: {} },
      ],
    },
    webhook,
  );
});
afterAll(async () => {
  await service.stop();
  const lines = report.map(([attack, tries, out]) => `  ${attack.padEnd(58)} ${String(tries).padStart(6)} ${out}`);
  process.stdout.write(
    `Re-identification of ${SIZE} people without a grant (attack, tries, singled out):\n${lines.join('\n')}\n`,
  );
});

/** What an agent that was never told of the mode sends: everything. @param isFull its disk raises an alert as it is started */
async function reports({ hostname, bootedAt }: Colleague, isFull: boolean): Promise<void> {
  clock = new Date(bootedAt.getTime() + 60_000);
  const at = clock.toISOString();
  const user = hostname.split('-')[1];
  await service.app.invoke(
    'submit_snapshot',
    {
      hostname,
      snapshot: {
        version: 2,
        collected_at: at,
        sent_at: at,
        duration_ms: 40,
        readings: {
          cpu_pct: { value: 30 },
          booted_at: { value: bootedAt.toISOString() },
          disk_pct: {
            items: [
              { item: '/', value: isFull ? 97 : 70 },
              { item: `/media/${user}/backup`, value: 20 },
            ],
          },
          wifi_signal_dbm: { items: [{ item: `wlx00e04c${hostname.slice(-4)}`, value: -60 }] },
          top_cpu_pct: { items: [{ item: 'patience.exe', value: 60 }] },
          app_crashes: { items: [{ item: 'jobsearch', value: 2 }] },
        },
      },
    },
    { id: `agent:${hostname}`, name: hostname, kind: 'system', via: 'agent', role: 'operator' },
  );
}

/** The answer as the interface shows it, or the refusal; both are kept as what the attacker knows. */
async function ask(
  tool: string,
  input: object,
  by = OPERATOR,
): Promise<{ output: any; kind: string | null; message: string }> {
  try {
    const answer = await service.app.invoke(tool, input, by);
    corpus.push({ where: `${tool} by ${by.via}`, text: JSON.stringify(answer) });
    return { output: answer.output, kind: null, message: answer.text };
  } catch (error) {
    const { kind, message, details, next } = error as Error & { kind?: string; details?: unknown; next?: unknown };
    if (kind === undefined) throw error;
    corpus.push({ where: `${tool} by ${by.via}, refused`, text: JSON.stringify({ kind, message, details, next }) });
    return { output: null, kind, message };
  }
}

const list = async (filter: object): Promise<Listed[] | null> =>
  (await ask('list_endpoints', { limit: 1000, ...filter })).output?.endpoints ?? null;

function found(attack: string, tries: number, singledOut: readonly unknown[]): void {
  report.push([attack, tries, singledOut.length]);
  expect(singledOut, attack).toEqual([]);
}

describe('whoever knows everybody, and has no grant', () => {
  test('reads no real name, address, serial number or person in any answer of any tool', async () => {
    listed = (await list({})) as Listed[];
    expect(listed).toHaveLength(SIZE);
    expect(listed.every(({ hostname }) => /^pc-[0-9a-z]{10}$/.test(hostname))).toBe(true);
    const some = listed.slice(0, 3).map(({ hostname }) => hostname);
    const alerts = (await ask('list_alerts', {})).output.alerts as { id: number }[];
    expect(alerts.length).toBeGreaterThan(20);
    let calls = 0;
    for (const by of ATTACKERS) {
      for (const tool of TOOLS.filter((each) => each.effect === 'read' && offers(each, by))) {
        const fields = Object.keys(tool.input.shape);
        const inputs: Record<string, unknown>[] = fields.includes('hostname')
          ? some.map((hostname) => ({ hostname }))
          : fields.includes('alert_id')
            ? [{ alert_id: alerts[0]?.id }]
            : [{}];
        for (const input of inputs) {
          await ask(tool.name, input, by);
          calls++;
        }
      }
    }
    for (const by of ATTACKERS.slice(2)) {
      await ask('list_endpoints', { limit: 1000 }, by);
      await ask('list_alerts', { limit: 1000 }, by);
    }
    for (const path of ['/health', '/metrics']) {
      const response = await fetch(service.url + path, { headers: { 'X-API-Key': 'the-administrators-key' } });
      corpus.push({ where: path, text: await response.text() });
    }
    const csv = await fetch(`${service.url}/api/v1/dex/alerts`, { headers: { 'X-API-Key': 'the-administrators-key' } });
    corpus.push({ where: 'alerts over HTTP', text: await csv.text() });
    found('every tool on every interface, for a real name', calls, leaks(corpus));
  });

  test('learns nothing by naming people: the refusal is the same for colleagues and for nobody', async () => {
    const odd: string[] = [];
    let tries = 0;
    const same = async (tool: string, real: object, invented: object) => {
      const [one, other] = [await ask(tool, real), await ask(tool, invented)];
      tries++;
      if (one.kind === null || one.kind !== other.kind || one.message !== other.message)
        odd.push(`${tool} ${JSON.stringify(real)}`);
    };
    for (const { hostname, ownerEmail, ipAddress, serialNumber, tags } of COLLEAGUES.slice(0, 40)) {
      await same('get_score', { hostname }, { hostname: 'lt-nobody-atall-1' });
      await same('get_endpoint', { hostname: ipAddress }, { hostname: '10.99.1.1' });
      await same('get_endpoint', { hostname: serialNumber }, { hostname: 'PFZZZZZ' });
      await same('list_endpoints', { owner_email: ownerEmail }, { owner_email: 'x.y@musterwerk.example' });
      await same('list_endpoints', { search: ownerEmail.split('@')[0] }, { search: 'x.y' });
      await same('list_endpoints', { search: hostname.slice(0, 12) }, { search: 'lt-nobody-at' });
      await same('list_endpoints', { prefix: hostname.slice(0, 9) }, { prefix: 'lt-nobody' });
      await same('list_endpoints', { ip_address: ipAddress }, { ip_address: '10.99.1.1' });
      await same('list_endpoints', { tag: `asset=${tags.asset}` }, { tag: 'asset=A-1' });
    }
    found('a name, address, number, prefix or unique tag as the input', tries, odd);
    await ask('start_run', { goal: `why is ${COLLEAGUES[3]?.hostname} slow?` });
    found('the same, in refusals and errors', corpus.length, leaks(corpus));
  });

  test('finds nobody by what a person is: every visible combination of attributes fits enough machines', () => {
    const alone = COLLEAGUES.filter((colleague) => {
      const fitting = listed.filter(
        ({ persona, os_platform, criticality_tier, tags }) =>
          ['withheld', colleague.persona].includes(persona) &&
          ['other', colleague.osPlatform].includes(os_platform) &&
          [null, colleague.criticalityTier as number].includes(criticality_tier) &&
          Object.entries(tags).every(([key, value]) => colleague.tags[key] === value),
      );
      return fitting.length < ENOUGH;
    });
    found(
      'persona, system, tier, department, site, model together',
      COLLEAGUES.length,
      alone.map(({ hostname }) => hostname),
    );
    const said = listed.filter(({ persona, tags }) => persona !== 'withheld' || Object.keys(tags).length > 0);
    expect(said.length, 'and it still says something').toBeGreaterThan(SIZE / 2);
  });

  test('finds nobody by counting: no two answers differ by fewer than five machines', async () => {
    const values = (of: (colleague: Colleague) => string) => [...new Set(COLLEAGUES.map(of))];
    const filters = [
      {},
      ...values(({ persona }) => persona).map((persona) => ({ persona })),
      ...values(({ criticalityTier }) => String(criticalityTier)).map((criticality_tier) => ({ criticality_tier })),
      ...['dept', 'site', 'model'].flatMap((key) =>
        values(({ tags }) => tags[key] as string).map((value) => ({ tag: `${key}=${value}` })),
      ),
      ...values(({ tags }) => tags.dept as string).flatMap((dept) =>
        values(({ persona }) => persona).map((persona) => ({ persona, tag: `dept=${dept}` })),
      ),
    ];
    const answered: { filter: object; hosts: Set<string> }[] = [];
    for (const filter of filters) {
      const rows = await list(filter);
      if (rows) answered.push({ filter, hosts: new Set(rows.map(({ hostname }) => hostname)) });
    }
    expect(answered.length).toBeGreaterThan(3);
    const small: string[] = [];
    let pairs = 0;
    for (const one of answered) {
      for (const other of answered) {
        pairs++;
        const difference = one.hosts.difference(other.hosts).size;
        const common = one.hosts.intersection(other.hosts).size;
        if ([difference, common].some((size) => size > 0 && size < ENOUGH))
          small.push(`${JSON.stringify(one.filter)} and ${JSON.stringify(other.filter)}: ${difference}, ${common}`);
      }
    }
    found(`differences of ${answered.length} answered filters of ${filters.length}`, pairs, small);
    for (const group_by of ['persona', 'os_platform', 'criticality_tier', 'dept', 'site', 'model', 'asset']) {
      const { output } = await ask('get_fleet', { group_by });
      const sizes: number[] = (output?.groups ?? []).map(({ total }: { total: number }) => total);
      found(
        `figures of groups by ${group_by}`,
        sizes.length,
        sizes.filter((size) => size > 0 && size < ENOUGH),
      );
    }
  });

  test('finds nobody by time: neither by today’s start, nor by the day on which somebody joined', async () => {
    const sameDay = (iso: string | null, date: Date) => iso !== null && Math.abs(Date.parse(iso) - date.getTime());
    const seenAlone = COLLEAGUES.filter(({ bootedAt }) => {
      const nearest = Math.min(...listed.map(({ last_seen_at }) => Number(sameDay(last_seen_at, bootedAt))));
      return listed.filter(({ last_seen_at }) => Number(sameDay(last_seen_at, bootedAt)) === nearest).length < ENOUGH;
    });
    found('when a machine was started and seen', SIZE, seenAlone);
    const joinedAlone = COLLEAGUES.filter(({ joinedAt }) => {
      const nearest = Math.min(...listed.map(({ registered_at }) => Number(sameDay(registered_at, joinedAt))));
      return listed.filter(({ registered_at }) => Number(sameDay(registered_at, joinedAt)) === nearest).length < ENOUGH;
    });
    found('when a machine was registered', SIZE, joinedAlone);
    // The beginning of a part of the day stands for all of it, whoever happened to start then.
    const isBeginning = (minute: string) => /T(00|06|12|18):00$/.test(minute);
    const minutes = COLLEAGUES.flatMap(({ bootedAt }) =>
      // The start, and the first report after it.
      [0, 1].map((later) => new Date(bootedAt.getTime() + later * 60_000).toISOString().slice(0, 16)),
    ).filter((minute) => !isBeginning(minute));
    const written = new Set(minutes.flatMap((minute) => [minute, minute.replace('T', ' ')]));
    const exact = corpus.flatMap(({ where, text }) => {
      // When an answer was given is no time of the machine's.
      const told = text.replaceAll(/\\?"as_of\\?":\\?"[^"]*"/g, '');
      const times = [...told.matchAll(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d/g)].filter(([minute]) => written.has(minute));
      const ids = [...told.matchAll(/\b[0-7][0-9A-HJKMNP-TV-Z]{25}\b/g)].filter(([id]) => written.has(minuteOf(id)));
      return [...times, ...ids].map(({ index, 0: hit }) => `${where}: …${told.slice(index - 40, index)}[${hit}]`);
    });
    found('the minute of a start, in any answer, alert, text or id', corpus.length, [...new Set(exact)].slice(0, 20));
  });

  test('finds nobody through a team: a small one is refused, a large one divided no further than by five', async () => {
    const member = (part: Record<string, string>): Actor => ({
      ...OPERATOR,
      id: `slack:${JSON.stringify(part)}`,
      grants: [{ role: 'operator', within: [part] }],
    });
    const teams = ['dept', 'site', 'model', 'asset'].flatMap((key) =>
      [...Map.groupBy(COLLEAGUES, ({ tags }) => tags[key] as string)]
        .slice(0, 6)
        .map(([value, { length }]) => ({ part: { [key]: value }, length })),
    );
    const alone: string[] = [];
    let refused = 0;
    for (const { part, length } of teams) {
      const { output, kind } = await ask('list_endpoints', { limit: 1000 }, member(part));
      if (length < ENOUGH) {
        refused++;
        if (kind !== 'refused') alone.push(JSON.stringify(part));
        continue;
      }
      const rows: Listed[] = output.endpoints;
      expect(rows).toHaveLength(length);
      const looks = Map.groupBy(rows, ({ persona, os_platform, criticality_tier, tags }) =>
        JSON.stringify([persona, os_platform, criticality_tier, tags]),
      );
      for (const [look, alike] of looks) if (alike.length < ENOUGH) alone.push(`${JSON.stringify(part)} ${look}`);
    }
    expect(refused, 'there is a small team').toBeGreaterThan(0);
    found('members of a team, by what is said of them', teams.length, alone);
  });

  test('finds nobody by an order or a number', async () => {
    const { store } = service.app.ports;
    const real = (await store.endpoints.batch(0, 1000)).map(({ id, hostname }) => ({ id, hostname }));
    const shown = new Map<string, string>();
    for (const { hostname, ownerEmail } of COLLEAGUES) {
      const own = {
        ...OPERATOR,
        id: 'slack:UOWN',
        via: 'slack' as const,
        role: 'employee' as const,
        email: ownerEmail,
      };
      // The truth, which the attacker does not have: what the service itself calls the machine.
      expect(JSON.stringify((await service.app.invoke('get_score', { hostname }, own)).output)).toContain(hostname);
      shown.set(hostname, String(service.app.ports.privacy?.leaving(hostname)));
    }
    const truth = COLLEAGUES.toSorted((a, b) => (a.hostname < b.hostname ? -1 : 1)).map(({ hostname }) =>
      shown.get(hostname),
    );
    for (const sort of ['hostname', '-hostname', 'owner_email', 'last_seen_at']) {
      const order = ((await list({ sort })) as Listed[]).map(({ hostname }) => hostname);
      const hits = order.filter((hostname, at) => truth[at] === hostname || truth.at(-1 - at) === hostname);
      // Two random orders of 200 have one place in common on average, each way.
      found(`places in the list sorted by ${sort} (chance: 2)`, order.length, hits.length > 10 ? hits : []);
    }
    const numbers = listed.filter(({ id, hostname }) =>
      real.some((each) => each.id === id && shown.get(each.hostname) === hostname),
    );
    found('numbers of machines', listed.length, numbers);
  });

  test('finds nobody by hardware, or by what is installed', async () => {
    for (const { hostname } of listed.slice(0, 40)) {
      await ask('get_signals', { hostname });
      await ask('get_endpoint', { hostname });
    }
    const odd = /wlx00e04c|\/media\/|patience|jobsearch/;
    found(
      'names of adapters, disks and programs',
      corpus.length,
      corpus.filter(({ text }) => odd.test(text)).map(({ where }) => where),
    );
    const kept = await service.app.ports.store.snapshots.latest(
      (await service.app.ports.store.endpoints.batch(0, 1000)).map(({ id }) => id),
    );
    found(
      'the same, in what is stored',
      kept.size,
      [...kept.values()].filter((row) => odd.test(JSON.stringify(row))),
    );
  });

  test('finds nobody in logs, tickets and messages', () => {
    expect(logged.length).toBeGreaterThan(0);
    found('log lines', logged.length, leaks(logged.map((line) => ({ where: 'log', text: JSON.stringify(line) }))));
    found(
      'messages to systems outside',
      delivered.length,
      leaks(delivered.map((each) => ({ where: 'outbox', text: JSON.stringify(each) }))),
    );
  });

  test('cannot make the pseudonyms: another key gives others', async () => {
    const other = await startTestService({ DEX_PRIVACY: 'pseudonymous' });
    const pseudonyms = new Set(listed.map(({ hostname }) => hostname));
    const guessed = COLLEAGUES.filter(({ hostname }) =>
      pseudonyms.has(String(other.app.ports.privacy?.leaving({ hostname }).hostname)),
    );
    await other.stop();
    found('a dictionary of all names, with a key of one’s own', SIZE, guessed);
  });
});

function leaks(texts: readonly { where: string; text: string }[]): string[] {
  const names = COLLEAGUES.flatMap(realNames).map((name) => name.toLowerCase());
  const out = new Set<string>();
  for (const { where, text } of texts) {
    const lower = text.toLowerCase();
    for (const name of names) if (lower.includes(name)) out.add(`${where}: ${name}`);
  }
  return [...out].slice(0, 20);
}

/** The minute that a ULID says it was made in. */
function minuteOf(id: string): string {
  const digits = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
  const at = [...id.slice(0, 10)].reduce((sum, digit) => sum * 32 + digits.indexOf(digit), 0);
  return at < 8.64e15 ? new Date(at).toISOString().slice(0, 16) : '';
}
