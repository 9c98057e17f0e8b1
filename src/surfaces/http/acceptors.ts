/** Further sockets that accept connections for one HTTP server, so that a fleet which wakes at once finds room. */
import type { Server as HttpServer } from 'node:http';
import type { Server as NetServer, Socket } from 'node:net';
import { AppError } from '../../core/errors.ts';

// Not imported, for the reason that router.ts gives.
const { createServer } = process.getBuiltinModule('node:net');

/**
 * Connections that wait to be accepted at each socket; the kernel's own limit (net.core.somaxconn) may be lower. What finds no room is
 * tried again by its sender after 1, 3, 7 and 15 seconds.
 */
const MOST_WAITING = 16_384;

/** libuv accepts one connection a turn of the event loop and socket, whose turns become long while reports are taken in. */
const SOCKETS = 8;

/** Only Linux spreads connections over the sockets of one port. */
const IS_SPREAD = process.platform === 'linux';

/**
 * Opens the server's own socket and the further ones.
 * @returns the port, and what closes the further sockets and waits for their connections
 * @throws AppError `unavailable` when another program has the port
 */
export async function openSockets(
  server: HttpServer,
  host: string,
  port: number,
): Promise<{ port: number; close(): Promise<void> }> {
  // Sockets that share a port would share it with another service of the same user too, without a word; this one does not.
  if (IS_SPREAD && port !== 0) await closed(await opened(createServer(), { host, port }));
  await opened(server, { host, port, reusePort: IS_SPREAD });
  const own = (server.address() as { port: number }).port;
  const further: NetServer[] = [];
  for (let at = 1; IS_SPREAD && at < SOCKETS; at++) {
    // As Node's own HTTP server accepts.
    const acceptor = createServer({ allowHalfOpen: true, noDelay: true }, (socket: Socket) => {
      server.emit('connection', socket);
    });
    further.push(await opened(acceptor, { host, port: own, reusePort: true }));
  }
  return {
    port: own,
    close: async () => {
      await Promise.all(further.map(closed));
    },
  };
}

function opened<S extends NetServer>(
  server: S,
  where: { host: string; port: number; reusePort?: boolean },
): Promise<S> {
  return new Promise((resolve, reject) => {
    const refused = (error: NodeJS.ErrnoException) =>
      reject(
        error.code === 'EADDRINUSE'
          ? new AppError(
              'unavailable',
              `Port ${where.port} is taken by another program. Stop it, or set PORT to a free one.`,
            )
          : error,
      );
    server.once('error', refused);
    server.listen({ ...where, backlog: MOST_WAITING }, () => {
      server.off('error', refused);
      resolve(server);
    });
  });
}

function closed(server: NetServer): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}
