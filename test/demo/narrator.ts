/** Tells the demo in the terminal: numbered steps with the time since its start, and what is simulated named as such. */
import { styleText } from 'node:util';

const WIDTH = 110;

export interface Narrator {
  step(title: string): void;
  say(text: string): void;
  /** What is not as in real life. */
  simulated(text: string): void;
  /** What Slack shows. */
  slack(where: string, text: string): void;
}

export function createNarrator(write: (text: string) => void): Narrator {
  const startedAt = performance.now();
  let steps = 0;
  const line = (mark: string, text: string) => {
    for (const [i, row] of wrapped(text).entries()) write(`        ${i === 0 ? mark : ' '} ${row}\n`);
  };
  return {
    step(title) {
      const seconds = ((performance.now() - startedAt) / 1000).toFixed(1).padStart(5);
      write(`\n${styleText('dim', `${seconds} s`)} ${styleText('bold', `${++steps}. ${title}`)}\n`);
    },
    say: (text) => line('·', text),
    simulated: (text) => line(styleText('yellow', '~'), `simulated: ${text}`),
    slack: (where, text) => line(styleText('cyan', '#'), `${where}  ${text}`),
  };
}

function wrapped(text: string): string[] {
  const rows: string[] = [''];
  // Without the joiners that keep Slack's marks from pairing up.
  for (const word of text.replaceAll('\u2060', '').split(/\s+/)) {
    const row = rows.at(-1)!;
    if (row !== '' && row.length + word.length >= WIDTH) rows.push(word);
    else rows[rows.length - 1] = row === '' ? word : `${row} ${word}`;
  }
  return rows;
}
