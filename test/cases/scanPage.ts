/** Scans an exporter's page as the service does: over HTTP, by the real collector, twice, and judges what was found. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, join, resolve } from 'node:path';
import { parse } from 'yaml';
import { createCollectors } from '../../src/adapters/collectors/collectors.ts';
import { ScoreFile } from '../../src/core/scores/scoreRules.ts';
import { findingsOf, judgeMeasurements } from '../../src/domain/alerts/alertRules.ts';
import { type Score, scoreSnapshot } from '../../src/domain/scores/score.ts';
import type { OsPlatform } from '../../src/domain/signals/declaration.ts';
import { type ScanTarget, type Snapshot, sanitised } from '../../src/domain/signals/telemetry.ts';

const ROOT = resolve(import.meta.dirname, '../..');
export const PAGES = join(ROOT, 'test/fixtures/cases/pages');
const RULES = ScoreFile.parse(parse(readFileSync(join(ROOT, 'config/dex_score.yaml'), 'utf8')));
const THRESHOLDS = { warning: 60, critical: 40 };
/** A Wednesday at noon: people work. */
const NOW = new Date('2026-11-25T12:00:00Z');
/** Scans in a row, more than any rule about a sick machine waits for. */
const SCANS = 5;

export interface Judgement {
  snapshot: Snapshot;
  score: Score | null;
  /** By name, with the severity. */
  alerts: Map<string, string>;
}

/** @param file a page in Prometheus text format; counters grow from scrape to scrape */
export async function scanPage(file: string): Promise<Judgement> {
  const page = readFileSync(file, 'utf8');
  let scrapes = 0;
  const server = createServer((_, response) => response.end(grown(page, scrapes++)));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const collectors = createCollectors({
    ssh: { knownHosts: { get: async () => null, set: async () => {} }, keysDir: null },
  });
  try {
    const target = targetFor(basename(file), page, (server.address() as AddressInfo).port);
    const scan = (minutes: number) =>
      collectors.collect(target, {
        now: new Date(NOW.getTime() + minutes * 60_000),
        signal: new AbortController().signal,
        previousScanAt: null,
        quick: true,
      });
    await scan(0);
    return judge(await scan(15), target.osPlatform);
  } finally {
    await collectors.close();
    server.close();
  }
}

/** What the rules say of a snapshot that is found again and again. */
export function judge(found: Snapshot, osPlatform: OsPlatform): Judgement {
  const snapshot = sanitised(found);
  const score = scoreSnapshot(
    { snapshot, osPlatform, persona: 'general' },
    { total: 0, resolved: 0 },
    RULES,
    THRESHOLDS,
  );
  const alerts = new Map<string, string>();
  let breaches: Record<string, number> = {};
  for (let scan = 0; scan < SCANS; scan++) {
    const findings = findingsOf(RULES, snapshot, osPlatform);
    const judged = judgeMeasurements({ id: 1, hostname: 'pc-1', breaches }, snapshot.collectedAt, findings, [], RULES);
    breaches = judged.breaches;
    for (const each of judged.observations) if (each.state === 'firing') alerts.set(each.alertName, each.severity);
  }
  return { snapshot, score, alerts };
}

function targetFor(name: string, page: string, port: number): ScanTarget {
  const isWindows = /^windows_/m.test(page);
  const isMac = /mountpoint="\/System\/Volumes\//.test(page);
  const osPlatform = isWindows ? 'windows' : isMac ? 'macos' : /freebsd/.test(name) ? 'other' : 'linux';
  const collector = isWindows ? 'windows_exporter' : 'node_exporter';
  return { hostname: name.replace(/\W+/g, '-'), ipAddress: '127.0.0.1', osPlatform, collector, options: { port } };
}

/** Counters a hundredth further with each scrape. */
function grown(page: string, scrapes: number): string {
  return page.replace(
    /^(\w+(?:_total|pswpin|pswpout)(?:\{[^}]*\})?) ([\d.e+]+)(\s|$)/gm,
    (_line, series: string, value: string, end: string) => `${series} ${Number(value) * (1 + scrapes / 100)}${end}`,
  );
}
