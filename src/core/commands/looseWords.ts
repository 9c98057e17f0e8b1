/** Loose words of a command that only reads: times as people say them, small words between, and near misses of listed values. */
import { readSince } from '../../domain/time/since.ts';
import type { AnyTool } from '../tool.ts';
import { didYouMean, typingDistance } from './didYouMean.ts';
import { countsTime, type Field } from './fields.ts';

/** `Monday the 3rd of March at 9:00 am` and a little more. */
const MOST_TIME_WORDS = 6;
const FILLING = new Set(['on', 'for', 'of', 'at', 'in', 'from', 'the', 'about', 'with']);
/** What can begin a time without "since" before it. */
const BEGINS_TIME = /^(?:today|yesterday|this|last|past)$/i;
/** Whether a phrase is a time depends on neither the hour nor the place. */
const ANY_TIME = new Date('2026-03-02T12:00:00Z');

/** The words with every time in its option and without the small ones; those of a command that takes a sentence stay as they are. */
export function tidied(tool: AnyTool, fields: readonly Field[], words: readonly string[]): string[] {
  if (tool.effect !== 'read' || tool.command?.sentence) return [...words];
  const takesSince = fields.some(({ path }) => path.length === 1 && path[0] === 'since');
  const takesSpan = fields.some(({ name }) => tool.command?.args[0] === name && countsTime(name));
  const tidy: string[] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i] as string;
    const isSince = /^(?:--|[—–])?since$/i.test(word);
    const isTime = isSince || BEGINS_TIME.test(word);
    const time = takesSince && isTime ? timeAt(words, isSince ? i + 1 : i) : null;
    if (time) {
      tidy.push(`--since=${time.text}`);
      i = time.end - 1;
    } else if (takesSince && isSince && i + 1 < words.length) {
      // Whoever reads it says what a time looks like.
      tidy.push(`--since=${words[++i]}`);
    } else if (takesSpan && /^(?:last|past|previous|this)$/i.test(word)) continue;
    else if (!FILLING.has(word.toLowerCase()) || i === words.length - 1) tidy.push(word);
  }
  return tidy;
}

/** The longest time that begins at a word. */
function timeAt(words: readonly string[], from: number): { text: string; end: number } | null {
  for (let end = Math.min(words.length, from + MOST_TIME_WORDS); end > from; end--) {
    const text = words.slice(from, end).join(' ');
    if (!text.includes('--') && readSince(text, ANY_TIME, 'UTC').kind === 'at') return { text, end };
  }
  return null;
}

/** The listed value that a mistyped word is close to; null for what may be the name of a machine. */
export function nearMiss(tool: AnyTool, fields: readonly Field[], word: string): string | null {
  if (tool.effect !== 'read' || tool.command?.sentence || !/^[a-z_]{4,}$/i.test(word)) return null;
  const choices = fields.filter(({ path }) => path.length === 1).flatMap((field) => field.choices);
  const most = Math.max(1, Math.floor(word.length / 4));
  const near = didYouMean(word, choices).find((choice) => typingDistance(word.toLowerCase(), choice) <= most);
  return near ?? null;
}
