/** How pages and sections lie in the tables of the runbook index, and the conditions that pick them. */
import type { Schema } from 'apache-arrow';
import { z } from 'zod';
import type { IndexEntry, IndexedPage } from '../../core/ports/runbookPorts.ts';
import { PLATFORMS, type Platform } from '../../domain/runbooks/runbook.ts';

/** A page's facts lie in one column as JSON: only the words, the vector and the platforms are searched. */
export const factsShape = z.object({
  docId: z.string(),
  path: z.string(),
  hash: z.string(),
  title: z.string(),
  alerts: z.array(z.string()),
  platforms: z.array(z.enum(PLATFORMS)),
  severity: z.string().nullable(),
  playbook: z.string().nullable(),
});

export async function schemaOf(texts: readonly string[], dimensions: number): Promise<Schema> {
  const { Field, FixedSizeList, Float32, Schema, Utf8 } = await import('apache-arrow');
  return new Schema([
    ...[...texts, 'platforms', 'words'].map((name) => new Field(name, new Utf8(), false)),
    new Field('vector', new FixedSizeList(dimensions, new Field('item', new Float32(), true)), false),
  ]);
}

export function pageRow({ page, words, vector }: IndexEntry): Record<string, unknown> {
  return { doc_id: page.docId, facts: JSON.stringify(page), platforms: platformsOf(page), words, vector };
}

export function sectionRows({ page, sections }: IndexEntry): Record<string, unknown>[] {
  return sections.map(({ heading, text, words, vector }, ordinal) => ({
    id: sectionId(page.docId, ordinal),
    doc_id: page.docId,
    heading,
    text,
    platforms: platformsOf(page),
    words,
    vector,
  }));
}

export function sectionId(docId: string, ordinal: number): string {
  return `${docId}#${ordinal}`;
}

/** The page of a section: a read of one column less for every candidate. */
export function docIdOf(id: string): string {
  return id.slice(0, id.lastIndexOf('#'));
}

function platformsOf({ platforms }: IndexedPage): string {
  return platforms.map((platform) => `|${platform}|`).join('');
}

export function forPlatform(platform: Platform): string {
  return `(platforms = '' OR platforms LIKE '%|${platform}|%')`;
}

/** The same condition on a row's value. */
export function isForPlatform(platforms: string, platform: Platform): boolean {
  return platforms === '' || platforms.includes(`|${platform}|`);
}

export function oneOf(column: string, values: readonly string[]): string {
  return `${column} IN (${values.map((value) => `'${value.replaceAll("'", "''")}'`).join(', ')})`;
}
