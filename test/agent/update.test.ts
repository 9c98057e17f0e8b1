/** When the agent takes a version for newer, and when it goes back. */
import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type AgentState, stateStore } from '../../src/agent/state.ts';
import { chosenBundle, isNewer, isOnTrial, signedText } from '../../src/agent/update.ts';

test.each([
  ['1.2.0', '1.1.9', true],
  ['1.10.0', '1.9.0', true],
  ['1.2', '1.2.0', false],
  ['1.2.0', '1.2.0', false],
  ['1.1.0', '1.2.0', false],
  ['1.2.0', '1.2.0-rc1', true],
  ['1.2.0-rc1', '1.2.0', false],
])('%s is newer than %s: %s', (a, b, newer) => expect(isNewer(a, b)).toBe(newer));

describe('an update that was taken', () => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const updateKey = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const text = 'export const main = () => 0;';
  const sha256 = createHash('sha256').update(text).digest('hex');
  const taken = (version: string, more: object = {}) => ({
    version,
    sha256,
    signature: sign(null, signedText(version, sha256), privateKey).toString('base64'),
    starts: 0,
    reports: 0,
    ...more,
  });
  let dir: string;
  const said: string[] = [];
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'dexops-update-'));
    mkdirSync(join(dir, 'updates'));
    writeFileSync(join(dir, 'updates/agent-source.1.mjs'), text);
    said.length = 0;
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));
  const chosen = (update: AgentState['update'], more: Partial<AgentState> = {}) => {
    const store = stateStore(dir);
    const state = {
      server: 'https://a/',
      token: 't',
      machineId: null,
      isPrivate: false,
      renewTokenAtMs: 0,
      failedVersions: [],
    };
    store.write({ ...state, updateKey, update, ...more });
    return { bundle: chosenBundle(dir, store, (line) => said.push(line)), state: store.read(), store };
  };

  test('is started, and each start is counted until it has reported twice', () => {
    const first = chosen(taken('source.1'));
    expect(first.bundle?.pathname).toMatch(/agent-source\.1\.mjs$/);
    expect(first.state?.update?.starts).toBe(1);
    expect(isOnTrial(first.store)).toBe(true);
    const kept = chosen(taken('source.1', { starts: 1, reports: 2 }));
    expect(kept.state?.update?.starts).toBe(1);
    expect(isOnTrial(kept.store)).toBe(false);
  });

  test.each([
    ['has had its starts', taken('source.1', { starts: 3, reports: 1 }), {}],
    ['was signed for another version', { ...taken('source.1'), signature: taken('source.2').signature }, {}],
    ['has another text than was signed', { ...taken('source.1'), sha256: 'f'.repeat(64) }, {}],
    ['has no key to be checked by', taken('source.1'), { updateKey: null }],
    ['is not there', taken('source.3'), {}],
  ])('is given up for good when it %s', (_, update, more) => {
    const { bundle, state } = chosen(update, more);
    expect(bundle).toBeNull();
    expect(state).toMatchObject({ update: null, failedVersions: [update.version] });
    expect(said.join()).toMatch(/going back from version/);
  });

  test('is forgotten, and not as a failure, once the installed agent is no older', () => {
    expect(chosen(taken('source'))).toMatchObject({ bundle: null, state: { update: null, failedVersions: [] } });
  });
});
