/** Stands before another service and lets it fail: refusals, silence, cut connections, and answers that get lost. */
import { type IncomingMessage, request, type ServerResponse } from 'node:http';
import { startHttpServer } from '../helpers/httpServer.ts';

/** `lost`: the request arrives and is carried out, the answer does not come back. */
export const MOODS = ['limited', 'broken', 'silent', 'reset', 'lost'] as const;
export type Mood = 'well' | (typeof MOODS)[number];

export interface Flaky {
  /** Where the other service is reached now, with the path that it had. */
  url: string;
  mood: Mood;
  /** Answers that were lost so far: what they answered may be asked for again. */
  lost: number;
  stop(): Promise<void>;
}

/** @param target address of the service, with or without a path */
export async function startFlaky(target: string): Promise<Flaky> {
  const { origin, pathname } = new URL(target);
  const server = await startHttpServer((asked, response) => {
    const { mood } = flaky;
    if (mood === 'well' || mood === 'lost') return passOn(origin, asked, response, mood === 'lost' ? lose : undefined);
    asked.resume();
    if (mood === 'limited') response.writeHead(429, { 'retry-after': '1' }).end('{"ok":false,"error":"ratelimited"}');
    else if (mood === 'broken') response.writeHead(500, { 'content-type': 'text/plain' }).end('out of order');
    else if (mood === 'reset') asked.socket.resetAndDestroy();
    // Silence lasts until things are well again.
    else silenced.add(response);
  });
  const silenced = new Set<ServerResponse>();
  const lose = () => {
    flaky.lost++;
  };
  let mood: Mood = 'well';
  const flaky: Flaky = {
    url: `http://127.0.0.1:${server.port}${pathname}`,
    get mood() {
      return mood;
    },
    set mood(next) {
      mood = next;
      for (const response of silenced) response.destroy();
      silenced.clear();
    },
    lost: 0,
    stop: server.stop,
  };
  return flaky;
}

function passOn(origin: string, asked: IncomingMessage, response: ServerResponse, lose?: () => void): void {
  const onward = request(origin + asked.url, { method: asked.method, headers: asked.headers }, (answer) => {
    if (lose) {
      lose();
      answer.resume();
      response.destroy();
      return;
    }
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  onward.on('error', () => response.destroy());
  // Whoever asks may be killed in the middle of it.
  asked.on('error', () => onward.destroy());
  asked.pipe(onward);
}
