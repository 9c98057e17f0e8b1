/** A new, empty database on the PostgreSQL server that the whole test run shares. */
import { inject } from 'vitest';

/** @returns its URL */
export async function createTestDatabase(): Promise<string> {
  const response = await fetch(inject('databaseMaker'));
  const text = await response.text();
  if (!response.ok) throw new Error(text);
  return text;
}
