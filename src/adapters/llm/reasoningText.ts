/** Takes out of a model's text the reasoning that some models write into it between `<think>` and `</think>`. */

const OPEN = '<think>';
const CLOSE = '</think>';

/**
 * Fed piece by piece as a stream brings it, it returns what of the text is for people.
 * @returns `withdraw` when all that was returned so far turns out to have been reasoning: some servers send only the closing tag
 */
export function withoutReasoning(): { add(piece: string): { text: string; withdraw: boolean }; end(): string } {
  let inside = false;
  /** Whether a whole passage of reasoning has been seen, or anything of one. */
  let tagged = false;
  /** The end of the text so far, while it may be the beginning of a tag. */
  let held = '';
  /** White space around reasoning is not part of the answer. */
  let atStart = true;
  const shown = (text: string): string => {
    const trimmed = atStart ? text.trimStart() : text;
    if (trimmed !== '') atStart = false;
    return trimmed;
  };
  return {
    add(piece) {
      held += piece;
      let text = '';
      let withdraw = false;
      for (;;) {
        const [open, close] = [held.indexOf(OPEN), held.indexOf(CLOSE)];
        if (inside) {
          if (close < 0) break;
          held = held.slice(close + CLOSE.length);
          inside = false;
          atStart = text === '' || atStart;
        } else if (close >= 0 && (open < 0 || close < open) && !tagged) {
          held = held.slice(close + CLOSE.length);
          [text, withdraw, atStart, tagged] = ['', true, true, true];
        } else if (open >= 0) {
          text += shown(held.slice(0, open));
          held = held.slice(open + OPEN.length);
          inside = true;
          tagged = true;
        } else break;
      }
      const kept = tagStart(held, inside ? CLOSE : OPEN, inside || tagged ? null : CLOSE);
      if (!inside) text += shown(held.slice(0, held.length - kept));
      held = held.slice(held.length - kept);
      return { text, withdraw };
    },

    end() {
      const rest = inside ? '' : shown(held);
      held = '';
      return rest;
    },
  };
}

/** How many characters at the end of `text` may begin one of the tags. */
function tagStart(text: string, tag: string, other: string | null): number {
  for (let length = Math.min(text.length, CLOSE.length - 1); length > 0; length--) {
    const end = text.slice(-length);
    if (tag.startsWith(end) || other?.startsWith(end)) return length;
  }
  return 0;
}

/** Collects a reply's text for people and passes it on as it comes. */
export function replyText(heard: { onText?: (delta: string) => void; onTextWithdrawn?: () => void }): {
  add(piece: string): void;
  end(): string;
} {
  const reasoning = withoutReasoning();
  let whole = '';
  const give = (text: string) => {
    if (text === '') return;
    whole += text;
    heard.onText?.(text);
  };
  return {
    add(piece) {
      const { text, withdraw } = reasoning.add(piece);
      if (withdraw && whole !== '') {
        whole = '';
        heard.onTextWithdrawn?.();
      }
      give(text);
    },
    end() {
      give(reasoning.end());
      return whole;
    },
  };
}
