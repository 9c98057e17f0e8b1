/** Where log lines go: standard error, written so that a full disk or a reader that stopped costs lines and nothing else. */
import { fstatSync, writeSync } from 'node:fs';

/** Takes a text, or says why it did not. */
export type LogOutput = (text: string) => Error | null;

/** What a reader that has stopped may leave waiting in memory. */
const MOST_WAITING_BYTES = 4 * 1024 ** 2;

let opened: LogOutput | null = null;

/** A pipe or socket is written without waiting for its reader; a file at once, so that the last lines before a crash are there. */
export function standardError(): LogOutput {
  opened ??= open();
  return opened;
}

function open(): LogOutput {
  let failure: Error | null = null;
  // Libraries and Node itself write there too; without a listener one failed write ends the process.
  process.stderr.on('error', (error) => {
    failure = error;
  });
  return isFile(2) ? fileOutput(2) : streamOutput(process.stderr, () => failure);
}

/** @param fd an open file */
function fileOutput(fd: number): LogOutput {
  let isTorn = false;
  return (text) => {
    const bytes = Buffer.from(isTorn ? `\n${text}` : text);
    let written = 0;
    try {
      while (written < bytes.length) written += writeSync(fd, bytes, written);
      isTorn = false;
      return null;
    } catch (error) {
      if (written > 0) isTorn = true;
      return error as Error;
    }
  };
}

function streamOutput(stream: NodeJS.WriteStream, failure: () => Error | null): LogOutput {
  return (text) => {
    if (!stream.writable) return failure() ?? new Error('nobody reads it any more');
    if (stream.writableLength > MOST_WAITING_BYTES) return new Error('its reader does not keep up');
    stream.write(text);
    return null;
  };
}

function isFile(fd: number): boolean {
  try {
    const stat = fstatSync(fd);
    return !stat.isFIFO() && !stat.isSocket();
  } catch {
    return false; // closed; the stream then takes what is written and drops it
  }
}
