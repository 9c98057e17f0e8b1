/** A glossary of concepts: how people say a thing in their own words or language, and the words that runbooks use for it. */
import { terms } from './lexicon.ts';

interface Concept {
  /** The words of runbooks, as search keys. */
  keys: readonly string[];
  /** The same as text, for models that compare meanings. */
  means: string;
  /** What people say in the language of the pages, folded. */
  synonyms: readonly string[];
  /** What people say in other languages, folded. */
  phrases: readonly string[];
}

export interface Glossary {
  concepts: readonly Concept[];
  /** Words of grammar of the languages that people ask in, folded: they say nothing about the fault. */
  ignored: ReadonlySet<string>;
}

export const NO_GLOSSARY: Glossary = { concepts: [], ignored: new Set() };

/** A question with what the glossary knows taken out, and the concepts that were meant. */
interface Translated {
  rest: string;
  concepts: Concept[];
}

/** Phrases of so many letters are found inside longer words too, as German builds them: `Laptopakku`, `Netzwerkdrucker`. */
const COMPOUND_LETTERS = 5;

const UNSPACED = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]/u;

/** Lower case, without accents and punctuation, one space between words. */
export function folded(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/ß/g, 'ss')
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();
}

export function conceptOf(means: string, synonyms: readonly string[], phrases: readonly string[]): Concept {
  const foldedOnes = (texts: readonly string[]) => texts.map(folded).filter(Boolean);
  return { keys: [...new Set(terms(means))], means, synonyms: foldedOnes(synonyms), phrases: foldedOnes(phrases) };
}

/**
 * The concepts that a question in the pages' own language means by words that no page uses; those that pages use find them
 * without help, and a synonym beside them would only draw the search elsewhere.
 */
export function meantBySynonym(question: string, { concepts }: Glossary, isUsed: (key: string) => boolean): Concept[] {
  const text = ` ${folded(question)} `;
  return concepts.filter(({ synonyms }) =>
    synonyms.some((said) => placeOf(said, text) !== null && !terms(said).every(isUsed)),
  );
}

/**
 * What of a question the glossary knows; where phrases overlap the longer one is meant. Words that the pages use themselves
 * are not foreign: `discovery` is no `disco`.
 * @param isUsed whether some page uses a search key
 */
export function translated(
  question: string,
  { concepts, ignored }: Glossary,
  isUsed: (key: string) => boolean,
): Translated {
  let rest = ` ${folded(question)} `;
  const found: Concept[] = [];
  const said = concepts
    .flatMap((concept) => concept.phrases.map((phrase) => ({ concept, phrase })))
    .filter(({ phrase }) => rest.includes(phrase))
    .sort((a, b) => b.phrase.length - a.phrase.length);
  for (const { concept, phrase } of said) {
    const at = placeOf(phrase, rest);
    if (at === null || (!UNSPACED.test(phrase) && terms(rest.slice(at.from, at.to)).every(isUsed))) continue;
    rest = `${rest.slice(0, at.from)} ${rest.slice(at.to)}`;
    if (!found.includes(concept)) found.push(concept);
  }
  const words = rest.split(/\s+/).filter((word) => word !== '' && !ignored.has(word));
  // What is left between known phrases of a language without spaces is grammar.
  const left = found.length > 0 ? words.filter((word) => !UNSPACED.test(word)) : words;
  return { rest: left.join(' '), concepts: found };
}

/** Where a phrase stands, with the ending of the word that it begins or is part of; null when only by accident. */
function placeOf(phrase: string, text: string): { from: number; to: number } | null {
  for (let from = text.indexOf(phrase); from >= 0; from = text.indexOf(phrase, from + 1)) {
    if (UNSPACED.test(phrase)) return { from, to: from + phrase.length };
    const beginsWord = text[from - 1] === ' ';
    const inside = phrase.length >= COMPOUND_LETTERS && !phrase.includes(' ');
    if (!beginsWord && !inside) continue;
    const start = text.lastIndexOf(' ', from) + 1;
    const end = text.indexOf(' ', from + phrase.length);
    const ending = end - (from + phrase.length);
    // A short phrase takes an inflection along and nothing more: `disk` is not `diskette`.
    if (ending > (phrase.length >= COMPOUND_LETTERS ? 12 : 2)) continue;
    return { from: start, to: end };
  }
  return null;
}
