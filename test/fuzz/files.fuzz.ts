/** Files and settings that people edit: any edit is taken or refused with the place of the mistake, and never half. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import type { z } from 'zod';
import { openPostgresPool } from '../../src/adapters/db/postgresPool.ts';
import { reloadedFile } from '../../src/adapters/reloadedFile.ts';
import { createScheduler } from '../../src/adapters/scheduler/scheduler.ts';
import { readConfig } from '../../src/config.ts';
import { TicketMappingFile } from '../../src/core/alerts/ticketMapping.ts';
import { AppError } from '../../src/core/errors.ts';
import { RemediationFile } from '../../src/core/healing/remediationMap.ts';
import { AgentProfilesFile, McpServersFile } from '../../src/core/planner/agentProfiles.ts';
import { LlmPricesFile } from '../../src/core/planner/llm.ts';
import { ScoreFile } from '../../src/core/scores/scoreRules.ts';
import { NO_TRACING } from '../../src/core/tracing.ts';
import { PROJECT_DIR } from '../../src/projectDir.ts';
import { keptLog } from '../helpers/log.ts';
import { anyText } from './schemaValues.ts';

const dir = mkdtempSync(join(tmpdir(), 'dexops-fuzz-'));
afterAll(() => rmSync(dir, { recursive: true }));

const FILES: [string, z.ZodType][] = [
  ['dex_remediation_map.yaml', RemediationFile],
  ['dex_score.yaml', ScoreFile],
  ['agent_profiles.yaml', AgentProfilesFile],
  ['mcp_servers.yaml', McpServersFile],
  ['llm_prices.yaml', LlmPricesFile],
  ['ticket_mappings/jira.yaml', TicketMappingFile],
];

describe.each(FILES)('config/%s', (name, schema) => {
  const shipped = readFileSync(join(PROJECT_DIR, 'config', name), 'utf8');
  const path = join(dir, 'edited.yaml');

  test('any edit is taken whole or refused by name', () => {
    const junk = fc.oneof(
      anyText,
      fc.constantFrom('&a', '*a', '!!js', '<<: *a', '- ', ': ', '{', '[', '\t', '---', 'null', '1e400', '0x1'),
    );
    const edit = fc.record({ at: fc.nat(shipped.length), cut: fc.nat(60), put: junk });
    const edited = fc
      .array(edit, { minLength: 1, maxLength: 4 })
      .map((edits) =>
        edits.reduce((text, { at, cut, put }) => text.slice(0, at) + put + text.slice(at + cut), shipped),
      );
    fc.assert(
      fc.property(
        fc.oneof(
          edited,
          anyText,
          fc.jsonValue().map((value) => JSON.stringify(value)),
        ),
        (text) => {
          writeFileSync(path, text);
          try {
            expect(reloadedFile(path, schema, { log: keptLog() }).current()).toBeTruthy();
          } catch (error) {
            expect(error).toBeInstanceOf(AppError);
            expect((error as AppError).message).toContain('edited.yaml');
          }
        },
      ),
    );
  });
});

test('any environment is a configuration or a list of its mistakes', () => {
  const names = Object.keys(readConfig({}));
  fc.assert(
    fc.property(
      fc.dictionary(
        fc.constantFrom(...names),
        fc.oneof(anyText, fc.constantFrom('true', '15', 'openai', 'postgresql://x/y')),
      ),
      (env) => {
        try {
          expect(Object.isFrozen(readConfig(env))).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(AppError);
          expect((error as AppError).kind).toBe('invalid');
        }
      },
    ),
  );
});

test('a cron expression is scheduled, or refused by name', async () => {
  const log = keptLog();
  const scheduler = await createScheduler({
    url: '',
    name: 'test',
    log,
    tracing: NO_TRACING,
    openPostgres: openPostgresPool,
    onEnd: async () => {},
  });
  await scheduler.start();
  const field = fc.oneof(
    fc.constantFrom('*', '*/5', '1-5', '0', '7', '99', 'MON', 'mon-fri', '1,2', '5-1', '*/0', 'x', '-', '/'),
    fc.nat(100).map(String),
  );
  try {
    await fc.assert(
      fc.asyncProperty(fc.array(field, { minLength: 4, maxLength: 6 }), async (fields) => {
        let cron: string;
        try {
          cron = readConfig({ DEX_SURVEY_CRON: fields.join(' ') }).DEX_SURVEY_CRON;
        } catch {
          return;
        }
        scheduler.define('fuzzed', async () => {}, 1);
        const refused = await scheduler.every(cron, 'fuzzed').then(
          () => null,
          (error: unknown) => error,
        );
        if (refused !== null)
          expect(refused).toMatchObject({ kind: 'invalid', message: expect.stringContaining(cron) });
      }),
    );
    expect(log.lines).toEqual([]);
  } finally {
    await scheduler.stop(0);
  }
});
