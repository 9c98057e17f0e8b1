/** The pseudonymous mode as people meet it: operators see pseudonyms and use them, owners see themselves, a reveal is told and ends. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Actor } from '../../../src/core/actor.ts';
import type { Answer } from '../../../src/core/invoke.ts';
import type { Messenger } from '../../../src/core/ports/messagePorts.ts';
import { collectingLog } from '../../helpers/collectingLog.ts';
import { startTestService, type TestService } from '../../helpers/service.ts';

const HOST = 'lt-anna-albrecht-7';
const OWNER = 'anna.albrecht@musterwerk.example';

const person = (id: string, role: Actor['role'], email?: string): Actor => ({
  id: `slack:${id}`,
  name: id,
  kind: 'human',
  via: 'slack',
  role,
  ...(email && { email }),
});
const ANNA = person('UEMPL01', 'employee', OWNER);
const OPERATOR = person('UOPER01', 'operator');
const ADMIN = person('UADMI01', 'admin');
const OTHER_ADMIN = person('UADMI02', 'admin');
const agent: Actor = { id: `agent:${HOST}`, name: HOST, kind: 'system', via: 'agent', role: 'operator' };

let service: TestService;
let now = new Date('2026-11-28T09:00:00Z');
const told: { subject: string; payload: Record<string, unknown> }[] = [];
const { log, lines } = collectingLog();
let pseudonym = '';
let backups = '';

/** The output as JSON has it. */
async function invoke(name: string, input: object, actor: Actor): Promise<Omit<Answer, 'output'> & { output: any }> {
  return service.app.invoke(name, input, actor);
}
/** By its pseudonym, as people have to. */
async function removed(name: string): Promise<void> {
  const hostname = service.app.ports.privacy?.leaving({ hostname: name }).hostname;
  await invoke('deregister_endpoint', { hostname }, { ...ADMIN, via: 'cli' });
}
const later = (minutes: number) => {
  now = new Date(now.getTime() + minutes * 60_000);
};

async function report(readings: object): Promise<Record<string, unknown>> {
  const at = now.toISOString();
  const snapshot = { version: 2, collected_at: at, sent_at: at, duration_ms: 4, readings };
  return (await invoke('submit_snapshot', { hostname: HOST, snapshot }, agent)).output;
}

beforeAll(async () => {
  backups = await mkdtemp(join(tmpdir(), 'dexops-backups-'));
  const slack: Messenger = {
    name: 'slack',
    paceMs: 0,
    async deliver({ messages }) {
      told.push(...messages);
      return { outcome: 'delivered' };
    },
  };
  service = await startTestService(
    { DEX_PRIVACY: 'pseudonymous', DEX_REVEAL_SECOND_PERSON: 'true', BACKUP_DIR: backups },
    { clock: { now: () => now }, log, messengers: [slack] },
  );
  const machine = { hostname: HOST, owner_email: OWNER, collector: 'push', tags: { site: 'oslo' } };
  const { text } = await invoke('register_endpoint', machine, ADMIN);
  expect(text, 'whoever names a machine is not told its pseudonym').toContain(HOST);
  pseudonym = (await invoke('list_endpoints', {}, OPERATOR)).output.endpoints[0].hostname;
});
afterAll(async () => {
  await service.stop();
  await rm(backups, { recursive: true, force: true });
});

test('an operator sees a pseudonym, uses it, and cannot use the name', async () => {
  expect(pseudonym).toMatch(/^pc-[0-9a-z]{10}$/);
  await report({ cpu_pct: { value: 30 }, top_cpu_pct: { items: [{ item: 'solitaire', value: 50 }] } });
  const { output, text, call } = await invoke('get_endpoint', { hostname: pseudonym }, OPERATOR);
  expect(JSON.stringify([output, text, call])).not.toMatch(/anna|albrecht|oslo|solitaire/i);
  expect(text).toContain(pseudonym);
  await expect(invoke('get_endpoint', { hostname: HOST }, OPERATOR)).rejects.toMatchObject({ kind: 'refused' });
  await expect(invoke('start_run', { goal: `Is ${HOST} slow?` }, OPERATOR)).rejects.toMatchObject({ kind: 'refused' });
});

