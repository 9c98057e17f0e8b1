/** Cells hold against everybody who combines summaries: attacked with all that can be asked, not with examples. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  cellsOf,
  groupsOf,
  LEAST_ANSWERS,
  personaGroup,
  tagGroup,
} from '../../../src/domain/people/confidentiality.ts';
import { answersIn, FEEDBACK_CATEGORIES, type FeedbackCategory } from '../../../src/domain/people/enps.ts';

const PERSONA_GROUPS = ['developer', 'executive', 'general'].map(personaGroup);
const TAG_GROUPS = ['team=red', 'team=blue', 'site=north'].map(tagGroup);

interface Person {
  rating: number;
  category: FeedbackCategory;
  groups: string[];
}

const person: fc.Arbitrary<Person> = fc.record({
  rating: fc.integer({ min: 1, max: 5 }),
  category: fc.constantFrom(...FEEDBACK_CATEGORIES),
  groups: fc
    .record({
      persona: fc.option(fc.constantFrom(...PERSONA_GROUPS), { nil: undefined }),
      tags: fc.subarray(TAG_GROUPS),
    })
    // Who did not name a machine is in no group at all.
    .map(({ persona, tags }) => (persona === undefined ? [] : [persona, ...tags])),
});

const batch = fc.array(person, { minLength: LEAST_ANSWERS, maxLength: 45 });

/** Groups that a summary may be narrowed to: none, one, or a persona and a tag. */
const FILTERS = [
  [],
  ...PERSONA_GROUPS.map((group) => [group]),
  ...TAG_GROUPS.map((group) => [group]),
  ...PERSONA_GROUPS.flatMap((persona) => TAG_GROUPS.map((tag) => [persona, tag])),
];

/**
 * The cells with the people in them, found by giving each person in turn the only vote of its kind: an answer changes
 * exactly the cell that holds it. The attacker of the test sees more than any real one.
 */
function members(people: readonly Person[]): number[] {
  const neutral = people.map(({ groups }) => ({ rating: 3, category: 'other' as const, groups }));
  return people.map((_person, index) => {
    const marked = neutral.map((one, other) => (other === index ? { ...one, rating: 1 } : one));
    return cellsOf(marked).findIndex(({ tally }) => tally.ratings[0] === 1);
  });
}

describe('cells', () => {
  test('hold every answer once, and at least five each', () => {
    fc.assert(
      fc.property(batch, (people) => {
        const sizes = cellsOf(people).map(({ tally }) => answersIn(tally));
        expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(people.length);
        expect(Math.min(...sizes)).toBeGreaterThanOrEqual(LEAST_ANSWERS);
      }),
    );
  });

  test('are divided by groups alone, never by what was said', () => {
    fc.assert(
      fc.property(
        batch,
        fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 45, maxLength: 45 }),
        (people, others) => {
          const shape = (answers: readonly Person[]) =>
            cellsOf(answers).map(({ groups, tally }) => [groups, answersIn(tally)]);
          expect(shape(people.map((one, index) => ({ ...one, rating: others[index] as number })))).toEqual(
            shape(people),
          );
        },
      ),
    );
  });

  test('are named after groups to which all in them belong', () => {
    fc.assert(
      fc.property(batch, (people) => {
        const cells = cellsOf(people);
        const cellOf = members(people);
        people.forEach((one, index) => {
          expect(one.groups).toEqual(expect.arrayContaining(cells[cellOf[index] as number]?.groups ?? []));
        });
      }),
      { numRuns: 40 },
    );
  });

  test('no two summaries, of any windows, personas and tags, differ by fewer than five people', () => {
    fc.assert(
      fc.property(fc.array(batch, { minLength: 1, maxLength: 3 }), (batches) => {
        const cells = batches.map(cellsOf);
        const cellOf = batches.map(members);
        // Who is in the answer to each question: any run of batches up to the newest, as lookback_days picks them.
        const asked = FILTERS.flatMap((filter) =>
          batches.map((_batch, from) => {
            const counted = new Set<string>();
            batches.forEach((people, when) => {
              people.forEach((_person, who) => {
                const cell = cells[when]?.[cellOf[when]?.[who] as number];
                if (when >= from && filter.every((group) => cell?.groups.includes(group)))
                  counted.add(`${when}/${who}`);
              });
            });
            return counted;
          }),
        );
        // All that adding and subtracting summaries can ever tell apart are people who are in the same ones.
        const everybody = batches.flatMap((people, when) => people.map((_person, who) => `${when}/${who}`));
        const alike = Map.groupBy(everybody, (one) => asked.map((counted) => Number(counted.has(one))).join(''));
        for (const [, people] of alike) expect(people.length).toBeGreaterThanOrEqual(LEAST_ANSWERS);
        for (const one of asked) {
          for (const other of asked) {
            const left = one.difference(other).size;
            expect(left === 0 || left >= LEAST_ANSWERS).toBe(true);
          }
        }
      }),
      { numRuns: 40 },
    );
  });

  const crowd = (count: number, groups: string[]): Person[] =>
    Array.from({ length: count }, () => ({ rating: 4, category: 'other', groups }));

  test('tell groups apart where that is safe', () => {
    const cells = cellsOf([...crowd(8, [personaGroup('developer')]), ...crowd(6, [personaGroup('executive')])]);
    expect(cells.map(({ groups, tally }) => [groups, answersIn(tally)])).toEqual([
      [[personaGroup('developer')], 8],
      [[personaGroup('executive')], 6],
    ]);
  });

  test('keep a large group back when what is left of the whole would be small', () => {
    const cells = cellsOf([...crowd(20, [personaGroup('developer')]), ...crowd(2, [personaGroup('executive')])]);
    expect(cells.map(({ groups }) => groups)).toEqual([[]]);
  });

  test('keep a tag back that with a persona would leave one person over', () => {
    const red = [personaGroup('developer'), tagGroup('team=red')];
    // Eleven developers of whom ten are red: developers minus red would be one person.
    const cells = cellsOf([
      ...crowd(10, red),
      ...crowd(1, [personaGroup('developer')]),
      ...crowd(10, [personaGroup('executive')]),
    ]);
    expect(cells.flatMap(({ groups }) => groups)).not.toContain(tagGroup('team=red'));
    expect(cells).toHaveLength(2);
  });
});

test('a machine belongs to its persona and to each of its tags', () => {
  expect(groupsOf({ persona: 'developer', tags: { team: 'red', 'a=b': 'c' } })).toEqual([
    'persona:developer',
    'tag:team=red',
    'tag:a=b=c',
  ]);
});
