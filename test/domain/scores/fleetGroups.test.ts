import { describe, expect, test } from 'vitest';
import { type FleetMember, fleetGroups, groupKeys } from '../../../src/domain/scores/fleetGroups.ts';

const member = (more: Partial<FleetMember>): FleetMember => ({
  persona: 'general',
  osPlatform: 'linux',
  criticalityTier: 2,
  tags: {},
  score: 90,
  scoreStatus: 'healthy',
  ...more,
});

describe('groups of the fleet', () => {
  test('have their figures, the lowest average first and those without a score last', () => {
    const members = [
      member({ persona: 'tech', score: 95 }),
      member({ persona: 'developer', score: 50, scoreStatus: 'at_risk' }),
      member({ persona: 'developer', score: 70 }),
      member({ persona: 'executive', score: 80, scoreStatus: 'unreachable' }),
    ];
    expect(fleetGroups(members, 'persona')).toMatchObject([
      { name: 'developer', total: 2, scored: 2, averageScore: 60, counts: { at_risk: 1, healthy: 1 } },
      { name: 'tech', averageScore: 95 },
      { name: 'executive', total: 1, scored: 0, averageScore: null, counts: { unreachable: 1 } },
    ]);
  });

  test('by a tag keep those without it together, whatever names objects have of their own', () => {
    const members = [member({ tags: { dept: 'sales' } }), member({}), member({ tags: { site: 'HQ' } })];
    expect(fleetGroups(members, 'dept').map(({ name, total }) => [name, total])).toEqual([
      ['none', 2],
      ['sales', 1],
    ]);
    expect(fleetGroups(members, 'constructor').map(({ name }) => name)).toEqual(['none']);
  });

  test('are offered by tags that machines share, and by none that sets each apart', () => {
    const members = [1, 2, 3].map((serial) => member({ tags: { dept: 'sales', serial: String(serial) } }));
    expect(groupKeys(members)).toEqual(['persona', 'os_platform', 'criticality_tier', 'dept']);
  });
});
