/**
 * `npm run chaos -- [alone] [shared] [life] [--seconds N] [--seed N]`: storms over the whole service, and a day of a fleet in
 * minutes. Ends with one line of JSON, and with 1 and the seed when anything that must hold is broken.
 */
import { parseArgs } from 'node:util';
import { life } from './life.ts';
import { chance } from './random.ts';
import { type Outcome, SETUPS, storm } from './storm.ts';

const { values, positionals } = parseArgs({
  options: { seconds: { type: 'string', default: '90' }, seed: { type: 'string' } },
  allowPositionals: true,
});
const seconds = Number(values.seconds);
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
if (!Number.isFinite(seconds) || seconds <= 0 || !Number.isSafeInteger(seed))
  throw new Error('--seconds and --seed are numbers');
const wanted = positionals.length > 0 ? positionals : [...SETUPS];

const startedAt = Date.now();
const say = (line: string) => console.log(`${((Date.now() - startedAt) / 1000).toFixed(1).padStart(6)} s  ${line}`);
say(`chaos: ${wanted.join(', ')}; --seconds ${seconds} --seed ${seed}`);

const storms = wanted.filter((name) => name !== 'life').length;
const outcomes: Record<string, Outcome> = {};
for (const name of wanted) {
  const setup = SETUPS.find((known) => known === name);
  if (setup) outcomes[name] = await storm(setup, seconds / storms, chance(seed), say);
  else if (name === 'life') outcomes[name] = await life(chance(seed), say);
  else throw new Error(`there is no ${name}; there are ${[...SETUPS, 'life'].join(', ')}`);
  for (const line of outcomes[name]?.broken ?? []) say(`${name} BROKEN: ${line}`);
}

const isBroken = Object.values(outcomes).some(({ broken }) => broken.length > 0);
console.log(JSON.stringify({ chaos: isBroken ? 'broken' : 'all holds', seed, seconds, ...outcomes }));
if (isBroken)
  console.log(`Have it again with: npm run chaos -- ${wanted.join(' ')} --seconds ${seconds} --seed ${seed}`);
process.exit(isBroken ? 1 : 0);
