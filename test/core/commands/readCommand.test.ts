import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { helpText, helpTopics, toolHelpText } from '../../../src/core/commands/commandHelp.ts';
import { didYouMean, typingDistance } from '../../../src/core/commands/didYouMean.ts';
import { usage } from '../../../src/core/commands/fields.ts';
import { readCommand, splitCommand } from '../../../src/core/commands/readCommand.ts';
import { defineTool } from '../../../src/core/tool.ts';
import { TOOLS } from '../../../src/core/tools/index.ts';

const snooze = defineTool({
  name: 'snooze_alert',
  title: 'Snooze an alert',
  effect: 'write',
  reach: 'shared',
  description: 'Quiet for a while.',
  command: { name: 'snooze', args: ['alert_id', 'hours'], example: 'snooze 42 4h' },
  input: z.strictObject({
    alert_id: z.coerce.number().int(),
    hours: z.coerce.number().default(4),
    quietly: z.boolean().optional(),
    note: z.string().nullish(),
    labels: z.array(z.string()).optional(),
  }),
  output: z.object({}),
  run: async () => ({}),
  summary: () => '',
});
const search = defineTool({
  name: 'find_pages',
  title: 'Find pages',
  effect: 'read',
  reach: 'shared',
  description: 'By words.',
  command: { name: 'pages', args: ['k', 'query'], sentence: true, example: 'pages 3 disk is full' },
  input: z.strictObject({ k: z.coerce.number(), query: z.string() }),
  output: z.object({}),
  run: async () => ({}),
  summary: () => '',
});
const tools = [...TOOLS, snooze, search];

function call(line: string) {
  const reading = readCommand(splitCommand(line), tools);
  return reading.kind === 'call' ? { tool: reading.tool.name, ...reading.input } : reading;
}

describe('splitWords', () => {
  it.each([
    ['score  dev-01 ', ['score', 'dev-01']],
    ['ack 42 --note "out for lunch"', ['ack', '42', '--note', 'out for lunch']],
    ['ack note=“smart quotes”', ['ack', 'note=smart quotes']],
    ["why is alice's laptop slow", ['why', 'is', "alice's", 'laptop', 'slow']],
    ['note="never closed', ['note=never closed']],
    ['a "" b', ['a', '', 'b']],
    ['', []],
  ])('%s', (line, words) => expect(splitCommand(line)).toEqual(words));
});

