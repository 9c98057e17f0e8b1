/** The whole service on a free port with its data in a temporary folder, as a user would start it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Overrides } from '../../src/app.ts';
import { readConfig } from '../../src/config.ts';
import { startService } from '../../src/service.ts';

export const API_KEY = 'the-administrators-key';

export interface TestService {
  url: string;
  app: Awaited<ReturnType<typeof startService>>['app'];
  /** Calls the API with the administrator's key. */
  call(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<{ status: number; body: any }>;
  /** Waits for a run to end and returns it. */
  finished(runId: string): Promise<Record<string, any>>;
  stop(): Promise<void>;
}

export async function startTestService(
  env: Record<string, string> = {},
  overrides: Overrides = {},
): Promise<TestService> {
  const dir = await mkdtemp(join(tmpdir(), 'dexops-'));
  const config = readConfig({
    DATA_DIR: dir,
    PORT: '0',
    HOST: '127.0.0.1',
    API_KEY,
    LOG_LEVEL: 'CRITICAL',
    LLM_PROVIDER: '',
    DEX_REGISTER_SELF: 'false',
    EMBEDDING_MODEL: 'none',
    // Without pages nothing is indexed at the start; tests of runbooks say where theirs are.
    RUNBOOKS_DIR: dir,
    ...env,
  });
  // A test that runs at a quarter past would find its machines scanned by the schedule, and be right only at other times.
  const service = await startService(config, { scheduled: false, ...overrides });

  const call: TestService['call'] = async (method, path, body, headers = {}) => {
    const response = await fetch(service.url + path, {
      method,
      headers: { 'X-API-Key': API_KEY, 'Content-Type': 'application/json', ...headers },
      body: body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body),
    });
    const text = await response.text();
    return { status: response.status, body: text === '' ? null : JSON.parse(text) };
  };

  return {
    url: service.url,
    app: service.app,
    call,
    async finished(runId) {
      for (let tries = 0; tries < 400; tries++) {
        const { body } = await call('GET', `/api/v1/runs/${runId}`);
        if (body.finished_at) return body;
        await new Promise((resolve) => setTimeout(resolve, 25));
      }
      throw new Error(`run ${runId} did not end within 10 s`);
    },
    async stop() {
      await service.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
