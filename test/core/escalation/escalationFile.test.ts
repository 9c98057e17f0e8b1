/** config/escalation.yaml: harmless as shipped, and its mistakes named with their line. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { reloadedFile } from '../../../src/adapters/reloadedFile.ts';
import { EscalationFile } from '../../../src/core/escalation/escalationFile.ts';
import { PROJECT_DIR } from '../../../src/projectDir.ts';
import { keptLog } from '../../helpers/log.ts';

describe('config/escalation.yaml', () => {
  it('as shipped reaches nobody', () => {
    const { current } = reloadedFile(join(PROJECT_DIR, 'config/escalation.yaml'), EscalationFile, { log: keptLog() });
    expect(current()).toEqual({ timeZone: null, rotations: new Map(), policies: [] });
  });

  it.each([
    ['rotations: { a: { start: yesterday, people: [U012] } }', /line 1, rotations\.a\.start: must be a local time/],
    ['policies:\n  - name: p\n    steps:\n      - mention: [bob]', /line 4, .*"bob" is nobody; write a Slack user id/],
    [
      'rotations: { workplace: { start: "2026-01-01 09:00", people: [U012] } }\npolicies:\n  - name: p\n    steps:\n      - mention: ["rotation:workplce"]',
      /line 5, .*policy "p" names rotation:workplce, which does not exist; did you mean workplace\?/,
    ],
    [
      'policies:\n  - name: p\n    steps:\n      - { after: 10m, direct: [U012] }\n      - { after: 5m, direct: [U012] }',
      /line 5, .*comes before the step above/,
    ],
    ['policies:\n  - name: p\n    steps: [{ after: soon, direct: [U012] }]', /line 3, .*"soon" is no time/],
    ['policies:\n  - name: p\n    steps: [{ after: 5m }]', /names nobody: give mention or direct/],
    ['policies: [', /is not YAML/],
  ])('says what is wrong and in which line: %s', (text, problem) => {
    const dir = mkdtempSync(join(tmpdir(), 'dexops-escalation-'));
    const path = join(dir, 'escalation.yaml');
    writeFileSync(path, text);
    expect(() => reloadedFile(path, EscalationFile, { log: keptLog() })).toThrow(problem);
    rmSync(dir, { recursive: true });
  });
});
