/**
 * Cells: a division of people or machines in which every part is large enough to hide in.
 *
 * Whatever statistic, list or filter is a sum of whole cells; whatever is added to or subtracted from another, the outcome is again
 * a sum of whole cells, so that nothing finer than a cell can be worked out (the atoms of the Boolean algebra that the published
 * sets generate are the cells: microaggregation). It cannot help where all members of a cell are alike.
 */

/** Members of the smallest cell (k of k-anonymity). */
export const LEAST_IN_CELL = 5;

/** What is said in the place of an attribute that few members have. */
export const WITHHELD = 'withheld';

interface CellOf<Member> {
  /** The groups to which all of its members belong, in the order in which they were split off. */
  groups: string[];
  members: Member[];
}

/**
 * Divides members by as many groups as possible so that every cell keeps enough of them: a group is distinguished only when all
 * that it splits, inside and outside of it, stays large enough. Preferred groups go first, then the larger ones.
 * @param members fewer than LEAST_IN_CELL stay one cell, which distinguishes nothing
 */
export function cellsBy<Member>(
  members: readonly Member[],
  groupsOf: (member: Member) => readonly string[],
  isPreferred: (group: string) => boolean,
): CellOf<Member>[] {
  const all = members.map((member) => ({ member, groups: new Set(groupsOf(member)) }));
  let parts = [{ groups: [] as string[], members: all }];
  for (const group of separableGroups(all, isPreferred)) {
    const split = parts.flatMap((part) => [
      { groups: [...part.groups, group], members: part.members.filter(({ groups }) => groups.has(group)) },
      { groups: part.groups, members: part.members.filter(({ groups }) => !groups.has(group)) },
    ]);
    const filled = split.filter((part) => part.members.length > 0);
    if (filled.every((part) => part.members.length >= LEAST_IN_CELL)) parts = filled;
  }
  return parts.map((part) => ({ groups: part.groups, members: part.members.map(({ member }) => member) }));
}

/** Groups that could be distinguished if they were the only ones, in the order in which they are tried. */
function separableGroups(
  all: readonly { groups: ReadonlySet<string> }[],
  isPreferred: (group: string) => boolean,
): string[] {
  const sizes = new Map<string, number>();
  for (const { groups } of all) for (const group of groups) sizes.set(group, (sizes.get(group) ?? 0) + 1);
  return [...sizes]
    .filter(([, size]) => size >= LEAST_IN_CELL && (size === all.length || all.length - size >= LEAST_IN_CELL))
    .sort(
      ([a, sizeA], [b, sizeB]) => Number(isPreferred(b)) - Number(isPreferred(a)) || sizeB - sizeA || (a < b ? -1 : 1),
    )
    .map(([group]) => group);
}
