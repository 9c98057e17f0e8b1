/** What the agent keeps on disk: readable by its user alone, whole or not at all, and there again after a restart. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type AgentState, fileSpool, stateStore } from '../../src/agent/state.ts';
import type { AgentReport } from '../../src/domain/signals/agentReport.ts';

let dir: string;
beforeEach(() => {
  dir = join(mkdtempSync(join(tmpdir(), 'dexops-state-')), 'state');
});
afterEach(() => rmSync(join(dir, '..'), { recursive: true, force: true }));

const STATE: AgentState = {
  server: 'https://dex.example.com/',
  token: 'dexa_x',
  machineId: null,
  renewTokenAtMs: 5,
  isPrivate: false,
  updateKey: null,
  update: null,
  failedVersions: [],
};
const report = (minute: number): AgentReport => ({
  version: 2,
  collected_at: new Date(Date.UTC(2026, 0, 1, 0, minute)).toISOString(),
  duration_ms: 1,
  readings: {},
});

describe('the state', () => {
  test('is absent before enrolment, and then what was written, for its user alone', () => {
    const store = stateStore(dir);
    expect(store.read()).toBeNull();
    store.write(STATE);
    expect(stateStore(dir).read()).toEqual(STATE);
    expect(statSync(join(dir, 'state.json')).mode & 0o777).toBe(0o600);
    expect(statSync(dir).mode & 0o777).toBe(0o700);
    expect(readdirSync(dir)).toEqual(['state.json']);
  });

  test('takes a folder back that others could read', () => {
    mkdirSync(dir, { recursive: true, mode: 0o755 });
    stateStore(dir);
    expect(statSync(dir).mode & 0o777).toBe(0o700);
  });

  test.each(['', '{', '[]', '{"server":"https://a/"}'])('says what to do when it is %j', (text) => {
    const store = stateStore(dir);
    writeFileSync(join(dir, 'state.json'), text);
    expect(() => store.read()).toThrow(/cannot be read .*: enroll this machine again/);
  });
});

describe('waiting reports', () => {
  test('are there after a restart, oldest first, but for those that were forgotten', () => {
    const spool = fileSpool(dir);
    for (const minute of [0, 1, 2]) spool.add(report(minute));
    spool.drop(1);
    const again = fileSpool(dir);
    expect(again.size()).toBe(2);
    expect(again.oldest(10)).toEqual([report(1), report(2)]);
    again.drop(2);
    expect(readdirSync(join(dir, 'waiting'))).toEqual([]);
  });

  test('give up the oldest after a day of them', () => {
    const spool = fileSpool(dir);
    for (let minute = 0; minute < 290; minute++) spool.add(report(minute));
    expect(spool.size()).toBe(288);
    expect(spool.oldest(1)).toEqual([report(2)]);
  });

  test('that a power cut left broken cost themselves only', () => {
    fileSpool(dir).add(report(0));
    writeFileSync(join(dir, 'waiting/2026-01-01T0000.json'), '{"version":2,"coll');
    const spool = fileSpool(dir);
    expect(spool.oldest(10)).toEqual([report(0)]);
    expect(spool.size()).toBe(1);
  });
});
