/** The shape of one declared cause of a slow machine. */
import type { Measure } from '../signals/measures.ts';

export interface CauseDeclaration {
  /** `wifi_weak`: stable, for programs. */
  cause: string;
  /** What is wrong, as people say it; what a program or volume is called follows it. */
  title: string;
  /** Any of these measures establishes it. */
  shownBy: readonly Measure[];
  /** Measures that follow from it: a cause that only these show is a consequence. */
  bringsAbout: readonly Measure[];
  /** 0–1: how much a person is hindered by it; what only wants to be put in order some day is low. */
  weight: number;
  /** Wants to be put in order some day, and nobody at the machine feels it. */
  upkeep?: true;
  /** What to do first, one sentence. */
  advice: string;
  /** How its runbook is searched. */
  question: string;
  /** Names under which alerts speak of it, best first. */
  alerts: readonly string[];
  /** Established only by what came on over hours, or only at once. */
  onset?: 'gradual' | 'sudden';
  /** Established only where a program's share grew with it. */
  program?: 'top_cpu_pct' | 'top_memory_pct';
}
