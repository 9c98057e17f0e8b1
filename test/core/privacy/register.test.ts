/** The register of processing is complete: every table, and every signal, says what it is for. */
import { expect, test } from 'vitest';
import { ENTITIES } from '../../../src/adapters/db/entities.ts';
import { recipientsOf } from '../../../src/composition/recipients.ts';
import { readConfig } from '../../../src/config.ts';
import type { Ports } from '../../../src/core/ports/ports.ts';
import { DOCUMENTS, privacyDocument, privacyFacts } from '../../../src/core/privacy/documents.ts';
import { registerLines } from '../../../src/core/privacy/register.ts';
import { SIGNAL_NAMES } from '../../../src/domain/signals/catalogue.ts';

test('every table is declared with its purpose, retention and recipients, and no other', () => {
  const tables = ENTITIES.map((entity) => entity.meta.tableName).toSorted();
  const lines = registerLines({ retentionDays: 30, recipients: [] });
  expect(lines.map(({ table }) => table).toSorted()).toEqual(tables);
  expect(lines.filter(({ what, purpose, kept }) => !what || !purpose || !kept)).toEqual([]);
});

test('documents name every signal and the systems that are connected, and only those', () => {
  const config = readConfig({
    OPENAI_API_KEY: 'sk-x',
    DEX_TICKET_WEBHOOK_URL: 'https://jira.example/rest',
    DEX_PRIVACY: 'pseudonymous',
  });
  const settings = {
    retentionDays: 30,
    revealNeedsSecond: true,
    recipients: recipientsOf(config),
  } as unknown as Ports['settings'];
  const facts = privacyFacts({ privacy: {} as NonNullable<Ports['privacy']>, settings });
  expect(facts.signals).toHaveLength(SIGNAL_NAMES.length);
  expect(facts.signals.filter(({ personal, collected }) => personal && collected)).toEqual([]);
  expect(facts.stored.some(({ recipients }) => recipients.includes('the ticket system'))).toBe(true);
  expect(facts.stored.some(({ recipients }) => recipients.join().includes('Slack'))).toBe(false);
  expect(facts.outside.map(({ where }) => where)).toEqual(['api.openai.com', 'jira.example']);
  for (const name of DOCUMENTS) {
    const text = privacyDocument(name, facts, { settings });
    expect(text).toContain('api.openai.com');
    expect(text).toContain('`top_cpu_pct`');
    expect(text).not.toMatch(/undefined|PagerDuty|\[object/);
  }
  expect(privacyDocument('works_agreement', facts, { settings })).toContain('after a second administrator has agreed');
});
