/** The shape of a diagnosis: ranked causes with their evidence, what changed before, and what nobody could see. */
import type { Severity } from '../alerts/alert.ts';
import type { Measure } from '../signals/measures.ts';
import type { Change } from './changes.ts';
import type { ScanRecord } from './machineHistory.ts';

/** `nothing_unusual`: nothing that anybody feels; upkeep may wait all the same. `too_little_known`: nothing departs, but there is neither an own usual nor enough peers to tell. */
export const VERDICTS = [
  'cause_found',
  'nothing_unusual',
  'too_little_known',
  'not_reachable',
  'never_scanned',
] as const;
type Verdict = (typeof VERDICTS)[number];

export const EVIDENCE_KINDS = [
  'own_usual',
  'peers',
  'level',
  'program',
  'moves_together',
  'shared_by_peers',
  'changed_before',
  'alert',
  'forecast',
] as const;

export interface Evidence {
  kind: (typeof EVIDENCE_KINDS)[number];
  text: string;
}

export interface DiagnosedCause {
  /** A declared cause, `unreachable`, `reported_by_alert` or `heading_for_limit`. */
  cause: string;
  title: string;
  /** Nobody at the machine feels it: it wants to be put in order some day. */
  isUpkeep: boolean;
  /** 0–1. */
  confidence: number;
  evidence: Evidence[];
  /** When it began; null where its beginning is not in sight. */
  since: Date | null;
  advice: string;
  /** By wire name, the one that shows it best first. */
  signals: Measure[];
  /** Open alerts about it, by id. */
  alertIds: number[];
  /** By what its runbook is found: names of alerts, best first, and a question. */
  alertNames: string[];
  question: string;
}

export interface Diagnosis {
  verdict: Verdict;
  /** Most likely first; upkeep comes last. */
  causes: DiagnosedCause[];
  changedBefore: Change[];
  /** What would have shown a cause and was not measured, with the reason. */
  notMeasured: { signal: Measure; reason: string }[];
  comparedWith: {
    /** Earlier days with scans at the same hours; fewer than three are no usual. */
    ownDays: number;
    ownScans: number;
    peers: number;
  };
  /** When it was last measured; null for never. */
  measuredAt: Date | null;
  notes: string[];
}

/** What a diagnosis reads of an open alert. */
export interface KnownAlert {
  id: number;
  alertName: string;
  severity: Severity;
  message: string;
  createdAt: Date;
  /** The measure that its rule reads; null for alerts of other systems. */
  measure: Measure | null;
}

/** What a diagnosis reads of a current prediction. */
export interface KnownForecast {
  measure: Measure;
  alertName: string;
  /** "about 3 days". */
  impactText: string;
  madeAt: Date;
}

export interface Observed {
  now: Date;
  /** The machine's scans of the last two weeks, in any order. */
  records: readonly ScanRecord[];
  /** The last scan of each peer that answered lately. */
  peers: readonly ScanRecord[];
  alerts: readonly KnownAlert[];
  forecasts: readonly KnownForecast[];
}
