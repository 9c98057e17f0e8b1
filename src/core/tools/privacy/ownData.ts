/** Tools for people about their own machine: what is known, a pause, a copy, and erasure. */
import { z } from 'zod';
import { AppError } from '../../errors.ts';
import { iso } from '../../present.ts';
import {
  eraseData,
  exportData,
  keptTexts,
  knownSignals,
  LONGEST_PAUSE_MINUTES,
  pauseOf,
} from '../../privacy/ownData.ts';
import { requireEndpoint } from '../../scans/scanning.ts';
import { hostnameInput, timestamp } from '../../shapes.ts';
import { machineSubject } from '../../subjects.ts';
import { defineTool } from '../../tool.ts';

const OWN = {
  subject: machineSubject,
  reach: 'selection',
  role: 'admin',
  ownerRole: 'employee',
  toolset: 'admin',
} as const;

export const getMachineData = defineTool({
  ...OWN,
  name: 'get_machine_data',
  title: 'What DexOps knows',
  effect: 'read',
  description:
    "What is known about one's own computer: every signal with its value, age and purpose, who looked by role and day, names revealed, how long each thing is kept, and a pause in force.",
  http: { method: 'GET', path: '/api/v1/dex/endpoints/:hostname/data' },
  command: { name: 'data', args: ['hostname'], everydayFor: ['employees'], example: 'data my-laptop' },
  ownMachineLabel: 'What DexOps knows about my computer',
  page: ({ hostname }) => `/machines/${encodeURIComponent(hostname)}/data`,
  input: z.strictObject({ hostname: hostnameInput.describe('Which machine?') }),
  output: z.object({
    hostname: z.string(),
    mode: z.enum(['named', 'pseudonymous']),
    paused_until: timestamp.nullable(),
    signals: z.array(
      z.object({
        signal: z.string(),
        label: z.string(),
        purpose: z.string(),
        personal: z.boolean(),
        value: z.string(),
        measured_at: timestamp.nullable(),
      }),
    ),
    accesses: z.array(
      z.object({ day: z.string(), role: z.string(), via: z.string(), tool: z.string(), times: z.number().int() }),
    ),
    reveals: z.array(z.object({ at: timestamp, until: timestamp.nullable(), role: z.string(), reason: z.string() })),
    kept: z.array(z.object({ what: z.string(), kept: z.string() })),
    as_of: timestamp,
  }),
  async run({ hostname }, { ports, now }) {
    const endpoint = await requireEndpoint(ports, hostname);
    const [signals, accesses, reveals, pause] = await Promise.all([
      knownSignals(ports, endpoint),
      ports.store.accesses.of(endpoint.id),
      ports.store.reveals.list({ endpointId: endpoint.id }, 100),
      pauseOf(ports, endpoint.id, now),
    ]);
    return {
      hostname: endpoint.hostname,
      mode: ports.privacy ? ('pseudonymous' as const) : ('named' as const),
      paused_until: iso(pause?.until ?? null),
      signals: signals.map(({ measuredAt, ...signal }) => ({ ...signal, measured_at: iso(measuredAt) })),
      accesses: accesses.map(({ endpointId: _id, ...access }) => access),
      reveals: reveals.map(({ requestedAt, endsAt, role, reason }) => ({
        at: iso(requestedAt),
        until: iso(endsAt),
        role,
        reason,
      })),
      kept: keptTexts(ports),
      as_of: iso(now),
    };
  },
  summary({ hostname, mode, paused_until, signals, accesses, reveals, kept, as_of }) {
    const measured = signals.filter(({ measured_at }) => measured_at !== null);
    const missing = signals.length - measured.length;
    return [
      `${hostname}: ${measured.length} of ${signals.length} signals are measured${mode === 'pseudonymous' ? '; IT sees a pseudonym' : ''}.`,
      ...(paused_until ? [`Measuring is paused until ${paused_until.slice(11, 16)} UTC.`] : []),
      ...measured.map(
        ({ label, value, purpose, measured_at, personal }) =>
          `${label}: ${value}, ${ageText(measured_at as string, as_of)}${personal ? ', personal' : ''}. ${purpose}`,
      ),
      ...(missing > 0 ? [`${missing} signals are not measured here.`] : []),
      accesses.length === 0 ? 'Nobody else looked at it.' : 'Who looked:',
      ...accesses.map(({ day, role, via, tool, times }) => `${day} ${role} by ${via}: ${tool} ${times}×`),
      ...reveals.map(({ at, role, reason }) => `${at.slice(0, 10)} your name was shown to an IT ${role}: ${reason}`),
      'How long it is kept:',
      ...kept.map((each) => `${each.what}: ${each.kept}`),
    ].join('\n');
  },
  related: ({ hostname, paused_until }) => [
    ...(paused_until === null
      ? [{ id: 'pause', label: 'Pause for 60 minutes', tool: 'pause_collection', input: { hostname, minutes: 60 } }]
      : []),
    { id: 'export', label: 'Give me a copy', tool: 'export_machine_data', input: { hostname } },
  ],
});

