/** Each case of the field is right, by the sentence that it stands for. */
import { afterAll, expect, test } from 'vitest';
import { CASES } from './cases.ts';
import { stopCaseService } from './deliveries.ts';

afterAll(stopCaseService);

test.each(CASES.map((each) => [each.given, each.quote, each] as const))('%s: “%s”', async (_given, _quote, each) => {
  const { seen, wrong } = await each.run();
  expect(wrong, seen).toEqual([]);
});
