/** The remediation map as a file: what is refused, and that the last good one stays. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { reloadedFile } from '../../../src/adapters/reloadedFile.ts';
import { RemediationFile } from '../../../src/core/healing/remediationMap.ts';
import { keptLog } from '../../helpers/log.ts';

const dir = mkdtempSync(join(tmpdir(), 'dexops-map-'));
afterAll(() => rmSync(dir, { recursive: true }));
const file = join(dir, 'map.yaml');
const GOOD = 'remediation_map: { A: { action: ticket } }\n';

const BROKEN: [string, string, RegExp][] = [
  ['an unknown action', 'remediation_map: { A: { action: reboot } }', /A\.action/],
  [
    'a path as playbook',
    'remediation_map: { A: { action: ansible, playbook: ../../etc/passwd } }',
    /name of a playbook/,
  ],
  ['an absolute playbook', 'remediation_map: { A: { action: ansible, playbook: /etc/passwd } }', /name of a playbook/],
  ['no playbook', 'remediation_map: { A: { action: ansible } }', /playbook belongs/],
  ['a service for a ticket', 'remediation_map: { A: { action: ticket, service: cron } }', /service belongs/],
  ['duplicate keys', 'remediation_map:\n  A: { action: ticket }\n  A: { action: ticket }\n', /not YAML/],
  ['an unknown key', 'remediation_map: { A: { action: ticket, requires_aproval: true } }', /requires_aproval/],
  ['a cooldown without a unit', 'remediation_map: { A: { action: ticket, cooldown: 30 } }', /cooldown/],
  ['a cycle', 'remediation_map: &all\n  A: { action: ticket, match: *all }\n', /wrong|not YAML/],
  [
    'a bomb of aliases',
    `a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [${'*a,'.repeat(10)}]\nc: &c [${'*b,'.repeat(10)}]\nd: [${'*c,'.repeat(10)}]\n`,
    /not YAML|wrong/,
  ],
  ['10 MB', `# ${'x'.repeat(10_000_000)}\n${GOOD}`, /at most/],
  ['something that is no map', '- 1\n', /wrong/],
  ['nothing', '', /wrong/],
];

test('the limits and windows that are absent have their defaults', () =>
  expect(RemediationFile.parse({ remediation_map: {} })).toMatchObject({
    limits: { perHostPerDay: 6, fleet: { remediations: 20, failures: 5, windowMs: 3_600_000 } },
    maintenance: [],
  }));

test('times and days are read', () =>
  expect(
    RemediationFile.parse({
      remediation_map: { A: { action: 'restart', service: 'x', cooldown: '2h' } },
      maintenance: [{ days: ['sat', 'sun'], from: '22:00', to: '04:30', tier: [1] }],
    }),
  ).toMatchObject({
    map: new Map([['A', expect.objectContaining({ cooldownMs: 7_200_000 })]]),
    maintenance: [{ days: [6, 0], fromMinute: 1320, toMinute: 270, tier: [1] }],
  }));

describe.each(BROKEN)('%s', (_name, text, problem) => {
  test('is refused, and the last good map stays', () => {
    writeFileSync(file, GOOD);
    let nowMs = 0;
    const refused: string[] = [];
    const map = reloadedFile(file, RemediationFile, {
      log: keptLog(),
      onRefused: (reason) => refused.push(reason),
      nowMs: () => nowMs,
    });
    writeFileSync(file, text);
    nowMs += 1500;
    expect([...map.current().map.keys()]).toEqual(['A']);
    expect(refused).toEqual([expect.stringMatching(problem)]);
  });
});
