import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import {
  type AgentProfile,
  AgentProfilesFile,
  MAX_STEPS,
  McpServersFile,
  needsApproval,
  toolsOf,
} from '../../../src/core/planner/agentProfiles.ts';
import type { Effect } from '../../../src/core/tool.ts';
import { declarationOf, SIGNAL_NAMES, wireName } from '../../../src/domain/signals/catalogue.ts';
import { profileOf } from '../../helpers/plannerWorld.ts';

const file = (name: string): unknown =>
  parse(readFileSync(new URL(`../../../config/${name}`, import.meta.url), 'utf8'));
const shipped = AgentProfilesFile.parse(file('agent_profiles.yaml'));
const servers = McpServersFile.parse(file('mcp_servers.yaml'));
const tool = (name: string, effect: Effect = 'read') => ({ name, effect, description: '', inputSchema: {} });

describe('the shipped files', () => {
  it('hold the four profiles, connected only to servers that are configured', () => {
    expect([...shipped.keys()]).toEqual(['default', 'dex_proactive', 'dex_triage', 'dex_report']);
    for (const { servers: names } of shipped.values()) {
      expect(names.filter((name) => !servers.has(name))).toEqual([]);
    }
  });

  it('let nothing but a scan be changed without a human', () => {
    const writes = [...shipped.values()].flatMap(({ allowWrites }) => allowWrites);
    expect(writes).toEqual(['dexops__scan_endpoint']);
  });

  it('have the scanning agent return every metric of a snapshot, null where it was not measured', () => {
    const { schema, validator } = shipped.get('dex_proactive')!.answer;
    const guide = SIGNAL_NAMES.filter((name) => declarationOf(name).guide).map(wireName);
    expect(schema.required).toEqual(expect.arrayContaining(guide));
    const blank = Object.fromEntries((schema.required as string[]).map((name) => [name, null]));
    const unreachable = {
      ...blank,
      hostname: 'dev-01',
      reachable: false,
      unreachable_reason: 'no route',
      unmeasured: guide.map((metric) => ({ metric, reason: 'endpoint not reachable' })),
    };
    expect(validator.safeParse(unreachable).success).toBe(true);
    expect(validator.safeParse({ ...unreachable, cpu_pct: 101 }).success).toBe(false);
    expect(validator.safeParse({ ...unreachable, score: 80 }).success).toBe(false);
  });
});

describe('a profile', () => {
  const approval = (profile: AgentProfile, name: string, effect: Effect) => needsApproval(profile, tool(name, effect));

  it('asks a human for writes it does not allow, for all that destroys, and for what it lists', () => {
    const profile = profileOf({ allow_writes: ['dexops__ack*'], needs_approval: ['dexops__get_secret'] });
    expect(approval(profile, 'dexops__get_score', 'read')).toBe(false);
    expect(approval(profile, 'dexops__get_secret', 'read')).toBe(true);
    expect(approval(profile, 'dexops__acknowledge', 'write')).toBe(false);
    expect(approval(profile, 'dexops__resolve', 'write')).toBe(true);
    expect(approval(profile, 'dexops__ack_wipe', 'destructive')).toBe(true);
  });

  it('sees tools by name or beginning, of its own servers only', () => {
    const profile = profileOf({ tools: ['dexops__get_*', 'dexops__scan'] });
    const there = ['dexops__get_a', 'dexops__scan', 'dexops__scan_all', 'other__get_a'].map((name) => tool(name));
    expect(toolsOf(profile, there).map(({ name }) => name)).toEqual(['dexops__get_a', 'dexops__scan']);
  });

  it.each([
    ['more steps than the guide allows', { limits: { steps: MAX_STEPS + 1, tokens: 1, cost_usd: 1, seconds: 1 } }],
    ['a tool of a server it is not connected to', { tools: ['other__x'] }],
    ['a pattern that would match everything', { tools: ['*'] }],
    ['a schema that is none', { answer: { type: 'banana' } }],
    ['a field nobody knows', { allow_everything: true }],
  ])('may not have %s', (_what, changes) => {
    expect(() => profileOf(changes)).toThrow();
  });
});
