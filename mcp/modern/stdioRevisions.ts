/** One connection, such as stdio, for every revision: each message goes to the server of the revision that it is written in. */
import type { Server as LegacyServer } from '@modelcontextprotocol/sdk/server/index.js';
import type { Transport as LegacyTransport } from '@modelcontextprotocol/sdk/shared/transport.js';
import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js';
import { PROTOCOL_VERSION_META_KEY, type Server, type Transport } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import type { Log } from '../../src/core/ports/ports.ts';
import type { Changes } from '../../src/core/processes/changes.ts';
import { withLooseArguments } from '../lenientArguments.ts';
import { eventsOf } from './changeEvents.ts';

export interface Connection {
  close(): Promise<void>;
}

interface Served {
  createServer(): LegacyServer;
  createModernServer(): Server;
  changes: Changes;
  log: Log;
}

/** Subscriptions of one connection; a client needs one. */
const MOST_SUBSCRIPTIONS = 20;

/** @param wire not started yet */
export async function serveBoth(wire: LegacyTransport, served: Served): Promise<Connection> {
  const { log } = served;
  const legacyEnd = endOf(wire);
  const modernEnd = endOf(wire);
  const legacy = served.createServer();
  await legacy.connect(legacyEnd);
  const onerror = (error: Error) => log.debug({ err: error }, 'MCP protocol error');
  const modernServer: { current: Server | null } = { current: null };
  const modern = serveStdio(
    () => {
      modernServer.current = served.createModernServer();
      return modernServer.current;
    },
    { legacy: 'reject', transport: modernEnd as Transport, maxSubscriptions: MOST_SUBSCRIPTIONS, onerror },
  );
  let stopWatching: (() => void) | null = null;
  /** The store is asked only once somebody listens. */
  const watch = () => {
    stopWatching ??= served.changes.subscribe((topics) => {
      const server = modernServer.current;
      for (const { kind, uri } of eventsOf(topics)) {
        const sent =
          kind === 'resource_updated' ? server?.sendResourceUpdated({ uri }) : server?.sendResourceListChanged();
        sent?.catch(onerror);
      }
    });
  };

  let speaksModern = false;
  wire.onmessage = (message, extra) => {
    // Answers and notifications say no revision; they belong to whoever spoke last.
    if ('method' in message && 'id' in message) speaksModern = namesRevision(message);
    else if (namesRevision(message)) speaksModern = true;
    if ('method' in message && message.method === 'subscriptions/listen') watch();
    if (speaksModern) modernEnd.onmessage?.(withLooseArguments(message), extra);
    else legacyEnd.onmessage?.(message, extra);
  };
  wire.onerror = onerror;
  wire.onclose = () => {
    legacyEnd.onclose?.();
    modernEnd.onclose?.();
  };
  await wire.start();
  return {
    async close() {
      stopWatching?.();
      await Promise.all([modern.close(), legacy.close()]);
      await wire.close();
    },
  };
}

/** What a server takes for its own transport. */
function endOf(wire: LegacyTransport): LegacyTransport {
  return {
    start: async () => {},
    send: (message, options) => wire.send(message, options),
    close: async () => {},
  };
}

function namesRevision(message: JSONRPCMessage): boolean {
  return 'params' in message && message.params?._meta?.[PROTOCOL_VERSION_META_KEY] !== undefined;
}