function ageText(at: string, now: string): string {
  const minutes = Math.max(0, Math.round((Date.parse(now) - Date.parse(at)) / 60_000));
  if (minutes < 120) return `${minutes} min ago`;
  return minutes < 2880 ? `${Math.round(minutes / 60)} h ago` : `${Math.round(minutes / 1440)} days ago`;
}

export const pauseCollection = defineTool({
  ...OWN,
  name: 'pause_collection',
  title: 'Pause measuring',
  effect: 'write',
  description: `Measure nothing on one's own computer for some minutes (at most ${LONGEST_PAUSE_MINUTES}), for a meeting; it goes on by itself.`,
  http: { method: 'POST', path: '/api/v1/dex/endpoints/:hostname/pause' },
  command: { name: 'pause', args: ['hostname', 'minutes'], example: 'pause my-laptop 60' },
  ownMachineLabel: 'Pause measuring',
  input: z.strictObject({
    hostname: hostnameInput.describe('Which machine?'),
    minutes: z.coerce.number().int().min(1).max(LONGEST_PAUSE_MINUTES).default(60).describe('For how many minutes?'),
  }),
  output: z.object({ hostname: z.string(), paused_until: timestamp }),
  async run({ hostname, minutes }, { ports, now }) {
    const endpoint = await requireEndpoint(ports, hostname);
    const until = new Date(now.getTime() + minutes * 60_000);
    await ports.store.pauses.set(endpoint.id, now, until);
    return { hostname: endpoint.hostname, paused_until: iso(until) };
  },
  summary: ({ hostname, paused_until }) =>
    `Nothing is measured on ${hostname} until ${paused_until.slice(11, 16)} UTC.`,
});

export const exportMachineData = defineTool({
  ...OWN,
  name: 'export_machine_data',
  title: 'Copy of my data',
  effect: 'read',
  hiddenFrom: ['mcp', 'planner', 'job'],
  description: "All rows that are kept about one's own computer and its person, by table, as JSON.",
  http: { method: 'GET', path: '/api/v1/dex/endpoints/:hostname/data/export' },
  command: { name: 'data export', args: ['hostname'], example: 'data export my-laptop' },
  input: z.strictObject({ hostname: hostnameInput }),
  output: z.object({
    hostname: z.string(),
    rows: z.number().int(),
    tables: z.record(z.string(), z.array(z.record(z.string(), z.unknown()))),
  }),
  async run({ hostname }, { ports, actor }) {
    const endpoint = await requireEndpoint(ports, hostname);
    const isOwner = actor.email !== undefined && actor.email.toLowerCase() === endpoint.ownerEmail?.toLowerCase();
    if (ports.privacy && !isOwner)
      throw new AppError(
        'refused',
        'Only the person whose machine it is gets a copy here: it is full of names and times.',
      );
    const tables = await exportData(ports, endpoint);
    const rows = Object.values(tables).reduce((sum, { length }) => sum + length, 0);
    return { hostname: endpoint.hostname, rows, tables: JSON.parse(JSON.stringify(tables)) };
  },
  summary: ({ hostname, rows, tables }) =>
    [
      `${rows} rows are kept about ${hostname}:`,
      ...Object.entries(tables).map(([table, { length }]) => `${table}: ${length}`),
    ].join('\n'),
});

export const eraseMachineData = defineTool({
  ...OWN,
  name: 'erase_machine_data',
  title: 'Erase my data',
  effect: 'destructive',
  humansOnly: true,
  hiddenFrom: ['mcp', 'planner', 'job'],
  description:
    "Erase everything kept about one's own computer: in the database at once, and in the backups beside the service. The machine is registered no more; an agent on it has to be uninstalled.",
  http: { method: 'POST', path: '/api/v1/dex/endpoints/:hostname/data/erase' },
  command: { name: 'data erase', args: ['hostname'], example: 'data erase my-laptop' },
  input: z.strictObject({ hostname: hostnameInput }),
  output: z.object({
    ok: z.literal(true),
    /** What stands wherever the machine was named. */
    erased_as: z.string(),
    rows_deleted: z.number().int(),
    rows_changed: z.number().int(),
    backups_rewritten: z.number().int(),
  }),
  async run({ hostname }, { ports }) {
    const { name, deleted, changed, backups } = await eraseData(ports, await requireEndpoint(ports, hostname));
    return {
      ok: true as const,
      erased_as: name,
      rows_deleted: deleted,
      rows_changed: changed,
      backups_rewritten: backups,
    };
  },
  auditedAs: ({ erased_as }) => ({ hostname: erased_as }),
  summary: ({ rows_deleted, rows_changed, backups_rewritten }) =>
    `Erased: ${rows_deleted} rows deleted, the name taken out of ${rows_changed} others and out of ${backups_rewritten} backups.`,
});
