/** The quick way of a command: the service that is running does it. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type CommandRequest, commandSocket, type Reply, received, type ServiceMessage, send } from './messages.ts';
import type { Terminal } from './terminal.ts';

/**
 * Lets the running service do the command.
 * @returns the exit code; null when no service runs on this data folder, or one that is set up differently
 */
export async function askService(
  argv: string[],
  env: Record<string, string | undefined>,
  dataDir: string,
  terminal: Terminal,
): Promise<number | null> {
  const socket = await connected(commandSocket(dataDir));
  if (socket === null) return null;
  try {
    // Settings have names in capitals; the rest of an environment is nobody's business.
    const settings = Object.entries(env).filter(
      ([name, value]) => value !== undefined && /^[A-Z][A-Z0-9_]+$/.test(name),
    );
    const request: CommandRequest = {
      argv,
      env: Object.fromEntries(settings) as Record<string, string>,
      facts: terminal.facts,
      canAsk: terminal.ask !== undefined,
    };
    send(socket, request);
    for await (const message of received<ServiceMessage>(socket)) {
      if ('differs' in message) return null;
      if ('exit' in message) return message.exit;
      const reply = await carryOut(message, terminal);
      if (reply) send(socket, reply);
    }
  } catch (error) {
    terminal.err(`The service went away: ${(error as Error).message}`);
    return LOST;
  } finally {
    socket.destroy();
  }
  terminal.err('The service stopped before it answered.');
  return LOST;
}

/** As for every service that is not available. */
const LOST = 6;

async function connected(path: string): Promise<Socket | null> {
  // Named pipes have other rights than files.
  if (process.platform === 'win32') return null;
  const socket = connect(path);
  try {
    await once(socket, 'connect');
    return socket;
  } catch {
    return null;
  }
}

async function carryOut(message: ServiceMessage, terminal: Terminal): Promise<Reply | null> {
  if ('out' in message) terminal.out(message.out);
  else if ('err' in message) terminal.err(message.err);
  else if ('progress' in message) terminal.progress?.(...message.progress);
  else if ('browse' in message) terminal.browse(message.browse);
  else if ('ask' in message) return { yes: (await terminal.ask?.(message.ask)) ?? false };
  else if ('read' in message)
    return terminal.read(message.read).then((bytes) => ({ bytes: Buffer.from(bytes).toString('base64') }), failed);
  else if ('write' in message)
    return terminal.write(message.write, Buffer.from(message.bytes, 'base64')).then(() => ({ done: true }), failed);
  return null;
}

const failed = (error: Error): Reply => ({ error: error.message });
