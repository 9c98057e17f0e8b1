import { describe, expect, test } from 'vitest';
import {
  decideRemediation,
  fillTemplate,
  type HealingMode,
  type Remediation,
  type RemediationEntry,
  type RemediationPlan,
  unaskedRemediations,
} from '../../../src/domain/healing/remediation.ts';
import {
  breakerReason,
  DEFAULT_LIMITS,
  guardReason,
  inMaintenance,
} from '../../../src/domain/healing/remediationGuards.ts';
import { alertOf, endpointOf } from '../../helpers/facts.ts';

const DISK: RemediationEntry = { action: 'ansible', playbook: 'cleanup_disk' };
const RESTART: RemediationEntry = { action: 'restart', service: '{{ labels.service }}' };
const decide = (
  entry: RemediationEntry,
  { alert = {}, endpoint = {}, mode = 'as_mapped' }: { alert?: object; endpoint?: object; mode?: HealingMode } = {},
) => decideRemediation(new Map([['DiskFull', entry]]), alertOf(alert), endpointOf(endpoint), mode);

describe('the decision', () => {
  test('runs what is mapped', () =>
    expect(decide(DISK)).toMatchObject({
      kind: 'run',
      plan: { playbook: 'cleanup_disk', variables: {}, requiredApprovals: 0 },
    }));

  test.each([
    ['absent, tier 2', undefined, 2, 0],
    ['absent, tier 1', undefined, 1, 2],
    ['true, tier 3', true, 3, 1],
    ['true, tier 1', true, 1, 2],
    ['false, tier 1', false, 1, 0],
  ] as const)('requires_approval %s', (_name, requiresApproval, criticalityTier, requiredApprovals) =>
    expect(decide({ ...DISK, requiresApproval }, { endpoint: { criticalityTier } })).toMatchObject({
      plan: { requiredApprovals },
    }),
  );

  test('one setting makes every plan ask, whatever the map says', () => {
    const asked = decide(
      { ...DISK, requiresApproval: false },
      { mode: 'always_ask', endpoint: { criticalityTier: 3 } },
    );
    expect(asked).toMatchObject({ plan: { requiredApprovals: 1 } });
  });

  test('what may run unasked is listed: no ticket, and nothing that always asks', () => {
    const map = new Map<string, RemediationEntry>([
      ['DiskFull', { ...DISK, requiresApproval: false }],
      ['ServiceDown', RESTART],
      ['HighMemory', { action: 'clear_cache', requiresApproval: true }],
      ['KernelPanic', { action: 'ticket' }],
    ]);
    expect(unaskedRemediations(map, 'as_mapped')).toEqual([
      { alertName: 'DiskFull', playbook: 'cleanup_disk' },
      { alertName: 'ServiceDown', playbook: 'restart_service' },
    ]);
    expect(unaskedRemediations(map, 'always_ask')).toEqual([]);
    expect(unaskedRemediations(map, 'off')).toEqual([]);
  });

  test.each([
    [
      'an alert that is not mapped',
      decide(DISK, { alert: { alertName: 'Other' } }),
      'no remediation is mapped for Other',
    ],
    ['off', decide(DISK, { mode: 'off' }), 'self-healing is off'],
    ['a ticket', decide({ action: 'ticket', severity: 'info' }, { mode: 'off' }), 'gives it to a person'],
    ['another persona', decide({ ...DISK, match: { persona: ['tech'] } }), 'the persona is developer'],
    ['another tier', decide({ ...DISK, match: { tier: [3] } }), 'the tier is 2'],
    ['another label', decide({ ...DISK, match: { labels: { env: ['prod'] } } }), 'its label env is absent'],
    [
      'a label that objects have by nature',
      decide({ ...RESTART, service: '{{ labels.constructor }}' }),
      'has no value',
    ],
    [
      'a template of a source that is none',
      decide({ ...RESTART, service: '{{ env.API_KEY }}' }),
      'no template of ours',
    ],
    ['a template statement', decide({ ...RESTART, service: '{% for x in y %}' }), 'no template of ours'],
  ])('gives %s to a person', (_name, decision, why) =>
    expect(decision).toMatchObject({ kind: 'human', why: expect.stringContaining(why) }),
  );

  test('takes the severity of a ticket from the map', () =>
    expect(decide({ action: 'ticket', severity: 'info' })).toMatchObject({ severity: 'info' }));
});

