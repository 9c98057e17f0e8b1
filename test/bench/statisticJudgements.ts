/** The figures on statistics: false alarms and intervals of forecasts, intervals of the eNPS, and groups that chance alone names. */
import type { Alert } from '../../src/domain/alerts/alert.ts';
import { cohortFinder } from '../../src/domain/alerts/cohort.ts';
import type { Endpoint } from '../../src/domain/fleet/endpoint.ts';
import { predictionAccuracy } from '../../src/domain/forecasts/prediction.ts';
import { enpsOf } from '../../src/domain/people/enps.ts';
import { type Draw, drawFrom } from './diagnosis/random.ts';
import { figure } from './figure.ts';
import { backTest, leastSquares, ours } from './forecast.ts';
import { CALM_KINDS, LEAKING_KINDS, type MadeSeries, makeSeries } from './seriesGenerator.ts';

/** Series of each kind; a public set is given as a folder. */
const EACH = 3;
const ANSWERS = [5, 10, 25, 50, 100];
const LOOKS = 200;

/** @param given series of somebody; null for generated ones of every kind */
export function forecastJudgements(given: readonly MadeSeries[] | null): void {
  const conditions = { noise: 1, magnitude: 1, decimals: 2 };
  const all =
    given ??
    [...CALM_KINDS, ...LEAKING_KINDS].flatMap((kind) =>
      Array.from({ length: EACH }, (_, i) => makeSeries(kind, 5000 + i, conditions)),
    );
  const tally = backTest(all, ours);
  const before = backTest(all, leastSquares);
  const about = { series: all.length, from: given === null ? 'generated' : 'folder' };
  if (tally.calmWeeks > 0) {
    figure('judgement', 'forecasts, false alarms', tally.calmAlarms / tally.calmWeeks, 'per endpoint-week', {
      least_squares: Math.round((1000 * before.calmAlarms) / before.calmWeeks) / 1000,
      weeks: Math.round(tally.calmWeeks),
      ...about,
    });
  }
  const { hits, early, late } = predictionAccuracy(tally.judgements, 1);
  const came = hits + early + late;
  if (came > 0) {
    figure('judgement', 'forecasts, truth within the stated interval (90 % meant)', hits / came, 'share', {
      predictions: came,
      ...about,
    });
  }
}

/** Shares of promoters and detractors among everybody: every mixture in steps of a tenth. */
const SHARES = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8];

/** Counted over all outcomes, not drawn. */
export function enpsJudgements(): void {
  for (const answers of ANSWERS) {
    const shares = SHARES.flatMap((p) => SHARES.filter((d) => p + d < 0.95).map((d) => coverage(answers, p, d)));
    const mean = (of: (each: Coverage) => number) => shares.reduce((sum, each) => sum + of(each), 0) / shares.length;
    figure(
      'judgement',
      `eNPS, truth within the interval (95 % meant), ${answers} answers`,
      mean(({ range }) => range),
      'share',
      {
        by_one_standard_error: Math.round(1000 * mean(({ margin }) => margin)) / 1000,
        mixtures: shares.length,
      },
    );
  }
}

interface Coverage {
  range: number;
  margin: number;
}

function coverage(answers: number, p: number, d: number): Coverage {
  const logs = Array.from({ length: answers + 1 }, () => 0);
  for (let i = 2; i <= answers; i++) logs[i] = (logs[i - 1] as number) + Math.log(i);
  const log = (n: number) => logs[n] as number;
  const truth = (p - d) * 100;
  const covered: Coverage = { range: 0, margin: 0 };
  for (let promoters = 0; promoters <= answers; promoters++) {
    for (let detractors = 0; detractors <= answers - promoters; detractors++) {
      const passives = answers - promoters - detractors;
      const found = enpsOf({ ratings: [0, detractors, passives, promoters, 0], categories: {} });
      if (!found) continue;
      const ways = log(answers) - log(promoters) - log(detractors) - log(passives);
      const mixed = promoters * Math.log(p) + detractors * Math.log(d) + passives * Math.log(1 - p - d);
      const chance = Math.exp(ways + mixed);
      if (truth >= found.low && truth <= found.high) covered.range += chance;
      if (Math.abs(truth - found.enps) <= found.margin) covered.margin += chance;
    }
  }
  return covered;
}

/** 40 of 200 machines share a site: what 30 % of them have and 5 % elsewhere is named, what is everywhere alike is not. */
export function cohortJudgements(): void {
  const draw = drawFrom(977);
  let [found, byChance] = [0, 0];
  for (let look = 0; look < LOOKS; look++) {
    if (lookAtFleet(draw, 0.3).some(({ alertName, value }) => alertName === 'Kind0' && value === 'site=a')) found++;
    byChance += lookAtFleet(draw, 0.05).length;
  }
  const about = { looks: LOOKS, machines: 200 };
  figure('judgement', 'cohorts, 30 % of 40 against 5 % of 160 named', found / LOOKS, 'share', about);
  figure('judgement', 'cohorts, groups named by chance', byChance / LOOKS, 'groups a look', about);
}

type Member = Pick<Endpoint, 'id' | 'hostname' | 'persona' | 'osPlatform' | 'tags'>;

/** @param share of the site's machines that have the first kind of alert; everything else is 5 % frequent */
function lookAtFleet(draw: Draw, share: number) {
  const letter = (n: number) => String.fromCharCode(97 + Math.floor(draw() * n));
  const fleet = Array.from({ length: 200 }, (_, i): Member => {
    const tags = { model: letter(6), vpn: letter(3), image: letter(8), team: letter(10), floor: letter(6) };
    const site = i < 40 ? 'a' : `b${Math.floor(draw() * 4)}`;
    return { id: i + 1, hostname: `pc-${i + 1}`, persona: 'general', osPlatform: 'linux', tags: { site, ...tags } };
  });
  const open = Array.from({ length: 8 }, (_, kind) =>
    fleet
      .filter(({ tags }) => draw() < (kind === 0 && tags.site === 'a' ? share : 0.05))
      .map(({ id, hostname }) => ({
        endpointId: id,
        hostname,
        alertName: `Kind${kind}`,
        severity: 'warning' as const,
        createdAt: new Date(0),
      })),
  ).flat() as unknown as Alert[];
  const finder = cohortFinder<Member>(open);
  finder.add(fleet);
  return finder.find();
}
