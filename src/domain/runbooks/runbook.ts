/** What a runbook is: its front-matter, its title and names, and the sections it is searched by. */

/** A larger file is refused: a page that long is no runbook, and nobody reads it during an incident. */
export const MAX_RUNBOOK_BYTES = 1_000_000;
/** Longer sections are cut between paragraphs; about what an embedding model reads at once (256 word pieces). */
export const MAX_SECTION_CHARS = 1_500;
/** Goes up when chunking, the lexicon or what is stored changes, so that an index made by the older rules is rebuilt. */
export const INDEX_FORMAT = 2;

export const PLATFORMS = ['linux', 'macos', 'windows'] as const;
export type Platform = (typeof PLATFORMS)[number];

export interface RunbookFacts {
  title: string;
  /** Alert names this page answers. */
  alerts: string[];
  /** Empty when the page holds for every platform. */
  platforms: Platform[];
  severity: string | null;
  /** Name of the playbook that does what the page says, where one is safe. */
  playbook: string | null;
}

interface Section {
  /** The headings above the text, outermost first, joined by ` › `; the page's title when there is none. */
  heading: string;
  text: string;
}

/** A doc_id that may become a page's file name: no folder, no leading dot, at most 128 characters, not the folder's README. */
export function isDocId(docId: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(docId) && !docId.includes('..') && docId.toLowerCase() !== 'readme';
}

/** Cuts the block between the first two `---` lines off. `yaml` is null when there is none; it is not parsed here. */
export function splitFrontMatter(source: string): { yaml: string | null; body: string } {
  const text = source.replace(/^\uFEFF/, '').replace(/\r\n?/g, '\n');
  const match = /^---[ \t]*\n([\s\S]*?)\n?---[ \t]*(?:\n|$)/.exec(text);
  return match ? { yaml: match[1] ?? '', body: text.slice(match[0].length) } : { yaml: null, body: text };
}

/**
 * The facts of a page from its parsed front-matter (any shape; null when there is none) and its body. What does not
 * fit is left out and named in `problems`; the title falls back to the first heading, then to the doc_id.
 */
export function factsOf(
  docId: string,
  frontMatter: unknown,
  body: string,
): { facts: RunbookFacts; problems: string[] } {
  const problems: string[] = [];
  const fields = isRecord(frontMatter) ? frontMatter : {};
  if (frontMatter !== null && !isRecord(frontMatter)) problems.push('front-matter is not a list of `key: value` lines');

  const text = (key: string): string | null => {
    const value = fields[key];
    if (value === undefined || value === null) return null;
    if (typeof value === 'string' && value.trim() !== '') return value.trim();
    problems.push(`front-matter ${key} must be text`);
    return null;
  };
  const list = (key: string): string[] => {
    const value = fields[key];
    if (value === undefined || value === null) return [];
    const items = Array.isArray(value) ? value : [value];
    const texts = items.filter((item): item is string => typeof item === 'string' && item.trim() !== '');
    if (texts.length < items.length) problems.push(`front-matter ${key} must be a list of texts`);
    return texts.map((item) => item.trim());
  };
  const platforms = list('platforms').map((name) => name.toLowerCase());
  const unknown = platforms.filter((name) => !isPlatform(name));
  if (unknown.length > 0)
    problems.push(`front-matter platforms knows ${PLATFORMS.join(', ')}, not ${unknown.join(', ')}`);

  const facts: RunbookFacts = {
    title: text('title') ?? firstHeading(body) ?? docId.replace(/[_-]+/g, ' '),
    alerts: list('alerts'),
    platforms: platforms.filter(isPlatform),
    severity: text('severity'),
    playbook: text('playbook'),
  };
  return { facts, problems };
}

/** The page in sections by heading, fenced code left whole where it fits; never empty when the body has text. */
export function sectionsOf(title: string, body: string): Section[] {
  const sections: Section[] = [];
  const above: { level: number; text: string }[] = [];
  let lines: string[] = [];
  let fence: string | null = null;

  const close = () => {
    const heading = above.map(({ text }) => text).join(' › ') || title;
    for (const text of cut(lines.join('\n').trim())) sections.push({ heading, text });
    lines = [];
  };
  for (const line of body.split('\n')) {
    const mark = /^\s{0,3}(```+|~~~+)/.exec(line)?.[1];
    if (fence !== null) {
      if (mark?.startsWith(fence)) fence = null;
    } else if (mark) {
      fence = mark;
    } else {
      const heading = /^ {0,3}(#{1,6})\s+(.+?)\s*#*\s*$/.exec(line);
      if (heading?.[1] && heading[2]) {
        close();
        const level = heading[1].length;
        while ((above.at(-1)?.level ?? 0) >= level) above.pop();
        // The page's own title is said by every section; as a heading it would only repeat.
        if (heading[2] !== title || level > 1) above.push({ level, text: heading[2] });
        continue;
      }
    }
    lines.push(line);
  }
  close();
  return sections;
}

/** What a section is compared by: it must stand alone, so the page's title and the headings above go with it. */
export function sectionText(title: string, section: Section): string {
  return section.heading === title ? `${title}\n${section.text}` : `${title}\n${section.heading}\n${section.text}`;
}

/** What the whole page is compared by. */
export function documentText(facts: RunbookFacts, body: string): string {
  return [facts.title, ...facts.alerts, body].join('\n');
}

function cut(text: string): string[] {
  if (text.length <= MAX_SECTION_CHARS) return text === '' ? [] : [text];
  const parts: string[] = [];
  let part = '';
  for (const paragraph of text.split(/\n{2,}/).flatMap(cutLongParagraph)) {
    if (part !== '' && part.length + paragraph.length + 2 > MAX_SECTION_CHARS) {
      parts.push(part);
      part = '';
    }
    part = part === '' ? paragraph : `${part}\n\n${paragraph}`;
  }
  return part === '' ? parts : [...parts, part];
}

function cutLongParagraph(paragraph: string): string[] {
  const pieces: string[] = [];
  for (let rest = paragraph; rest !== ''; ) {
    // At a line's end, else at a space, else in mid-word: a wall of text must not become one section.
    const room = rest.slice(0, MAX_SECTION_CHARS);
    const end = Math.max(room.lastIndexOf('\n'), room.lastIndexOf(' '));
    const length = rest.length <= MAX_SECTION_CHARS ? rest.length : end > 0 ? end + 1 : MAX_SECTION_CHARS;
    pieces.push(rest.slice(0, length).trimEnd());
    rest = rest.slice(length);
  }
  return pieces.filter((piece) => piece.trim() !== '');
}

function firstHeading(body: string): string | null {
  return /^ {0,3}#{1,6}\s+(.+?)\s*#*\s*$/m.exec(body)?.[1] ?? null;
}

function isPlatform(name: string): name is Platform {
  return PLATFORMS.some((platform) => platform === name);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
