import { describe, expect, test } from 'vitest';
import {
  type Approval,
  type ApprovalParty,
  answerApproval,
  closeApproval,
} from '../../../src/domain/healing/approval.ts';

const NOW = new Date('2026-03-02T09:00:00Z');
const party = (id: string, kind: ApprovalParty['kind'] = 'human') => ({ id, name: id, kind, via: 'slack' });
const asked = (more: Partial<Approval> = {}): Approval => ({
  id: 'a',
  kind: 'tool',
  status: 'pending',
  question: '?',
  plan: {},
  tool: 't',
  input: {},
  hostname: null,
  alertId: null,
  subjectId: null,
  requester: party('key:m', 'model'),
  requestedAt: NOW,
  expiresAt: new Date(NOW.getTime() + 60_000),
  requiredApprovals: 1,
  answers: [],
  decidedAt: null,
  execution: 'none',
  outcome: null,
  settledAt: null,
  version: 0,
  ...more,
});
const yes = (approval: Approval, by = party('ann')) => answerApproval(approval, by, 'approve', null, NOW);
const no = (approval: Approval, by = party('ann')) => answerApproval(approval, by, 'deny', 'busy', NOW);

describe('an answer', () => {
  test('of one person decides, and leaves the call due', () =>
    expect(yes(asked())).toMatchObject({
      approval: { status: 'approved', execution: 'due', decidedAt: NOW, answers: [{ by: 'ann' }] },
    }));

  test('of no ends it, even where two have to agree', () =>
    expect(no(asked({ requiredApprovals: 2 }))).toMatchObject({ approval: { status: 'denied', execution: 'none' } }));

  test('of a second person is needed where two have to agree', () => {
    const first = yes(asked({ requiredApprovals: 2 })) as { approval: Approval };
    expect(first.approval).toMatchObject({ status: 'pending', decidedAt: null, execution: 'none' });
    expect(yes(first.approval)).toMatchObject({ refused: 'denied' });
    expect(yes(first.approval, party('bob'))).toMatchObject({ approval: { status: 'approved' } });
  });

  test.each([
    ['a model', asked(), party('key:x', 'model'), 'denied'],
    ['a job', asked(), party('job:x', 'job'), 'denied'],
    ['the service', asked(), party('x', 'system'), 'denied'],
    ['whoever asked', asked({ requester: party('ann') }), party('ann'), 'denied'],
    ['anybody once it is over', asked({ expiresAt: NOW }), party('ann'), 'conflict'],
    ['anybody once it is decided', asked({ status: 'denied' }), party('ann'), 'conflict'],
  ] as const)('is not taken from %s', (_name, approval, by, refused) => {
    expect(yes(approval, by)).toMatchObject({ refused });
    expect(no(approval, by)).toMatchObject({ refused });
  });
});

test('the person behind a program that asked may answer', () =>
  expect(yes(asked(), party('key:m'))).toMatchObject({ approval: { status: 'approved' } }));

test('one that expired leaves nothing to run', () =>
  expect(closeApproval(asked(), 'expired', NOW)).toMatchObject({
    status: 'expired',
    execution: 'none',
    decidedAt: NOW,
  }));
