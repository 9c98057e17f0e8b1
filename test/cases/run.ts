/**
 * Developer's command (`npm run cases [-- FOLDER]`): the cases of the field, what is seen and what is right beside each
 * other. With a folder, its pages (`*.prom`) and deliveries (`*.json`) too, for which nobody has said what is right.
 */
import { CASES } from './cases.ts';
import { deliveriesIn, stopCaseService } from './deliveries.ts';
import { pagesIn } from './pages.ts';

const [folder] = process.argv.slice(2);
const cases = folder === undefined ? CASES : [...CASES, ...pagesIn(folder), ...deliveriesIn(folder)];
let wrong = 0;
for (const each of cases) {
  const outcome = await each.run().catch((error: unknown) => ({ seen: `failed: ${error}`, wrong: ['failed'] }));
  if (outcome.wrong.length > 0) wrong++;
  const mark = outcome.wrong.length > 0 ? '✗' : '✓';
  process.stdout.write(
    `${mark} ${each.given.padEnd(24)} | seen: ${outcome.seen}\n  ${' '.repeat(24)} | right: ${each.right}\n`,
  );
  for (const problem of outcome.wrong) process.stdout.write(`  ${' '.repeat(24)} |   ${problem}\n`);
}
await stopCaseService();
process.stdout.write(`${cases.length - wrong} of ${cases.length} are right\n`);
// The queue's library keeps a timer of 330 s for each job that it ran, which would hold the process for so long.
process.exit(wrong === 0 ? 0 : 1);
