/** Starts one benchmark by name: `npm run bench -- NAME [args]`; without a name lists them. */
import { readdirSync } from 'node:fs';

const HERE = import.meta.dirname;

/** A file beside this one is a benchmark when it exports `run`. */
async function load(name: string): Promise<((args: string[]) => Promise<void>) | null> {
  const { run } = await import(`./${name}.ts`);
  return typeof run === 'function' ? run : null;
}

const files = readdirSync(HERE)
  .filter((name) => name.endsWith('.ts') && name !== 'run.ts')
  .map((name) => name.slice(0, -'.ts'.length))
  .sort();
const [name, ...args] = process.argv.slice(2);
const run = name !== undefined && files.includes(name) ? await load(name) : null;
if (run) await run(args);
else {
  const benchmarks: string[] = [];
  for (const file of files) if (await load(file)) benchmarks.push(file);
  const list = `Benchmarks: ${benchmarks.join(', ')}\nRun one with: npm run bench -- NAME`;
  if (name === undefined) console.log(list);
  else {
    console.error(`There is no benchmark named ${name}. ${list}`);
    process.exitCode = 2;
  }
}
