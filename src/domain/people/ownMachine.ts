/** How people speak of their own machine, as "my laptop", in commands and in questions. */

const MACHINE = '(?:work\\s+)?(?:laptop|notebook|machine|computer|pc|mac|macbook|desktop|workstation|device)s?';
const OWN_WORD = new RegExp(`^(?:me|mine|my(?:[\\s-]+${MACHINE})?)$`, 'i');
const OWN_IN_TEXT = new RegExp(`\\b(?:my|our)\\s+${MACHINE}\\b|\\bmine\\b`, 'i');
/** What is the speaker's own and lives on a machine: who asks about these asks about their machine. */
const OWN_THING_IN_TEXT =
  /\b(?:my|our)\s+(?:\w+\s+){0,2}(?:disk|drive|battery|wi-?fi|wlan|network|internet|vpn|screen|memory|ram|cpu|fan|apps?|browser|calls?|updates?|score)\b/i;

/** The one word that stands for the asker's own machine where a machine is named. */
const OWN_MACHINE = 'mine';

/** Whether a word where a machine is named means the asker's own. */
export function isOwnMachine(word: string): boolean {
  return OWN_WORD.test(word.trim());
}

/** Whether a question is about the asker's own machine. */
export function asksAboutOwnMachine(question: string): boolean {
  return OWN_IN_TEXT.test(question) || OWN_THING_IN_TEXT.test(question);
}

/** Typed words with "my laptop" as one. */
export function joinOwnMachine(words: readonly string[]): string[] {
  const joined: string[] = [];
  for (let i = 0; i < words.length; i++) {
    const pair = `${words[i]} ${words[i + 1] ?? ''}`;
    if (/^my$/i.test(words[i] as string) && isOwnMachine(pair)) {
      joined.push(OWN_MACHINE);
      i++;
    } else joined.push(words[i] as string);
  }
  return joined;
}
