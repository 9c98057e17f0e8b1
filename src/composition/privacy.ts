/** Privacy as the configuration wants it: where it is pseudonymous, everything that leaves the service by itself passes the boundary. */
import { makeFolder } from '../adapters/db/makeFolder.ts';
import { openPrivacyKey } from '../adapters/privacyKey.ts';
import type { Config } from '../config.ts';
import type { Llm } from '../core/planner/llm.ts';
import type { PlannerParts } from '../core/planner/plannerRuns.ts';
import type { Clock, Log } from '../core/ports/ports.ts';
import type { PrivacyBoundary } from '../core/ports/privacyBoundary.ts';
import type { Store } from '../core/ports/storePorts.ts';
import { pseudonymousBoundary } from '../core/privacy/boundary.ts';
import { partOfDay } from '../domain/privacy/minimise.ts';

export interface Privacy {
  /** A log without names. */
  log(inner: Log): Log;
  /** A model that sees no name. */
  model(llm: Llm): Llm;
  /** With such a model. */
  planner<Parts extends PlannerParts>(parts: Parts): Parts;
  /** Undefined where everything is shown by name. Called once, when the store is there. */
  boundary(store: Store, clock: Clock): PrivacyBoundary | undefined;
  /** The clock that ids are made by, which anybody can read out of them. */
  idClock(clock: Clock): Clock;
  backupKey: Buffer | null;
}

const NAMED: Privacy = {
  log: (inner) => inner,
  model: (llm) => llm,
  planner: (parts) => parts,
  boundary: () => undefined,
  idClock: (clock) => clock,
  backupKey: null,
};

export function openPrivacy(config: Config): Privacy {
  if (config.DEX_PRIVACY === 'named') return NAMED;
  makeFolder(config.DATA_DIR, 0o700);
  const key = openPrivacyKey(config.DATA_DIR);
  let opened: PrivacyBoundary | undefined;
  /** Before the store is there, nobody's name is known; what looks like one is replaced all the same. */
  const nobody = pseudonymousBoundary({ ...contextOf(config), mac: key.mac, store: null, now: () => new Date(0) });
  const boundary = () => opened ?? nobody;
  return {
    backupKey: key.backupKey,
    idClock: (clock) => ({ now: () => partOfDay(clock.now()) }),
    log: (inner) => privateLog(inner, boundary),
    model: (llm) => privateModel(llm, boundary),
    planner: (parts) =>
      parts.model.llm ? { ...parts, model: { ...parts.model, llm: privateModel(parts.model.llm, boundary) } } : parts,
    boundary(store, clock) {
      opened = pseudonymousBoundary({ ...contextOf(config), mac: key.mac, store, now: clock.now });
      return opened;
    },
  };
}

function contextOf(config: Config): { publicUrl: string; staff: string[] } {
  const { SLACK_VIEWERS, SLACK_OPERATORS, SLACK_APPROVERS } = config;
  return { publicUrl: config.PUBLIC_URL, staff: [...SLACK_VIEWERS, ...SLACK_OPERATORS, ...SLACK_APPROVERS] };
}

function privateLog(inner: Log, boundary: () => PrivacyBoundary): Log {
  const line =
    (level: 'debug' | 'info' | 'warn' | 'error') =>
    (fields: object, message?: string): void =>
      inner[level](
        withoutWritten(boundary().leaving(fields), fields),
        message === undefined ? message : boundary().leaving(message),
      );
  const withoutWritten = (shown: object, { path }: { path?: unknown }): object =>
    typeof path === 'string' ? { ...shown, path: boundary().withheld(path) } : shown;
  return {
    debug: line('debug'),
    info: line('info'),
    warn: line('warn'),
    error: line('error'),
    child: (fields) => privateLog(inner.child(boundary().leaving(fields)), boundary),
  };
}

/** Sees pseudonyms, and is understood where it uses them to call tools. */
function privateModel(llm: Llm, boundary: () => PrivacyBoundary): Llm {
  return {
    ...llm,
    async complete(request) {
      const { leaving, returning, refresh } = boundary();
      await refresh();
      const { system, messages } = leaving({ system: request.system, messages: request.messages });
      const reply = await llm.complete({ ...request, system, messages });
      return { ...reply, toolCalls: returning(reply.toolCalls) };
    },
  };
}
