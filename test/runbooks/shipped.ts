/** Reads the shipped runbook pages and playbooks as they lie on disk, for the tests beside it. */
import { readdirSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';

const root = new URL('../../', import.meta.url);

export interface Page {
  /** File name without `.md`. */
  id: string;
  /** Front-matter as parsed, not yet checked. */
  frontMatter: unknown;
  body: string;
}

export const readPages = (): Page[] =>
  names('runbooks', '.md')
    .filter((id) => id !== 'README')
    .map((id) => {
      const text = readText(`runbooks/${id}.md`);
      const [, head, body] = /^---\n(.*?)\n---\n(.*)$/s.exec(text) ?? [];
      if (head === undefined || body === undefined) throw new Error(`runbooks/${id}.md has no front-matter`);
      return { id, frontMatter: parse(head), body };
    });

export const playbookNames = (): string[] => names('runbooks/playbooks', '.yml');

export const readYaml = (path: string): unknown => parse(readText(path));

export const readText = (path: string): string => readFileSync(new URL(path, root), 'utf8');

export const names = (folder: string, ending: string): string[] =>
  readdirSync(new URL(folder, root))
    .filter((name) => name.endsWith(ending))
    .map((name) => name.slice(0, -ending.length));
