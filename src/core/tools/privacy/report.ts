/** The tool that prints what is collected, what for, and who gets it, and the documents that follow from it. */
import { z } from 'zod';
import { DOCUMENTS, privacyDocument, privacyFacts } from '../../privacy/documents.ts';
import { defineTool } from '../../tool.ts';

export const privacyReport = defineTool({
  name: 'privacy_report',
  title: 'Privacy report',
  effect: 'read',
  reach: 'fleet',
  role: 'admin',
  toolset: 'admin',
  description:
    'The register of processing: signals and other data with purpose, retention and recipients, and the systems outside. document=works_agreement or dpia is a template with the facts of this configuration filled in. Markdown.',
  http: { method: 'GET', path: '/api/v1/privacy/report' },
  command: { name: 'privacy report', args: ['document'], example: 'privacy report works_agreement' },
  input: z.strictObject({ document: z.enum(DOCUMENTS).default('register') }),
  output: z.object({
    mode: z.enum(['named', 'pseudonymous']),
    signals: z.array(
      z.object({
        signal: z.string(),
        purpose: z.string(),
        about: z.string(),
        personal: z.boolean(),
        collected: z.boolean(),
        kept: z.string(),
        recipients: z.array(z.string()),
      }),
    ),
    stored: z.array(
      z.object({
        table: z.string(),
        what: z.string(),
        purpose: z.string(),
        about: z.enum(['no', 'pseudonymous', 'yes']),
        kept: z.string(),
        recipients: z.array(z.string()),
      }),
    ),
    outside: z.array(z.object({ name: z.string(), where: z.string(), gets: z.string(), purpose: z.string() })),
    markdown: z.string(),
  }),
  async run({ document }, { ports }) {
    const facts = privacyFacts(ports);
    return { ...facts, outside: [...facts.outside], markdown: privacyDocument(document, facts, ports) };
  },
  summary: ({ markdown }) => markdown,
  rows: ({ stored }) => stored.map((line) => ({ ...line, recipients: line.recipients.join('; ') })),
});
