/** `npm run bench -- NAME [ARGS]`: runs one benchmark; each prints a JSON line a figure. Without a name it lists them. */
import { readdirSync } from 'node:fs';

const NAMES = [
  'scan',
  'ingest',
  'push',
  'agent',
  'forecast',
  'predictions',
  'runbooks',
  'scale',
  'slack',
  'retention',
  'storage',
  'judgement',
  'plan',
].filter((name) => readdirSync(import.meta.dirname).includes(`${name}.ts`));

const [name, ...args] = process.argv.slice(2);
if (name === undefined || !NAMES.includes(name)) {
  process.stderr.write(`Benchmarks: ${NAMES.join(', ')}. Run one with: npm run bench -- NAME\n`);
  process.exit(name === undefined ? 0 : 2);
}
const { run } = (await import(`./${name}.ts`)) as { run(args: string[]): Promise<void> };
await run(args);
process.exit(0);
