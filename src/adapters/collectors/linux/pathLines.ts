/** Takes apart what `grep -s . FILES` prints of several small files: the path, a colon, one line. */

interface PathLine {
  path: string;
  line: string;
}

/** Lines that do not begin with a path are left out. */
export function parsePathLines(text: string): PathLine[] {
  return text.split('\n').flatMap((each) => {
    const [, path, line] = /^(\/[^:]*):(.*)$/.exec(each) ?? [];
    return path && line !== undefined ? [{ path, line }] : [];
  });
}

/** The numbers of the files whose paths match, by the pattern's first group (the whole path without one). */
export function numbersByPath(text: string, pattern: RegExp): Map<string, number> {
  const numbers = new Map<string, number>();
  for (const { path, line } of parsePathLines(text)) {
    const match = pattern.exec(path);
    if (match && /^-?\d+$/.test(line.trim())) numbers.set(match[1] ?? path, Number(line));
  }
  return numbers;
}
