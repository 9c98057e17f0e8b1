/** Readers of what machines, people, models and other systems write: any text is read or refused, and what is kept is sane. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { usedPct } from '../../src/adapters/collectors/exporters/exporterReader.ts';
import { parseSamples, type Sample } from '../../src/adapters/collectors/exporters/prometheusText.ts';
import { complete, measuredTimestamp, toSnapshot, Unreachable } from '../../src/adapters/collectors/readings.ts';
import { readReport as readSshReport } from '../../src/adapters/collectors/ssh/report.ts';
import { parseUnits } from '../../src/adapters/collectors/systemdUnits.ts';
import { parseToolInput } from '../../src/adapters/llm/toolInput.ts';
import { readReport as readAnsibleReport } from '../../src/adapters/runners/ansibleReport.ts';
import { readCommand, splitCommand } from '../../src/core/commands/readCommand.ts';
import { parseAnswer } from '../../src/core/planner/answer.ts';
import { answerText } from '../../src/core/planner/answerText.ts';
import { wrapUntrusted } from '../../src/core/planner/untrustedText.ts';
import { agentSnapshotWire, snapshotFromWire } from '../../src/core/scans/agentSnapshot.ts';
import { TOOLS } from '../../src/core/tools/index.ts';
import { readAlert } from '../../src/domain/alerts/alertmanager.ts';
import { takenTicketIn } from '../../src/domain/alerts/ticketMapping.ts';
import { forbiddenAddressReason, isValidHostname } from '../../src/domain/fleet/address.ts';
import { fillTemplate } from '../../src/domain/healing/remediation.ts';
import {
  factsOf,
  isDocId,
  MAX_SECTION_CHARS,
  sectionsOf,
  splitFrontMatter,
} from '../../src/domain/runbooks/runbook.ts';
import { snapshotToWire } from '../../src/domain/signals/agentReport.ts';
import { type Snapshot, sanitised } from '../../src/domain/signals/telemetry.ts';
import { writeTable } from '../../src/surfaces/http/table.ts';
import {
  escapeText,
  lineBlocks,
  MAX_BLOCKS,
  MAX_SECTION_CHARS as SLACK_SECTION_CHARS,
  unescapeTyped,
} from '../../src/surfaces/slack/cards/text.ts';
import { targetOf } from '../helpers/collecting.ts';
import { alertOf, endpointOf } from '../helpers/facts.ts';
import { flatOf, flatSnapshot } from '../helpers/flatSnapshot.ts';
import { anyText } from './schemaValues.ts';

const NOW = new Date('2026-03-02T09:00:00Z');
const anyLines = fc.array(fc.oneof(anyText, fc.string()), { maxLength: 20 }).map((lines) => lines.join('\n'));
/** What a page hands on: exporters also write NaN and infinities, and those count as not there. */
const anyNumber = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer(),
  fc.constantFrom(1e300, -0),
);

/** What a look may give: percentages within 0–100, counts and times that can be stored, or nothing. */
function expectSane(found: Snapshot): void {
  const snapshot = flatOf(found);
  for (const share of [snapshot.cpuPct, snapshot.memoryPct, snapshot.diskPct, snapshot.packetLossPct])
    if (share !== null) expect(share >= 0 && share <= 100, `a share of ${share}`).toBe(true);
  if (snapshot.logErrors !== null)
    expect(Number.isInteger(snapshot.logErrors) && snapshot.logErrors >= 0 && snapshot.logErrors < 2 ** 31).toBe(true);
  if (snapshot.bootedAt !== null) expect(snapshot.bootedAt.toISOString()).toMatch(/^\d{4}-/);
}

test('exporter text: any page is read', () => {
  const wanted = new Map([
    ['up', 'all'],
    ['node_load1', 'nonzero'],
  ] as const);
  fc.assert(
    fc.property(fc.oneof(anyLines, exporterText()), (text) => {
      const whole = new Map<string, Sample[]>();
      parseSamples(text, wanted, whole);
      const byLine = new Map<string, Sample[]>();
      for (const line of text.split('\n')) parseSamples(line, wanted, byLine);
      expect(byLine).toEqual(whole);
    }),
  );
});

