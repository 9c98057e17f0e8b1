/** A part of the fleet, as teams are given it: `dept=engineering`, `persona=developer`, or several such conditions together. */

/** Conditions that all hold: `persona` is the machine's persona, every other name is a tag's. */
export type SelectionPart = Readonly<Record<string, string>>;

/** Machines to which any of the parts applies; of no part none. */
export type Selection = readonly SelectionPart[];

const CONDITION = /^([\p{L}\p{N}_][\p{L}\p{N}_.:/-]{0,62})=([\p{L}\p{N}_][\p{L}\p{N}_.:@/+ -]{0,126})$/u;
const MOST_CONDITIONS = 10;

/**
 * Reads `dept=engineering, site=berlin`.
 *
 * @returns what is wrong, as a sentence, where it is not such a text
 */
export function readSelectionPart(text: string): SelectionPart | string {
  const conditions = text.split(',').map((condition) => condition.trim());
  if (conditions.length > MOST_CONDITIONS) return `has more than ${MOST_CONDITIONS} conditions`;
  const part: Record<string, string> = {};
  for (const condition of conditions) {
    const [, name, value] = CONDITION.exec(condition) ?? [];
    if (name === undefined || value === undefined)
      return `must be conditions as dept=engineering or persona=developer, with commas between; "${condition}" is none`;
    if (name in part) return `names ${name} twice, and no machine has two values of it`;
    part[name] = value.trim();
  }
  return part;
}

/** As people write it: `dept=engineering, site=berlin or persona=developer`. */
export function selectionText(selection: Selection): string {
  if (selection.length === 0) return 'no machine';
  return selection
    .map((part) =>
      Object.entries(part)
        .map(([name, value]) => `${name}=${value}`)
        .join(', '),
    )
    .join(' or ');
}

/** Whether a machine is one of a selection. */
export function isSelected(
  selection: Selection,
  { persona, tags }: { persona: string; tags: Readonly<Record<string, string>> },
): boolean {
  return selection.some((part) => {
    const conditions = Object.entries(part);
    const holds = ([name, value]: [string, string]) => (name === 'persona' ? persona : tags[name]) === value;
    return conditions.length > 0 && conditions.every(holds);
  });
}
