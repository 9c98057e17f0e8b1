/** Groups of machines that somebody asks about: a persona, a tag, a tier or an operating system, beside the rest of the fleet. */
import { type Endpoint, hasVerdict, PERSONAS, SCORE_STATUSES, type ScoreStatus } from './endpoint.ts';

type Member = Pick<Endpoint, 'persona' | 'criticalityTier' | 'osPlatform' | 'tags' | 'score' | 'scoreStatus'>;

/** Every group a machine is in, as people name it: `persona=developer`, `tier=1`, `os=linux`, and each of its tags. */
export function groupsOfMachine({ persona, criticalityTier, osPlatform, tags }: Member): string[] {
  return [
    `persona=${persona}`,
    `tier=${criticalityTier}`,
    `os=${osPlatform}`,
    ...Object.entries(tags).map(([key, value]) => `${key}=${value}`),
  ];
}

/** Whether a machine is in the group of this name; a value alone (`finance`) is that of any tag, persona or system. */
export function isInGroup(machine: Member, name: string): boolean {
  const wanted = name.trim().toLowerCase();
  return groupsOfMachine(machine).some((group) => {
    const written = group.toLowerCase();
    return (
      written === wanted || (!wanted.includes('=') && written.slice(written.indexOf('=') + 1) === singular(wanted))
    );
  });
}

/** Personas are asked for in the plural, and salespeople by many names. */
function singular(name: string): string {
  if (/^sales(?: ?(?:people|persons?))?$/.test(name)) return 'salesperson';
  return PERSONAS.find((persona) => `${persona}s` === name) ?? name;
}

export interface GroupFigures extends Record<ScoreStatus, number> {
  total: number;
  scored: number;
  /** Of those whose score says something about now; null when none does. */
  averageScore: number | null;
}

/** Adds machines up; `figures` may be read at any time. */
export function groupCounter(): { add(machine: Member): void; figures(): GroupFigures } {
  const counts = Object.fromEntries(SCORE_STATUSES.map((status) => [status, 0])) as Record<ScoreStatus, number>;
  let total = 0;
  let scored = 0;
  let sum = 0;
  return {
    add({ score, scoreStatus }) {
      total++;
      counts[scoreStatus]++;
      if (score === null || !hasVerdict(scoreStatus)) return;
      scored++;
      sum += score;
    },
    figures: () => ({
      ...counts,
      total,
      scored,
      averageScore: scored === 0 ? null : Math.round((sum / scored) * 10) / 10,
    }),
  };
}