test('exporter text: what was written comes back', () => {
  const sample = fc.record({
    labels: fc.dictionary(fc.stringMatching(/^[a-z_]{1,8}$/), fc.string({ unit: 'grapheme', maxLength: 20 }), {
      maxKeys: 4,
    }),
    value: fc.double(),
  });
  fc.assert(
    fc.property(fc.array(sample, { maxLength: 10 }), (samples) => {
      const found = new Map<string, Sample[]>();
      parseSamples(
        samples.map(({ labels, value }) => `up${written(labels)} ${prometheusNumber(value)}\n`).join(''),
        new Map([['up', 'all']] as const),
        found,
      );
      const read = (found.get('up') ?? []).map(({ labels, value }) => ({ labels: { ...labels }, value: value + 0 }));
      expect(read).toEqual(samples.map(({ labels, value }) => ({ labels: { ...labels }, value: value + 0 })));
    }),
  );
});

function exporterText(): fc.Arbitrary<string> {
  const line = fc.tuple(
    fc.constantFrom('up', 'node_load1', 'other', '# HELP up', ''),
    fc.constantFrom('', '{', '{}', '{a="b"}', '{a="b",}', '{a="\\"', '{a=b}', '{a="\\n\\\\\\q"}'),
    fc.constantFrom(' 1', ' NaN', ' +Inf', ' 1e3 1700000000', '', ' x', '\t-1', ' 0x10 # {trace="1"} 1'),
  );
  return fc.array(line.map((parts) => parts.join(''))).map((lines) => lines.join('\n'));
}

