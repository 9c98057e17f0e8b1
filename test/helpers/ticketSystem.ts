/** A ticket system on loopback that answers as the test says and keeps what it was sent. */
import type { IncomingHttpHeaders } from 'node:http';
import { startHttpServer } from './httpServer.ts';

export interface Sent {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  text: string;
}

export interface Answer {
  status?: number;
  headers?: Record<string, string>;
  text?: string;
  /** Says nothing and cuts the connection. */
  silent?: boolean;
}

export interface TicketSystemDouble {
  url: string;
  sent: Sent[];
  answer: Answer;
  stop(): Promise<void>;
}

export async function startTicketSystem(): Promise<TicketSystemDouble> {
  const sent: Sent[] = [];
  const server = await startHttpServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => {
      text += chunk;
    });
    request.on('end', () => {
      sent.push({ method: request.method ?? '', path: request.url ?? '', headers: request.headers, text });
      const { status = 200, headers = {}, text: body, silent } = double.answer;
      if (silent) {
        response.destroy();
        return;
      }
      response.writeHead(status, { 'Content-Type': 'application/json', ...headers });
      response.end(body ?? JSON.stringify({ id: `T-${sent.length}`, url: `http://127.0.0.1/T-${sent.length}` }));
    });
  });
  const double: TicketSystemDouble = {
    url: `http://127.0.0.1:${server.port}/tickets`,
    sent,
    answer: {},
    stop: server.stop,
  };
  return double;
}