describe('values from outside', () => {
  test.each(['cron', 'cups.service', 'openvpn-client@office', 'W32Time'])('a service may be %s', (service) =>
    expect(decide(RESTART, { alert: { labels: { service } } })).toMatchObject({
      plan: { variables: { service_name: service } },
    }),
  );

  test.each(['', 'x; rm -rf /', '../../etc/passwd', '-h', 'a b', '$(id)', 'a\nb', '{{ 1 }}', 'x'.repeat(101)])(
    'a service may not be %j',
    (service) => expect(decide(RESTART, { alert: { labels: { service } } })).toMatchObject({ kind: 'human' }),
  );

  const cleaning = (mountpoint: string) =>
    decide(
      { ...DISK, variables: { cleanup_paths: ['{{ labels.mountpoint }}'], temp_keep_days: 0 } },
      { alert: { labels: { mountpoint } } },
    );
  test('a folder to clean may be a scratch disk', () =>
    expect(cleaning('/mnt/scratch')).toMatchObject({
      plan: { variables: { cleanup_paths: ['/mnt/scratch'], temp_keep_days: 0 } },
    }));
  test.each(['/', '/etc', '/mnt/../etc', '/mnt/a/..', 'mnt/x', '/mnt/*', '/mnt/a b'])(
    'a folder to clean may not be %s',
    (path) => expect(cleaning(path)).toMatchObject({ kind: 'human' }),
  );

  test('what was filled in is not read as a template again', () =>
    expect(fillTemplate('{{ labels.a }}', alertOf({ labels: { a: '{{ labels.b }}', b: 'x' } }), endpointOf())).toEqual({
      value: '{{ labels.b }}',
    }));
});

describe('guards', () => {
  const NOW = new Date('2026-03-02T09:00:00Z');
  const plan: RemediationPlan = {
    action: 'ansible',
    playbook: 'cleanup_disk',
    variables: {},
    cooldownMs: 7_200_000,
    maxPerDay: 2,
    requiredApprovals: 0,
  };
  const past = (hoursAgo: number, more: Partial<Remediation> = {}): Remediation => {
    const at = new Date(NOW.getTime() - hoursAgo * 3_600_000);
    return {
      id: 'r',
      alertId: 1,
      alertName: 'DiskFull',
      endpointId: 1,
      hostname: 'pc-1',
      action: 'ansible',
      playbook: 'cleanup_disk',
      variables: {},
      dryRun: false,
      status: 'fixed',
      reason: null,
      approvalId: null,
      requestedBy: 'job:healing',
      createdAt: at,
      startedAt: at,
      beganAt: at,
      finishedAt: at,
      playedAt: null,
      verifyBy: null,
      cancelledBy: null,
      ownerSaysFixed: null,
      ...more,
    };
  };
  const guard = (...history: Remediation[]) => guardReason(plan, history, DEFAULT_LIMITS, NOW);

  test.each([
    ['nothing before', [], null],
    ['one within the cooldown', [past(1)], 'cooldown goes on for 60 min'],
    ['one just after the cooldown', [past(2)], null],
    ['one within the cooldown that never ran', [past(1, { status: 'denied' })], null],
    ['a preview', [past(0, { dryRun: true, status: 'previewed' })], null],
    ['one that waits', [past(30, { status: 'waiting_approval' })], 'under way'],
    ['two today', [past(3), past(20)], 'ran on it 2×'],
    ['one today and one yesterday', [past(3), past(25)], null],
    ['another playbook lately', [past(0.1, { playbook: 'clear_cache' })], null],
    [
      'six of all kinds today',
      Array.from({ length: 6 }, (_, n) => past(n + 3, { playbook: `p${n}` })),
      '6 remediations ran',
    ],
  ] as const)('%s', (_name, history, reason) => {
    const found = guard(...history);
    if (reason === null) expect(found).toBe(null);
    else expect(found).toContain(reason);
  });

  test('the breaker opens by failures or by sheer number', () => {
    expect(breakerReason({ remediations: 19, failures: 4 }, DEFAULT_LIMITS)).toBe(null);
    expect(breakerReason({ remediations: 5, failures: 5 }, DEFAULT_LIMITS)).toContain('did not help');
    expect(breakerReason({ remediations: 20, failures: 0 }, DEFAULT_LIMITS)).toContain('20 remediations');
  });

  test.each([
    ['2026-02-28T23:00:00Z', true],
    ['2026-03-01T03:59:00Z', true],
    ['2026-03-01T04:00:00Z', false],
    ['2026-02-28T21:59:00Z', false],
    ['2026-02-28T03:00:00Z', false],
  ])('a window from Saturday 22:00 to 04:00 holds at %s: %s', (at, expected) =>
    expect(inMaintenance([{ days: [6], fromMinute: 1320, toMinute: 240 }], endpointOf(), new Date(at))).toBe(expected),
  );

  test('a window holds for whom it is meant', () => {
    const always = { days: [0, 1, 2, 3, 4, 5, 6], fromMinute: 0, toMinute: 1439 };
    expect(inMaintenance([{ ...always, tier: [1] }], endpointOf(), NOW)).toBe(false);
    expect(inMaintenance([{ ...always, persona: ['developer'], tier: [2] }], endpointOf(), NOW)).toBe(true);
  });
});