function written(labels: Record<string, string>): string {
  const escaped = (value: string) => value.replace(/[\\"\n]/g, (letter) => (letter === '\n' ? '\\n' : `\\${letter}`));
  return `{${Object.entries(labels)
    .map(([name, value]) => `${name}="${escaped(value)}"`)
    .join(',')}}`;
}

function prometheusNumber(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  return Number.isFinite(value) ? String(value) : value > 0 ? '+Inf' : '-Inf';
}

test('exporter numbers: any of them makes a snapshot that can be kept', () => {
  fc.assert(
    fc.property(anyNumber, anyNumber, anyNumber, (available, total, bootedAtS) => {
      const share = usedPct(available, total);
      const readings = complete(
        {
          cpuPct: share === null ? { missing: 'none' } : { value: share },
          memoryPct: share === null ? { missing: 'none' } : { value: share },
          bootedAt: measuredTimestamp(bootedAtS, 'none'),
        },
        'linux',
        () => 'none',
      );
      expectSane(toSnapshot(targetOf('node_exporter', {}), NOW, 5, readings));
    }),
  );
});

test('reports by SSH: any text is read or says why it is none', () => {
  const section = fc.tuple(
    fc.constantFrom(
      'os',
      'cpu',
      'memory',
      'disks',
      'mounts',
      'boot',
      'units',
      'no-units',
      'journal',
      'newest',
      'services',
    ),
    fc.oneof(
      anyText,
      fc.constantFrom(
        'Linux',
        'Darwin',
        'cpu 1 2 3 4 5\ncpu 1 2 3 9 9',
        'cpu\ncpu',
        'cpu x y\ncpu 1',
        'CPU usage: 500% idle\nx 500% idle',
      ),
      fc.tuple(fc.nat(), fc.nat()).map(([free, total]) => `MemAvailable: ${free} kB\nMemTotal: ${total} kB`),
      fc
        .bigInt({ min: 0n, max: 10n ** 30n })
        .map((count) => `btime ${count}\nentries ${count}\n{ sec = ${count}, usec = 0 }`),
      fc.tuple(fc.nat(), fc.nat(), fc.integer()).map((sizes) => `/dev/sda1 ${sizes.join(' ')} 50% /`),
      fc.constantFrom('/dev/sda1 / ext4 rw 0 0', '/dev/disk1 on / (apfs, local)'),
    ),
  );
  const os = fc.constantFrom('Linux', 'Darwin');
  const report = fc
    .tuple(os, fc.array(section))
    .map(
      ([system, sections]) =>
        `\n@@system ${system}\n${sections.map(([name, body]) => `\n@@${name}\n${body}\n@@=${name} 0 \n`).join('')}\n@@measured\n\n@@end\n`,
    );
  const services = fc.option(fc.array(fc.string({ minLength: 1 }), { maxLength: 3 }), { nil: undefined });
  fc.assert(
    fc.property(fc.oneof(anyLines, report), services, (text, wanted) => {
      try {
        const { collected, os } = readSshReport(text, ['hourly', 'daily'], { now: NOW, services: wanted });
        expectSane(
          toSnapshot(
            targetOf('ssh', {}),
            NOW,
            5,
            complete(collected, os, () => 'none'),
          ),
        );
      } catch (error) {
        expect(error).toBeInstanceOf(Unreachable);
      }
    }),
  );
});

test('lists of systemd units: any text is read', () => {
  fc.assert(fc.property(anyLines, (text) => void parseUnits(text)));
});

test('reports of Ansible: any output is a report or a reason', () => {
  const result = fc.record({ msg: fc.oneof(anyText, fc.jsonValue()), failed: fc.boolean() }, { requiredKeys: [] });
  const made = fc.record({
    plays: fc.array(
      fc.record({
        tasks: fc.array(
          fc.record({ task: fc.record({ name: anyText }), hosts: fc.dictionary(fc.constantFrom('pc-1', 'x'), result) }),
        ),
      }),
    ),
    custom_stats: fc.option(fc.dictionary(fc.constantFrom('pc-1', '_run'), fc.jsonValue()), { nil: undefined }),
  });
  const stdout = fc.oneof(
    anyLines,
    fc.jsonValue().map((value) => JSON.stringify(value)),
    made.map((value) => `[WARNING] x\n${JSON.stringify(value)}`),
  );
  fc.assert(
    fc.property(stdout, anyText, fc.option(fc.integer()), (stdout, stderr, code) => {
      const report = readAnsibleReport({ code, stdout, stderr }, 'pc-1');
      expect(report.ok ? report.reason : typeof report.reason).toBe(report.ok ? null : 'string');
    }),
  );
});

test('Alertmanager: anything is an alert with an end to its texts, or says why it is none', () => {
  const labels = fc.dictionary(
    fc.oneof(fc.constantFrom('alertname', 'instance', 'hostname', 'severity', '__proto__'), anyText),
    fc.oneof(anyText, fc.jsonValue()),
  );
  const time = fc.oneof(
    anyText,
    fc.date().map(String),
    fc.constantFrom('2026-03-02T08:59:00Z', '0001-01-01T00:00:00Z', 1e20, null),
  );
  const alert = fc.record(
    {
      status: fc.oneof(fc.constantFrom('firing', 'resolved'), anyText),
      labels,
      annotations: labels,
      startsAt: time,
      endsAt: time,
      fingerprint: fc.oneof(anyText, fc.jsonValue()),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fc.oneof(alert, fc.jsonValue()), fc.oneof(fc.constant('firing'), fc.jsonValue()), (raw, status) => {
      const read = readAlert(raw, { groupStatus: status, hostLabels: ['hostname', 'instance'], now: NOW });
      expect(read.alertName.length).toBeLessThanOrEqual(200);
      if ('reason' in read) return;
      expect(read.hosts.length).toBeGreaterThan(0);
      expect(() => read.what.startsAt?.toISOString()).not.toThrow();
      // No control character of a sender reaches a log, a card or a database.
      expect(JSON.stringify(read)).not.toMatch(/\\u00[01]/);
      expect(JSON.stringify(read).length).toBeLessThan(200_000);
    }),
  );
});

test('typed words: every line is a call, help, or a mistake that is named', () => {
  const commands = TOOLS.flatMap(({ command }) => command?.name ?? []);
  const word = fc.oneof(
    anyText,
    fc.constantFrom(
      ...commands,
      '--help',
      '--hours',
      'hours=4h',
      '"',
      '“',
      '—x',
      '--=',
      '#42',
      '4h',
      '-1d',
      'options.port=9',
      '__proto__=1',
    ),
  );
  const line = fc.array(word, { maxLength: 8 }).map((words) => words.join(' '));
  fc.assert(
    fc.property(line, (typed) => {
      const reading = readCommand(splitCommand(typed), TOOLS);
      expect(['call', 'help', 'unknown', 'mistake']).toContain(reading.kind);
      if (reading.kind === 'call') reading.tool.input.safeParse(reading.input);
      if (reading.kind === 'mistake') expect(reading.problem).not.toBe('');
    }),
  );
});

test('typed words: quoting keeps a word together, and durations mean what they say', () => {
  const words = fc.array(fc.stringMatching(/^[^"“”„'‘’=]{1,20}$/), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(words, (given) => {
      expect(splitCommand(given.map((word) => `"${word}"`).join(' '))).toEqual(given);
    }),
  );
  const unit = fc.constantFrom(['m', 1 / 60], ['h', 1], ['d', 24], ['w', 168] as const);
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1000 }), unit, (amount, [letter, hours]) => {
      const reading = readCommand(['ack', '7', `${amount}${letter}`], TOOLS);
      const input = reading.kind === 'call' ? reading.input : {};
      expect(input.alert_id).toBe(7);
      expect(input.hours).toBeCloseTo(amount * Number(hours), 9);
    }),
  );
});

