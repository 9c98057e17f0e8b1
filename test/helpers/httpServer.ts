/** A loopback HTTP server for the length of a test. */
import { createServer, type RequestListener } from 'node:http';

/** Serves on a free port of 127.0.0.1; `stop` also cuts the connections that are still open. */
export async function startHttpServer(listener: RequestListener): Promise<{ port: number; stop(): Promise<void> }> {
  const server = createServer(listener);
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server got no TCP port');
  return {
    port: address.port,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}
