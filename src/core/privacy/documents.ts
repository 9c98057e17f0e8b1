/** Documents for works councils and data protection officers, in Markdown, with the facts of the running configuration filled in. */
import { LEAST_IN_CELL } from '../../domain/privacy/cells.ts';
import { declarationOf, SIGNAL_NAMES, wireName } from '../../domain/signals/catalogue.ts';
import type { OutsideRecipient, Ports } from '../ports/ports.ts';
import { LONGEST_PAUSE_MINUTES } from './ownData.ts';
import { type RegisterLine, registerLines } from './register.ts';
import { LONGEST_REVEAL_MINUTES } from './reveals.ts';

export const DOCUMENTS = ['register', 'works_agreement', 'dpia'] as const;
type DocumentName = (typeof DOCUMENTS)[number];

interface PrivacyFacts {
  mode: 'named' | 'pseudonymous';
  signals: {
    signal: string;
    purpose: string;
    about: string;
    personal: boolean;
    /** False where the mode leaves it out on the machine. */
    collected: boolean;
    kept: string;
    recipients: string[];
  }[];
  stored: RegisterLine[];
  outside: readonly OutsideRecipient[];
}

export function privacyFacts({ privacy, settings }: Pick<Ports, 'privacy' | 'settings'>): PrivacyFacts {
  const stored = registerLines(settings);
  const samples = stored.find(({ table }) => table === 'snapshot') as RegisterLine;
  const packed = stored.find(({ table }) => table === 'sample_block') as RegisterLine;
  return {
    mode: privacy ? 'pseudonymous' : 'named',
    signals: SIGNAL_NAMES.map((name) => {
      const { purpose, about, personal = false } = declarationOf(name);
      const collected = !(personal && privacy);
      return {
        signal: wireName(name),
        purpose,
        about,
        personal,
        collected,
        kept: collected ? `${samples.kept}; ${packed.kept.split('; ')[1]}` : 'not at all',
        recipients: collected ? samples.recipients : [],
      };
    }),
    stored,
    outside: settings.recipients,
  };
}

export function privacyDocument(name: DocumentName, facts: PrivacyFacts, ports: Pick<Ports, 'settings'>): string {
  switch (name) {
    case 'register':
      return register(facts);
    case 'works_agreement':
      return worksAgreement(facts, ports);
    case 'dpia':
      return impactAssessment(facts, ports);
  }
}

function register({ mode, signals, stored, outside }: PrivacyFacts): string {
  return [
    '# Register of processing (Art. 30 GDPR)',
    '',
    `Mode: **${mode}**. ${MODE_TEXT[mode]}`,
    '',
    '## Signals',
    '',
    table(
      ['signal', 'what for', 'personal', 'collected', 'kept', 'recipients'],
      signals.map(({ signal, purpose, personal, collected, kept, recipients }) => [
        `\`${signal}\``,
        purpose,
        personal ? 'yes' : 'no',
        collected ? 'yes' : 'no',
        kept,
        recipients.join(', ') || 'nobody',
      ]),
    ),
    '',
    '## What else is kept',
    '',
    table(
      ['table', 'what', 'what for', 'about a person', 'kept', 'recipients'],
      stored.map((line) => [
        `\`${line.table}\``,
        line.what,
        line.purpose,
        line.about,
        line.kept,
        line.recipients.join(', ') || 'nobody',
      ]),
    ),
    '',
    '## Recipients outside',
    '',
    outsideTable(outside),
    '',
  ].join('\n');
}

const MODE_TEXT = {
  named: 'People and machines are shown by name to IT staff.',
  pseudonymous:
    'People and machines appear as pseudonyms on every interface, in logs, tickets, messages and prompts; personal signals are not collected, starts of a machine are kept and all its times shown by the part of the day (UTC, six hours). When a scan was made is kept exactly, because the history needs it.',
} as const;

