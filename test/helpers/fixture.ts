/** Reads recorded outputs of programs; each file's first line says where it comes from. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const FIXTURES = join(import.meta.dirname, '..', 'fixtures');

/** The output itself, without the line `# Origin: …` that every fixture begins with. */
export function fixture(path: string): string {
  const [origin = '', ...lines] = readFileSync(join(FIXTURES, path), 'utf8').split('\n');
  if (!origin.startsWith('# Origin: ')) throw new Error(`the fixture ${path} does not name its origin`);
  return lines.join('\n');
}