describe('readCommand', () => {
  it.each([
    ['score dev-01', { tool: 'get_score', hostname: 'dev-01' }],
    ['SCORE hostname=dev-01', { tool: 'get_score', hostname: 'dev-01' }],
    ['scan all', { tool: 'scan_fleet' }],
    ['scan_all', { tool: 'scan_fleet' }],
    ['history dev-01 --limit 5', { tool: 'get_score_history', hostname: 'dev-01', limit: 5 }],
    ['history —limit=5 dev-01', { tool: 'get_score_history', hostname: 'dev-01', limit: 5 }],
    ['snooze #42 4h', { tool: 'snooze_alert', alert_id: 42, hours: 4 }],
    ['snooze 42 30m', { tool: 'snooze_alert', alert_id: 42, hours: 0.5 }],
    ['snooze hours=2d 42', { tool: 'snooze_alert', alert_id: 42, hours: 48 }],
    ['snooze 42 --quietly', { tool: 'snooze_alert', alert_id: 42, quietly: true }],
    ['snooze --quietly no 42', { tool: 'snooze_alert', alert_id: 42, quietly: false }],
    ['snooze 42 note=none', { tool: 'snooze_alert', alert_id: 42, note: null }],
    ['snooze 42 --labels a,b --labels c', { tool: 'snooze_alert', alert_id: 42, labels: ['a', 'b', 'c'] }],
    ['alerts critical', { tool: 'list_alerts', severity: 'critical' }],
    ['alerts dev-01 CRITICAL', { tool: 'list_alerts', severity: 'critical', hostname: 'dev-01' }],
    ['alerts all', { tool: 'list_alerts', status: 'all' }],
    ['alerts needs-human warn', { tool: 'list_alerts', status: 'needs_human', severity: 'warning' }],
    ['alerts --severity Warning', { tool: 'list_alerts', severity: 'warning' }],
    ['endpoints stale Developer', { tool: 'list_endpoints', state: 'stale', persona: 'developer' }],
    ['acknowledge 42', { tool: 'acknowledge_alert', alert_id: 42 }],
    ['approve 01J', { tool: 'decide_approval', approval_id: '01J', decision: 'approve' }],
    ['decide 01J yes', { tool: 'decide_approval', approval_id: '01J', decision: 'approve' }],
    ['decide 01J no too risky', { tool: 'decide_approval', approval_id: '01J', decision: 'deny', reason: 'too risky' }],
    ['deny 01J too risky', { tool: 'decide_approval', approval_id: '01J', decision: 'deny', reason: 'too risky' }],
    ['resolve 1 disk replaced', { tool: 'resolve_alert', alert_id: 1, reason: 'disk replaced' }],
    ['pages 3 disk is full', { tool: 'find_pages', k: 3, query: 'disk is full' }],
    [
      'register web-01 10.0.0.7 --collector ssh --username root --options.port 2222 tags=team=web,site=berlin',
      {
        tool: 'register_endpoint',
        hostname: 'web-01',
        ip_address: '10.0.0.7',
        collector: 'ssh',
        options: { username: 'root', port: 2222 },
        tags: { team: 'web', site: 'berlin' },
      },
    ],
  ])('%s', (line, expected) => expect(call(line)).toEqual(expected));

  it('leaves names of things to whoever looks them up', () => {
    expect(call('snooze 4h')).toEqual({ tool: 'snooze_alert', alert_id: '4h' });
    expect(call('ack alice-laptop')).toEqual({ tool: 'acknowledge_alert', alert_id: 'alice-laptop' });
  });

  it('finds help, about everything or about one command', () => {
    for (const line of ['', 'help', '?', '--help'])
      expect(call(line)).toEqual({ kind: 'help', tool: null, topic: null });
    for (const line of ['help score', 'score --help', 'score dev-01 -h'])
      expect(call(line)).toMatchObject({ kind: 'help', tool: { name: 'get_score' } });
    expect(call('help healing')).toMatchObject({ kind: 'help', tool: null, topic: 'healing' });
    expect(call('help all')).toMatchObject({ kind: 'help', tool: null, topic: 'all' });
    expect(call('help scroe')).toMatchObject({ kind: 'unknown', word: 'scroe' });
  });

  it('suggests what was probably meant', () => {
    expect(call('scroe dev-01')).toEqual({ kind: 'unknown', word: 'scroe', suggestions: ['score'] });
    expect(call('hist dev-01')).toMatchObject({ suggestions: ['history'] });
    expect(call('xyzzy')).toEqual({ kind: 'unknown', word: 'xyzzy', suggestions: [] });
  });

  it.each([
    ['score', 'score needs a hostname.', ['hostname']],
    ['snooze', 'snooze needs an alert number.', ['alert_id']],
    ['score a b', 'score HOSTNAME has no place for "b". Put words that belong together in quotes.', []],
    ['snooze 42 soon', '"soon" is no number for hours.', []],
    ['alerts --severity critcal', '"critcal" is no severity. Did you mean critical?', []],
    ['history a --limti 5', 'history has no option --limti. Did you mean --limit?', []],
    ['fleet --zzz', 'fleet has no option --zzz. It has: worst, group, group_by.', []],
    ['scan-all --zzz', 'scan-all has no option --zzz.', []],
    ['register a --persona', '--persona needs a value: one of developer, salesperson, executive, tech, general.', []],
    ['history a --limit --help2', '--limit needs a value.', []],
  ])('says what is wrong with: %s', (line, problem, missing) =>
    expect(call(line)).toMatchObject({ kind: 'mistake', problem, missing }),
  );

  it('does not let words reach the prototype of an object', () => {
    expect(call('score dev-01 --__proto__ x')).toMatchObject({ kind: 'mistake' });
    expect(call('register a tags=__proto__=x')).toMatchObject({ tool: 'register_endpoint' });
    expect(({} as Record<string, unknown>).x).toBeUndefined();
  });
});

describe('help', () => {
  it('lists every command once, with its example, under a topic', () => {
    const listed = helpTopics(tools).flatMap((topic) => topic.tools.map(({ name }) => name));
    expect(listed.toSorted()).toEqual(
      tools
        .filter(({ command }) => command)
        .map(({ name }) => name)
        .toSorted(),
    );
    expect(helpText(tools, 'slack')).toContain('  /dex score dev-machine-01    Show a score');
  });

  it('shows usage, options and allowed values of one', () => {
    expect(usage(snooze)).toBe('snooze ALERT_ID [HOURS]');
    expect(toolHelpText(tools[0]!, tools, 'slack')).toMatch(/--persona {2}developer \| salesperson/);
  });

  it('has examples that are themselves good commands', () => {
    for (const tool of tools.filter(({ command }) => command)) {
      const reading = readCommand(splitCommand(tool.command!.example), tools);
      expect(reading, tool.name).toMatchObject({ kind: 'call', tool: { name: tool.name } });
      expect(tool.input.safeParse(reading.kind === 'call' && reading.input).error, tool.name).toBeUndefined();
    }
  });
});

describe('didYouMean', () => {
  it('counts slips, a swap of neighbours as one', () => {
    expect(typingDistance('scroe', 'score')).toBe(1);
    expect(typingDistance('', 'abc')).toBe(3);
    expect(typingDistance('kitten', 'sitting')).toBe(3);
  });
  it('puts the nearest first', () =>
    expect(didYouMean('acc', ['act', 'accept', 'ack'])).toEqual(['accept', 'ack', 'act']));
});
