/** What the command line and the running service say to each other: a JSON value a line, on a socket in the data folder. */

import type { Socket } from 'node:net';
import { join } from 'node:path';
import type { TerminalFacts } from './terminal.ts';

/** From the command line: first the command, then an answer to each question of the service. */
export interface CommandRequest {
  argv: string[];
  /** The settings that the caller set, for the service to see that they do not contradict its own. */
  env: Record<string, string>;
  facts: TerminalFacts;
  canAsk: boolean;
}
export type Reply = { yes: boolean } | { bytes: string } | { done: true } | { error: string };

/** From the service. Those with a reply wait for it before the next is sent. */
export type ServiceMessage =
  | { out: string }
  | { err: string }
  | { progress: [share: number, message: string] }
  | { ask: string }
  | { read: string }
  /** `bytes` in base64. */
  | { write: string; bytes: string }
  | { browse: string }
  | { exit: number }
  /** It runs with other settings than the caller's: the caller does the work itself. */
  | { differs: string[] };

/** The largest file that a command takes, in base64 and with what stands around it. */
const MOST_LINE_BYTES = 24_000_000;

/** Where the service listens for commands: who may open the data folder may ask it. */
export function commandSocket(dataDir: string): string {
  return join(dataDir, 'dex.sock');
}

export function send(socket: Socket, message: CommandRequest | Reply | ServiceMessage): void {
  if (socket.writable) socket.write(`${JSON.stringify(message)}\n`);
}

/** The messages of the other side, until it closes. Whoever sends a line without an end is cut off. */
export async function* received<Message>(socket: Socket): AsyncGenerator<Message> {
  let parts: string[] = [];
  let bytes = 0;
  socket.setEncoding('utf8');
  for await (const chunk of socket as AsyncIterable<string>) {
    const [head, ...lines] = chunk.split('\n');
    parts.push(head!);
    bytes += head!.length;
    if (bytes > MOST_LINE_BYTES) throw new Error('the line is too long');
    for (const line of lines) {
      yield JSON.parse(parts.join('')) as Message;
      parts = [line];
      bytes = line.length;
    }
  }
}