test('host names and addresses: an answer for any text, and the same for every spelling', () => {
  fc.assert(
    fc.property(fc.oneof(anyText, fc.domain(), fc.stringMatching(/^[a-z0-9.-]{0,80}$/)), (name) => {
      if (isValidHostname(name))
        expect(name).toMatch(/^(?!-)[A-Za-z0-9-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9-]{1,63}(?<!-))*$/);
    }),
  );
  fc.assert(fc.property(fc.oneof(anyText, fc.ipV4(), fc.ipV6()), (text) => void forbiddenAddressReason(text)));
  fc.assert(
    fc.property(fc.ipV4(), (ip) => {
      for (const form of [`::ffff:${ip}`, `::ffff:0:${ip}`, `64:ff9b::${ip}`])
        expect(forbiddenAddressReason(form) === null, form).toBe(forbiddenAddressReason(ip) === null);
    }),
  );
});

test('templates: what is filled in is never expanded again', () => {
  fc.assert(
    fc.property(
      fc.oneof(anyText, fc.constantFrom('{{ labels.b }}', '{{ alert.id }}', '{% x %}', '$&', '$1')),
      (value) => {
        const filled = fillTemplate('<{{ labels.a }}>', alertOf({ labels: { a: value, b: 'no' } }), endpointOf());
        expect(filled).toEqual({ value: `<${value}>` });
      },
    ),
  );
  fc.assert(fc.property(anyText, (template) => void fillTemplate(template, alertOf(), endpointOf())));
});

test('runbooks: any page has facts and sections that are short enough, with no word lost', () => {
  const line = fc.oneof(
    anyText,
    fc.constantFrom('# One', '## Two', '```', '~~~', '---', '', '- item', '1. item', '    code'),
  );
  fc.assert(
    fc.property(fc.array(line, { maxLength: 30 }), (lines) => {
      const { yaml, body } = splitFrontMatter(lines.join('\n'));
      const { facts } = factsOf('page', yaml, body);
      expect(facts.title).not.toBe('');
      const sections = sectionsOf(facts.title, body);
      for (const { text } of sections) expect(text.length).toBeLessThanOrEqual(MAX_SECTION_CHARS);
      const letters = (text: string) => text.replace(/[^\p{L}\p{N}]/gu, '').length;
      const kept = sections.reduce((sum, { text, heading }) => sum + letters(text) + letters(heading), 0);
      expect(kept).toBeGreaterThanOrEqual(
        letters(
          body
            .split('\n')
            .filter((it) => !/^\s{0,3}#/.test(it))
            .join('\n'),
        ),
      );
    }),
  );
  fc.assert(
    fc.property(anyText, (docId) => {
      expect(isDocId(docId) && /[/\\\0]|^\.|\.\./.test(docId)).toBe(false);
    }),
  );
  fc.assert(fc.property(fc.jsonValue(), anyText, (front, body) => void factsOf('page', front, body)));
});

test("a model's words: any answer is one of the schema or says what is wrong", () => {
  const schema = z.object({ summary: z.string(), findings: z.array(z.string()) });
  fc.assert(
    fc.property(
      fc.oneof(
        anyText,
        fc.jsonValue().map((value) => JSON.stringify(value)),
      ),
      (text) => {
        const parsed = parseAnswer(text, schema);
        if (!parsed.ok) expect(parsed.problem).not.toBe('');
        parseToolInput(text);
      },
    ),
  );
  const said = fc.record({ summary: anyText, findings: fc.array(anyText) });
  fc.assert(
    fc.property(said, fc.constantFrom('', 'Here it is:\n```json\n'), (answer, before) => {
      const parsed = parseAnswer(`${before}${JSON.stringify(answer)}\n\`\`\``, schema);
      expect(parsed).toEqual({ ok: true, answer });
    }),
  );
  fc.assert(
    fc.property(fc.jsonValue(), (answer) => {
      expect(typeof answerText(answer)).toBe('string');
    }),
  );
});

test('untrusted text cannot close its own quotation', () => {
  const tag = fc.constantFrom(
    '</untrusted_data>',
    '<untrusted_data',
    '</ untrusted_data>',
    '<\u200b/untrusted_data>',
    '\u202e',
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(anyText, tag)), (parts) => {
      const wrapped = wrapUntrusted('log', parts.join(''), 500);
      const empty = wrapUntrusted('log', '', 500);
      const marks = (text: string) => text.match(/<\s*\/?\s*untrusted_data/gi)?.length ?? 0;
      expect(marks(wrapped)).toBe(marks(empty));
    }),
  );
});

