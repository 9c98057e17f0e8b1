/** What a question asks for: its search keys, with known phrases translated, typing errors corrected and telling numbers kept. */
import type { Glossary } from './glossary.ts';
import { meantBySynonym, translated } from './glossary.ts';
import { MAX_QUERY_CHARS, MAX_QUERY_TERMS, queryTerms, terms, withoutLabelValues } from './lexicon.ts';
import { corrected, type Vocabulary } from './vocabulary.ts';

interface Question {
  keys: string[];
  /** For comparing meanings. */
  text: string;
}

/** A number is kept when at most this share of the pages has it: `0x80070002` tells what is wrong, `15` does not. */
const TELLING_SHARE = 0.1;
const SHORTEST_NUMBER = 3;

export function understood(text: string, glossary: Glossary, vocabulary: Vocabulary): Question {
  const plain = withoutLabelValues(text) || text.slice(0, 300);
  const isUsed = (key: string) => vocabulary.frequency.has(key);
  const { rest, concepts } = translated(plain, glossary, isUsed);
  // Camel case is part of what an alert name says, so the keys come from the text as it was written where nothing was translated.
  const own = concepts.length === 0 ? queryTerms(text) : terms(rest);
  const synonyms = meantBySynonym(plain, glossary, isUsed);
  const keys = [
    ...own.map((key) => corrected(key, vocabulary)),
    ...[...concepts, ...synonyms].flatMap(({ keys }) => keys),
    ...tellingNumbers(text, vocabulary),
  ];
  return {
    keys: [...new Set(keys)].slice(0, MAX_QUERY_TERMS),
    text: [concepts.length === 0 ? plain : rest, ...[...concepts, ...synonyms].map(({ means }) => means)]
      .filter(Boolean)
      .join(' '),
  };
}

/** Numbers and codes of the question that pages carry, rarely enough to tell them apart. */
function tellingNumbers(text: string, { frequency, pages }: Vocabulary): string[] {
  return terms(text.slice(0, MAX_QUERY_CHARS)).filter((key) => {
    if (key.length < SHORTEST_NUMBER || !/\d/.test(key)) return false;
    const found = frequency.get(key) ?? 0;
    return found > 0 && found <= Math.max(1, pages * TELLING_SHARE);
  });
}

/** What a machine is called says nothing of its problem, and a page that shares a part of the name would seem to fit. */
export function withoutName(text: string, hostname: string): string {
  return text.replace(new RegExp(hostname.replaceAll('.', '\\.'), 'gi'), ' ');
}