test('what took a real name says no pseudonym beside it: not of its owner, address or number, nor of other machines, nor later in the audit', async () => {
  const address = '10.7.0.9';
  const asked = { owner_email: 'bob.brandt@musterwerk.example', collector: 'push' };
  const first = await invoke(
    'register_endpoint',
    { hostname: 'lt-bob-brandt-1', ip_address: address, ...asked },
    ADMIN,
  );
  const second = await invoke('register_endpoint', { hostname: 'lt-probe-2', ip_address: address, ...asked }, ADMIN);
  const refused = await invoke('register_endpoint', { hostname: HOST, collector: 'push' }, ADMIN).catch(String);
  for (const answer of [first, second, refused])
    expect(JSON.stringify(answer)).not.toMatch(/\b(pc|ip|person|id)-[0-9a-z]{10}\b/);
  expect(first.output.endpoint).toMatchObject({ id: 0, ip_address: address, owner_email: asked.owner_email });
  expect(second.text).toContain(`${address} is also the address of withheld`);
  const { output } = await invoke('list_audit', { tool: 'register_endpoint' }, { ...ADMIN, via: 'cli' });
  expect(output.audit).toMatchObject([
    { error: 'conflict', subject: null },
    { subject: null },
    { subject: null },
    { subject: null },
  ]);
  for (const name of ['lt-bob-brandt-1', 'lt-probe-2']) await removed(name);
});

test('the path of a request is logged without the pseudonym of the name that it has', async () => {
  const response = await fetch(`${service.url}/api/v1/dex/endpoints/${HOST}`);
  expect(response.status).toBe(401);
  await expect.poll(() => lines.filter((line) => JSON.stringify(line).includes('endpoints/withheld')).length).toBe(1);
  expect(JSON.stringify(lines)).not.toContain(`endpoints/${pseudonym}`);
});

test('a person’s name beside their address is the pseudonym too, and their times are by the part of the day', () => {
  const session = { name: 'Anna Albrecht', email: OWNER, last_used_at: '2026-11-28T08:47:11.000Z' };
  const shown = service.app.ports.privacy?.leaving(session);
  expect(shown?.email).toMatch(/^person-/);
  expect(shown).toEqual({ name: shown?.email, email: shown?.email, last_used_at: '2026-11-28T06:00:00.000Z' });
});

test('the owner sees and uses the name', async () => {
  expect((await invoke('get_score', { hostname: HOST }, ANNA)).text).toContain(HOST);
  const { output } = await invoke('get_machine_data', { hostname: HOST }, ANNA);
  expect(output).toMatchObject({ hostname: HOST, mode: 'pseudonymous', paused_until: null });
  expect(output.signals.find(({ signal }: { signal: string }) => signal === 'cpu_pct')).toMatchObject({
    value: '30 %',
  });
  // Counted beside the answer.
  await expect
    .poll(async () => (await invoke('get_machine_data', { hostname: HOST }, ANNA)).text)
    .toContain('operator by slack: get_endpoint');
});

test('personal signals are not kept, and starts by the part of the day', async () => {
  later(5);
  await report({
    booted_at: { value: '2026-11-28T08:47:11Z' },
    app_crashes: { items: [{ item: 'jobsearch', value: 2 }] },
    wifi_signal_dbm: { items: [{ item: 'wlx00e04c680123', value: -60 }] },
  });
  const tables = (await invoke('export_machine_data', { hostname: HOST }, ANNA)).output.tables;
  const text = JSON.stringify(tables.snapshot);
  expect(text).not.toMatch(/jobsearch|solitaire|wlx00e04c/);
  expect(text).toContain('2026-11-28T06:00:00.000Z');
});

test('a pause is obeyed by the server, told to the agent, and ends', async () => {
  const { output } = await invoke('pause_collection', { hostname: HOST, minutes: 30 }, ANNA);
  later(10);
  expect(await report({ cpu_pct: { value: 99 } })).toMatchObject({
    recorded: false,
    paused_until: output.paused_until,
    privacy: 'pseudonymous',
  });
  later(21);
  expect(await report({ cpu_pct: { value: 20 } })).toMatchObject({ recorded: true, paused_until: null });
  await expect(invoke('pause_collection', { hostname: HOST, minutes: 600 }, ANNA)).rejects.toMatchObject({
    kind: 'invalid',
  });
  await expect(invoke('pause_collection', { hostname: pseudonym }, OPERATOR)).rejects.toMatchObject({ kind: 'denied' });
});

