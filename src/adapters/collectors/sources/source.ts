/** Where a figure comes from: files or one program's output, read alike on this machine and over SSH. */

/** Stands in a command for the seconds of log that are to be read. */
export const SPAN = '{span}';

export interface Source {
  /** Letters alone: it marks the source's part of a report. */
  name: string;
  /** Paths to read, each with any number of `*` within a segment. */
  files?: readonly string[];
  /** Whether every line is to be marked with its file's path, as `grep -s . FILES` does. */
  withPaths?: boolean;
  /** Program and arguments; they are constants but for `SPAN`, nothing from an endpoint's options is ever among them. */
  command?: readonly [string, ...string[]];
  /** Seconds that the program may take, 5 by default. */
  timeoutS?: number;
}

/** What a source gave. */
export interface SourceText {
  text: string;
  /** First line that the program wrote to its standard error. */
  remark: string;
  /** Exit code; 0 for files, null when the program was stopped because its time was up. */
  code: number | null;
}

/** Texts by source name; a source that is not there (no such file, no such program) has none. */
export class Texts {
  private readonly texts: Map<string, SourceText>;

  constructor(texts: Map<string, SourceText>) {
    this.texts = texts;
  }

  /** These texts and those. */
  and(others: Texts): Texts {
    return new Texts(new Map([...this.texts, ...others.texts]));
  }

  find({ name }: Source): SourceText | null {
    return this.texts.get(name) ?? null;
  }

  /** The source's text, empty when there is none. */
  text(source: Source): string {
    return this.find(source)?.text ?? '';
  }
}

/** More of one source is no measurement but a fault; what is beyond is cut off. */
export const MAX_SOURCE_BYTES = 512 * 1024;
export const DEFAULT_TIMEOUT_S = 5;
