/** Shows on a terminal how far long work is; where nobody watches, one line for every tenth of it. */

const WIDTH = 30;

interface ProgressStream {
  isTTY?: boolean;
  write(text: string): unknown;
}

export function progressBar(stream: ProgressStream): {
  /** @param share 0–1 */
  show(share: number, message: string): void;
  /** Takes the bar off the terminal, so that other text has the line for itself. */
  clear(): void;
} {
  let tenthsShown = -1;
  let drawn = false;
  return {
    show(share, message) {
      const done = Math.min(1, Math.max(0, share));
      if (stream.isTTY) {
        const filled = Math.round(done * WIDTH);
        stream.write(`\r\u001B[K[${'█'.repeat(filled)}${'░'.repeat(WIDTH - filled)}] ${message}`);
        drawn = true;
        return;
      }
      const tenths = Math.floor(done * 10);
      if (tenths <= tenthsShown) return;
      tenthsShown = tenths;
      stream.write(`${message}\n`);
    },
    clear() {
      if (drawn) stream.write('\r\u001B[K');
      drawn = false;
    },
  };
}
