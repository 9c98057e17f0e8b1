/** One PostgreSQL server for a whole test run, started when the first test asks for a database. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestProject } from 'vitest/node';
import { type PostgresServer, startPostgres } from './postgres.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Answers every request with the URL of a new, empty database. */
    databaseMaker: string;
  }
}

/** Test files run in processes of their own; this one outlives them and hands out databases over loopback HTTP. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  let postgres: Promise<PostgresServer> | null = null;
  let made = 0;
  const maker = createServer(async (_request, response) => {
    try {
      postgres ??= startPostgres();
      response.end(await (await postgres).createDatabase(`test_${++made}`));
    } catch (error) {
      response.writeHead(500).end(`no PostgreSQL for tests: ${error}`);
    }
  });
  await new Promise<void>((resolve) => maker.listen(0, '127.0.0.1', resolve));
  project.provide('databaseMaker', `http://127.0.0.1:${(maker.address() as AddressInfo).port}`);
  return async () => {
    maker.closeAllConnections();
    maker.close();
    await (await postgres)?.stop();
  };
}