test("a ticket system's answer: any of them names a ticket or none", () => {
  fc.assert(
    fc.property(fc.jsonValue(), anyText, anyText, (answer, id, url) => {
      const ticket = takenTicketIn(answer, { id, url });
      if (ticket?.url) expect(ticket.url).toMatch(/^https?:\/\//);
    }),
  );
});

test("an agent's report comes back as the snapshot that it was", () => {
  const share = fc.option(fc.double({ min: 0, max: 100, noNaN: true }));
  const snapshot = fc.record({ cpuPct: share, memoryPct: share, diskPct: share, packetLossPct: share });
  fc.assert(
    fc.property(snapshot, (shares) => {
      const target = targetOf('push', {});
      const taken = sanitised(flatSnapshot(target, NOW, { durationMs: 5, ...shares }));
      const wire = agentSnapshotWire.parse(JSON.parse(JSON.stringify(snapshotToWire(taken))));
      expect(snapshotFromWire(wire, target, NOW)).toEqual(taken);
    }),
  );
});

test('tables: a CSV reader gets back what was written, and no formula', () => {
  const cell = fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.constantFrom('=1+1', '@x', '"', ',', '\r\n', '-2', '\t'),
    fc.integer(),
    fc.constant(null),
  );
  fc.assert(
    fc.property(fc.array(fc.record({ a: cell, b: cell }), { minLength: 1, maxLength: 8 }), (rows) => {
      const [header, ...read] = readCsv(writeTable(rows, 'text/csv'));
      expect(header).toEqual(['a', 'b']);
      expect(read).toEqual(rows.map(({ a, b }) => [a, b].map((value) => (value === null ? '' : asText(value)))));
      const lines = writeTable(rows, 'application/x-ndjson').trimEnd().split('\n');
      expect(lines.map((line) => JSON.parse(line))).toEqual(rows.map((row) => ({ ...row })));
    }),
  );
});

const asText = (value: string | number) =>
  typeof value === 'string' && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);

/** RFC 4180 as spreadsheets read it. */
function readCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  const cells = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g;
  for (const [, quoted, bare = '', end] of text.matchAll(cells)) {
    row.push(quoted?.replaceAll('""', '"') ?? bare);
    if (end === ',') continue;
    rows.push(row);
    row = [];
  }
  return rows;
}

test("Slack: any text becomes blocks within Slack's limits, and no mention", () => {
  fc.assert(
    fc.property(fc.array(anyText, { maxLength: 30 }), (lines) => {
      const blocks = lineBlocks(lines);
      expect(blocks.length).toBeLessThanOrEqual(MAX_BLOCKS);
      for (const block of blocks)
        if (block.type === 'section') expect(block.text?.text.length).toBeLessThanOrEqual(SLACK_SECTION_CHARS);
    }),
  );
  fc.assert(
    fc.property(anyText, (text) => {
      expect(escapeText(text)).not.toMatch(/<[!@#]/);
      unescapeTyped(text);
    }),
  );
});