test('a reveal needs a reason, a role and a second person, is told to the owner, and ends by itself', async () => {
  const ask = { hostname: pseudonym, reason: 'The disk is failing and has to be exchanged', minutes: 30 };
  await expect(invoke('reveal_name', ask, OPERATOR)).rejects.toMatchObject({ kind: 'denied' });
  await expect(invoke('reveal_name', { ...ask, reason: '' }, ADMIN)).rejects.toMatchObject({ kind: 'invalid' });
  const { output, text } = await invoke('reveal_name', ask, ADMIN);
  expect(output.status).toBe('waiting');
  expect(text).not.toContain('anna');
  await expect(invoke('approve_reveal', output, ADMIN).catch((e) => e)).resolves.toMatchObject({ kind: 'invalid' });
  const which = { reveal_id: output.reveal_id };
  await expect(invoke('approve_reveal', which, ADMIN)).rejects.toMatchObject({ kind: 'denied' });
  expect((await invoke('get_score', { hostname: pseudonym }, ADMIN)).text).not.toContain(HOST);
  await invoke('approve_reveal', which, OTHER_ADMIN);
  expect((await invoke('get_score', { hostname: pseudonym }, ADMIN)).text).toContain(HOST);
  expect((await invoke('get_score', { hostname: pseudonym }, OTHER_ADMIN)).text).not.toContain(HOST);
  await expect.poll(() => told.map(({ payload }) => payload.what)).toContain('privacy_notice');
  const notice = told.find(({ payload }) => payload.what === 'privacy_notice');
  expect(notice?.payload).toMatchObject({ owner_email: OWNER });
  expect(notice?.payload.text).toContain('The disk is failing');
  later(31);
  expect((await invoke('get_score', { hostname: pseudonym }, ADMIN)).text).not.toContain(HOST);
  const audit = (await invoke('list_audit', {}, { ...ADMIN, via: 'cli' })).output.audit as { tool: string }[];
  expect(audit.map(({ tool }) => tool)).toEqual(expect.arrayContaining(['reveal_name', 'approve_reveal']));
  expect((await invoke('get_machine_data', { hostname: HOST }, ANNA)).text).toContain(
    'your name was shown to an IT admin',
  );
});

test('what would leave for a model provider has no name, and says what it is', async () => {
  const { output, text } = await invoke('preview_prompt', { question: `Why is ${pseudonym} slow?` }, OPERATOR);
  expect(output).toMatchObject({ mode: 'pseudonymous', provider: null, pseudonyms: 1 });
  expect(output.parts.map(({ part }: { part: string }) => part)).toEqual(
    expect.arrayContaining(['rules of the agent', 'question', 'answer of dexops__get_score', 'descriptions of tools']),
  );
  expect(JSON.stringify([output, text])).not.toMatch(/anna|albrecht|oslo/i);
  expect(text).toContain('nothing leaves');
  await expect(invoke('preview_prompt', { question: `Why is ${HOST} slow?` }, OPERATOR)).rejects.toMatchObject({
    kind: 'refused',
  });
  // The owner asks by name, and the provider gets the pseudonym all the same.
  const own = (await invoke('preview_prompt', { question: `Why is ${HOST} slow?` }, { ...ANNA, role: 'viewer' }))
    .output;
  expect(JSON.stringify(own.parts)).not.toMatch(/anna|albrecht/i);
  expect(JSON.stringify(own.parts)).toContain(pseudonym);
});

test('after erasure no file, backup, dump or log line has the name', async () => {
  const { DATA_DIR, BACKUP_DIR } = service.app.config;
  const before = (await invoke('create_backup', {}, { ...ADMIN, via: 'cli' })).output;
  expect(readFileSync(before.file).subarray(0, 8).toString()).toBe('DEXSEAL1');
  await expect(invoke('erase_machine_data', { hostname: pseudonym }, OPERATOR)).rejects.toMatchObject({
    kind: 'denied',
  });
  const { output } = await invoke('erase_machine_data', { hostname: HOST }, ANNA);
  // As the interface writes it that the owner used.
  service.app.log.info({ path: `/api/v1/dex/endpoints/${HOST}/data/erase` }, 'request');
  expect(output.rows_deleted).toBeGreaterThan(3);
  expect(output.backups_rewritten).toBeGreaterThan(0);
  const { openBackup } = await import('../../../src/adapters/db/backup/backupFile.ts');
  const { existingBackupKey } = await import('../../../src/adapters/privacyKey.ts');
  const backup = await openBackup(before.file, { key: existingBackupKey(DATA_DIR) });
  let dump = '';
  for await (const line of backup.sql()) dump += `${line}\n`;
  expect(dump).toContain('insert into "endpoint"');
  expect(dump.match(/.{0,60}(anna|albrecht).{0,40}/gi)).toBeNull();
  await expect(openBackup(before.file, {})).rejects.toMatchObject({ kind: 'refused' });
  const named = [...filesBelow(DATA_DIR), ...filesBelow(BACKUP_DIR)].filter((file) =>
    /anna\.albrecht|lt-anna/i.test(readFileSync(file, 'latin1')),
  );
  expect(named).toEqual([]);
  expect(lines.filter((line) => /anna|albrecht/i.test(line))).toEqual([]);
  expect((await invoke('list_endpoints', {}, OPERATOR)).output.total).toBe(0);
});

function filesBelow(dir: string): string[] {
  return readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .map((name) => join(dir, name))
    .filter((file) => statSync(file).isFile());
}
