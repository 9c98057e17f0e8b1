/** The agent's report as it comes in: what a laptop posts about itself, checked, and how it becomes a snapshot again. */
import { z } from 'zod';
import { CLOCK_TOLERANCE_MS } from '../../domain/fleet/reporter.ts';
import { LONGEST_SCAN_MS } from '../../domain/signals/agentReport.ts';
import { declarationOf, SIGNAL_NAMES, wireName } from '../../domain/signals/catalogue.ts';
import { flatReadings, readingsFromFlat, unmeasured } from '../../domain/signals/flat.ts';
import { LONGEST_ITEM, MOST_NAMES } from '../../domain/signals/reading.ts';
import { type ScanTarget, type Snapshot, snapshotOf } from '../../domain/signals/telemetry.ts';
import { readingsFromWire } from '../../domain/signals/wire.ts';
import { AppError } from '../errors.ts';

const time = z.iso.datetime();
const about = { collected_at: time, duration_ms: z.number().int().min(0).max(LONGEST_SCAN_MS) };
const unmeasuredWire = z.array(z.object({ metric: z.string().max(100), reason: z.string().max(500) })).max(200);

/** More signals than any version has; it bounds what one report may cost. */
const MOST_SIGNALS = 500;

/**
 * Body of `POST /api/v1/dex/agent/snapshot`. Host name and collector are missing on purpose: the server takes them from the
 * token, so an agent can only speak for its own endpoint. Signals are read leniently: of an agent of another version, what
 * is known counts, and a value that cannot be costs that signal only.
 */
export const agentSnapshotWire = z
  .looseObject({
    version: z.number().int().min(1).max(1000).default(1).describe('2; without it the first version, flat fields'),
    ...about,
    sent_at: time
      .optional()
      .describe(
        'When it is sent, by the clock of the machine: a wrong clock is noticed and its reports keep the right time',
      ),
    machine_id: z.string().max(128).nullish().describe('Of the installation, as /etc/machine-id'),
    readings: z
      .record(z.string().max(100), z.unknown())
      .refine((readings) => Object.keys(readings).length <= MOST_SIGNALS, `at most ${MOST_SIGNALS} signals`)
      .optional()
      .describe(
        `By signal: {value}, {items: [{item, value}]} or {missing: reason}. Signals: ${SIGNAL_NAMES.map(wireName).join(', ')}`,
      ),
    unmeasured: unmeasuredWire.optional().describe('Of the first version: what was not measured, and why'),
  })
  .refine((body) => !('hostname' in body) && !('collector' in body), {
    message: 'an agent speaks for the endpoint of its token: leave out hostname and collector',
  })
  .refine(({ version, readings }) => version === 1 || readings !== undefined, {
    path: ['readings'],
    message: 'is needed from version 2 on',
  })
  .refine((body) => body.version !== 1 || Object.keys(body).some((key) => FLAT_FIELDS.has(key)), {
    message: 'reports no signal: send version 2 with readings, or the fields of the first version',
  });

const FLAT_FIELDS = new Set(
  SIGNAL_NAMES.filter((name) => declarationOf(name).guide).flatMap((name) => [wireName(name)]),
);

const number = z.number().nullable();
const FLAT_TYPES = {
  number,
  share: number,
  flag: z.boolean().nullable(),
  time: time.nullable(),
  names: z.array(z.string().max(LONGEST_ITEM)).max(MOST_NAMES).nullable(),
  text: z.string().max(1024).nullable(),
};

/** The guide's signals as flat fields with their bounds: what a scanning agent is shown and answers. */
export const flatSnapshotWire = z.strictObject({
  ...about,
  ...Object.fromEntries(
    SIGNAL_NAMES.filter((name) => declarationOf(name).guide).flatMap((name) => {
      const { companion, kind } = declarationOf(name);
      const field: [string, z.ZodType] = [wireName(name), FLAT_TYPES[kind]];
      if (companion === undefined) return [field];
      return [field, [companion, kind === 'share' ? FLAT_TYPES.number : FLAT_TYPES.text] as [string, z.ZodType]];
    }),
  ),
  unmeasured: unmeasuredWire,
});

/** The same of a snapshot. */
export function snapshotToFlatWire(snapshot: Snapshot): z.input<typeof flatSnapshotWire> {
  return {
    collected_at: snapshot.collectedAt.toISOString(),
    duration_ms: Math.round(snapshot.durationMs),
    ...flatReadings(snapshot.readings),
    unmeasured: unmeasured(snapshot.readings),
  };
}

/** An agent keeps at most a day of reports while it is offline; two leave room for a suspended laptop. */
const MAX_AGE_MS = 48 * 3_600_000;

/** Of two clocks that are this near, the time is left as it is: a report on a slow line takes as long. */
const LINE_MS = 30_000;

/** Offsets are taken in such steps, so that a report that comes twice keeps one time. */
const STEP_MS = 10_000;

/** How far the reporter's clock is ahead of ours (negative: behind); null when the report does not say when it was sent. */
export function clockOffsetMs({ sent_at }: { sent_at?: string | undefined }, now: Date): number | null {
  return sent_at === undefined ? null : new Date(sent_at).getTime() - now.getTime();
}

/**
 * The snapshot that a parsed report stands for, about the endpoint that its token belongs to. Its times are set right by how far
 * the reporter's clock is off.
 * @throws AppError `invalid` when the report's time, set right, is more than 5 minutes ahead of `now` or more than 48 hours old
 */
export function snapshotFromWire(wire: z.output<typeof agentSnapshotWire>, target: ScanTarget, now: Date): Snapshot {
  const offsetMs = clockOffsetMs(wire, now) ?? 0;
  const wrongByMs = Math.abs(offsetMs) > LINE_MS ? Math.round(offsetMs / STEP_MS) * STEP_MS : 0;
  const collectedAt = new Date(new Date(wire.collected_at).getTime() - wrongByMs);
  const aheadMs = collectedAt.getTime() - now.getTime();
  if (aheadMs > CLOCK_TOLERANCE_MS || -aheadMs > MAX_AGE_MS) {
    const side = aheadMs > 0 ? 'ahead of' : 'behind';
    throw new AppError(
      'invalid',
      `collected_at ${wire.collected_at} is too far ${side} the server's time ${now.toISOString()}: set the endpoint's clock`,
    );
  }
  const why = () => 'its agent does not report it';
  const { readings, ignored } =
    wire.version === 1
      ? { readings: readingsFromFlat(wire, reasonsOf(wire.unmeasured ?? []), why), ignored: 0 }
      : readingsFromWire(wire.readings ?? {}, why);
  const { bootedAt } = readings;
  if ('value' in bootedAt) readings.bootedAt = { value: new Date(bootedAt.value.getTime() - wrongByMs) };
  return { ...snapshotOf(target, collectedAt, wire.duration_ms, readings), ignoredSignals: ignored };
}

function reasonsOf(list: { metric: string; reason: string }[]): Map<string, string> {
  return new Map(list.map(({ metric, reason }) => [metric, reason]));
}
