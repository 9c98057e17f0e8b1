/** The service's side of the command line: commands that come in by the socket of the data folder. */
import { once } from 'node:events';
import { chmod, rm } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Log } from '../../core/ports/ports.ts';
import { type CommandRequest, commandSocket, type Reply, received, type ServiceMessage, send } from './messages.ts';
import type { Terminal } from './terminal.ts';

interface CommandService {
  close(): Promise<void>;
}

/** Each waits for somebody at a terminal. */
const MOST_CONNECTIONS = 50;

/**
 * Listens for commands of whoever may open the data folder; where that cannot be, commands do their work themselves.
 * @param differing names the settings of a caller that contradict the service's own
 */
export async function listenForCommands(
  dataDir: string,
  log: Log,
  differing: (env: Record<string, string>) => string[],
  run: (argv: string[], terminal: Terminal, signal: AbortSignal) => Promise<number>,
): Promise<CommandService> {
  const path = commandSocket(dataDir);
  if (process.platform === 'win32' || (await isTaken(path))) return { close: async () => {} };
  await rm(path, { force: true });
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    socket.on('error', () => {});
    serve(socket).catch((error: Error) => {
      log.warn({ error: error.message }, 'a command was cut off');
      socket.destroy();
    });
  });
  server.maxConnections = MOST_CONNECTIONS;
  try {
    await listening(server, path);
  } catch (error) {
    log.warn({ error: (error as Error).message }, 'the command line cannot ask this service, and works by itself');
    return { close: async () => {} };
  }
  return {
    async close() {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };

  async function serve(socket: Socket): Promise<void> {
    const replies = received<CommandRequest | Reply>(socket);
    const { value: request } = (await replies.next()) as IteratorResult<CommandRequest | undefined>;
    if (request === undefined) return;
    const differences = differing(request.env);
    if (differences.length > 0) return finish({ differs: differences });
    const gone = new AbortController();
    socket.on('close', () => gone.abort());
    const ask = async (message: ServiceMessage) => {
      send(socket, message);
      const { value } = (await replies.next()) as IteratorResult<Reply | undefined>;
      if (value === undefined) throw new Error('whoever typed the command has gone');
      if ('error' in value) throw new Error(value.error);
      return value;
    };
    finish({
      exit: await run(
        request.argv,
        remoteTerminal(request, (message) => send(socket, message), ask),
        gone.signal,
      ),
    });

    function finish(message: ServiceMessage): void {
      send(socket, message);
      socket.end();
    }
  }
}

async function listening(server: Server, path: string): Promise<void> {
  server.listen(path);
  await once(server, 'listening');
  await chmod(path, 0o600);
}

/** Whether another service of this data folder listens already. A socket that nobody listens at is left from one that was killed. */
async function isTaken(path: string): Promise<boolean> {
  const socket = connect(path);
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

function remoteTerminal(
  { facts, canAsk }: CommandRequest,
  say: (message: ServiceMessage) => void,
  ask: (message: ServiceMessage) => Promise<Reply>,
): Terminal {
  return {
    facts,
    out: (text) => say({ out: text }),
    err: (text) => say({ err: text }),
    progress: (share, message) => say({ progress: [share, message] }),
    browse: (url) => say({ browse: url }),
    ...(canAsk && {
      ask: async (question: string) => ((await ask({ ask: question })) as { yes?: boolean }).yes === true,
    }),
    read: async (name) => Buffer.from(((await ask({ read: name })) as { bytes: string }).bytes, 'base64'),
    async write(name, bytes) {
      await ask({ write: name, bytes: Buffer.from(bytes).toString('base64') });
    },
  };
}