function worksAgreement(facts: PrivacyFacts, { settings }: Pick<Ports, 'settings'>): string {
  const personal = facts.signals.filter((signal) => signal.personal);
  const list = (names: string[]) => names.join(', ') || 'none';
  return [
    '# Works agreement on DexOps (Betriebsvereinbarung, § 87 (1) no. 6 BetrVG) — template',
    '',
    'Between **[employer]** and the **[works council]**. Text in brackets is to be filled in; everything else is read from the running service.',
    '',
    '## § 1 Purpose',
    'DexOps measures how well computers serve the people who work with them, so that problems are mended. It is not used to judge the conduct or the performance of employees, and no measure under employment law is based on its data.',
    '',
    '## § 2 What is measured',
    `${facts.signals.length} signals, each with its purpose, in the register (annex 1). Personal ones are ${list(personal.map(({ signal }) => signal))}: ${facts.mode === 'pseudonymous' ? 'none of them is collected, the agent on the machine leaves them out.' : 'they are collected, unless the agent is started with --no-personal or the machine is registered with personal=false.'}`,
    '',
    '## § 3 Who sees what',
    `Mode: ${facts.mode}. ${MODE_TEXT[facts.mode]} Viewers read, operators act, administrators also manage keys and read the audit. Every employee sees what is known about their own machine, who looked at it by role, and how long it is kept.`,
    '',
    '## § 4 Reveal of a name',
    facts.mode === 'pseudonymous'
      ? `An administrator may be shown the name behind a pseudonym for a written reason and at most ${LONGEST_REVEAL_MINUTES} minutes${settings.revealNeedsSecond ? ', after a second administrator has agreed' : ''}. It ends by itself, is in the audit, and is reported to the person at once.`
      : 'Not applicable: names are shown to IT staff.',
    '',
    '## § 5 Groups',
    `Statistics of fewer than ${LEAST_IN_CELL} answers of a survey are never shown${facts.mode === 'pseudonymous' ? `, nor attributes by which fewer than ${LEAST_IN_CELL} machines could be told apart, also not by the difference of two answers` : ''}.`,
    '',
    '## § 6 Rights of employees',
    `Each may pause the measuring of their own machine for up to ${LONGEST_PAUSE_MINUTES} minutes at a time, have everything that is kept about it as JSON, and have it erased: in the database at once, and in the backups that lie with the service in the same step.`,
    '',
    '## § 7 How long data is kept',
    `Single measurements ${settings.retentionDays} days; the rest as in annex 1.`,
    '',
    '## § 8 Recipients',
    outsideTable(facts.outside),
    '',
    '## § 9 Term',
    'In force from [date]; [period of notice]. Changes of the mode, of the signals or of the recipients are agreed on beforehand.',
    '',
    '## Annex 1',
    '',
    register(facts),
  ].join('\n');
}

function impactAssessment(facts: PrivacyFacts, { settings }: Pick<Ports, 'settings'>): string {
  const isPseudonymous = facts.mode === 'pseudonymous';
  return [
    '# Data protection impact assessment (Art. 35 GDPR) — template',
    '',
    '## 1 Description',
    `DexOps collects ${facts.signals.filter(({ collected }) => collected).length} technical signals of computers, scores them, raises alerts and, after approval, mends problems. Mode: ${facts.mode}. Controller: [name]. Legal basis: [Art. 6 (1) f GDPR with the works agreement / § 26 BDSG].`,
    '',
    '## 2 Necessity and proportionality',
    `Each signal has a purpose (annex). ${isPseudonymous ? 'Personal signals are not collected.' : 'Personal signals can be left out (--no-personal, DEX_PRIVACY=pseudonymous).'} Single measurements are kept ${settings.retentionDays} days.`,
    '',
    '## 3 Risks and measures',
    '',
    table(
      ['risk', 'measure', 'in force'],
      [
        [
          'IT staff watch a person',
          'pseudonyms on every interface; a reveal needs a reason and is reported to the person',
          yes(isPseudonymous),
        ],
        [
          'One administrator looks alone',
          'a second administrator has to agree',
          yes(isPseudonymous && settings.revealNeedsSecond),
        ],
        [
          'A person is singled out by an attribute',
          `attributes are shown only where at least ${LEAST_IN_CELL} machines share them, differences included`,
          yes(isPseudonymous),
        ],
        [
          'Working hours can be read',
          'times of a machine are shown by the part of the day, in ids too; when a scan was made is kept exactly in the store, and a message or ticket about an alert still arrives when the alert is raised',
          isPseudonymous ? 'in part' : 'no',
        ],
        [
          'A small team is watched by its lead',
          `a role for fewer than ${LEAST_IN_CELL} machines shows nothing`,
          yes(isPseudonymous),
        ],
        ['A stolen backup is read', 'backups are sealed with a key of the service', yes(isPseudonymous)],
        [
          'A model provider learns who somebody is',
          'prompts carry pseudonyms and can be previewed',
          yes(isPseudonymous),
        ],
        ['Survey answers are traced', `published in cells of at least ${LEAST_IN_CELL}`, yes(true)],
        ['Data is kept too long', 'retention by table, erasure on request', yes(true)],
      ],
    ),
    '',
    '## 4 Recipients outside',
    outsideTable(facts.outside),
    '',
    '## 5 EU AI Act',
    'Scores judge machines, not people. Used to judge workers the system would be high-risk (annex III no. 4): [confirm that it is not].',
    '',
    '## 6 Result',
    '[Remaining risk, opinion of the data protection officer, date]',
    '',
    '## Annex',
    '',
    register(facts),
  ].join('\n');
}

const yes = (holds: boolean) => (holds ? 'yes' : 'no');

function outsideTable(outside: readonly OutsideRecipient[]): string {
  if (outside.length === 0) return 'None: no system outside is connected.';
  return table(
    ['recipient', 'where', 'gets', 'what for'],
    outside.map(({ name, where, gets, purpose }) => [name, where, gets, purpose]),
  );
}

function table(head: string[], rows: string[][]): string {
  const line = (cells: string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
