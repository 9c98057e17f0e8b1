/** Conditions of rules on measurements: a line, what else has to hold for the same item, and where the rule counts. */
import { declarationOf } from '../signals/catalogue.ts';
import type { OsPlatform } from '../signals/declaration.ts';
import { type Measure, type MeasuredNumber, numbersOf, signalOf, worstOf } from '../signals/measures.ts';
import type { Snapshot } from '../signals/telemetry.ts';

/** Strictly above, or strictly below. */
export type Line = { above: number } | { below: number };

export type Condition = { measure: Measure } & Line;

/** Systems and items (mounts, adapters, programs …); `*` in an item stands for any text, case does not matter. */
interface Scope {
  os?: OsPlatform[];
  items?: string[];
}

/** What narrows a rule. Conditions on measures of the same kind of item are about the same item. */
export interface Guards {
  /** All have to be measured and hold. */
  and?: Condition[];
  /** One that is measured and holds exempts; what was not measured exempts nothing. */
  unless?: Condition[];
  only?: Scope;
  except?: Scope;
}

/** What rules judge: a snapshot and the system that it is of. */
export interface Judged {
  snapshot: Pick<Snapshot, 'readings' | 'collectedAt'>;
  osPlatform: OsPlatform;
}

export function crosses(value: number, line: Line): boolean {
  return 'above' in line ? value > line.above : value < line.below;
}

/** Where the line lies. */
export function lineAt(line: Line): number {
  return 'above' in line ? line.above : line.below;
}

/** The numbers that a rule is about: those of the items in its scope; null when none was measured. */
export function numbersInScope(
  { measure, only, except }: { measure: Measure } & Guards,
  { snapshot, osPlatform }: Judged,
): MeasuredNumber[] | null {
  const numbers = numbersOf(snapshot, measure);
  if (numbers === null) return null;
  return numbers.filter(
    ({ item }) => (!only || isIn(only, item, osPlatform)) && !(except && isIn(except, item, osPlatform)),
  );
}

function isIn({ os, items }: Scope, item: string | null, osPlatform: OsPlatform): boolean {
  if (os && !os.includes(osPlatform)) return false;
  return !items || (item !== null && items.some((pattern) => matches(pattern, item)));
}

function matches(pattern: string, item: string): boolean {
  const parts = pattern.split('*').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`, 'is').test(item);
}

/** Whether the guards let a rule hold for one item; `unknown` where something that has to hold was not measured. */
export function guardsHold(
  measure: Measure,
  { and = [], unless = [] }: Guards,
  item: string | null,
  { snapshot }: Judged,
): 'yes' | 'no' | 'unknown' {
  const per = declarationOf(signalOf(measure)).per;
  const check = (condition: Condition): boolean | null => {
    const sameKind = per !== 'machine' && declarationOf(signalOf(condition.measure)).per === per;
    const number = sameKind
      ? numbersOf(snapshot, condition.measure)?.find((each) => each.item === item)
      : worstOf(snapshot, condition.measure);
    return number ? crosses(number.value, condition) : null;
  };
  if (unless.some((condition) => check(condition) === true)) return 'no';
  const needed = and.map(check);
  if (needed.includes(false)) return 'no';
  return needed.includes(null) ? 'unknown' : 'yes';
}
