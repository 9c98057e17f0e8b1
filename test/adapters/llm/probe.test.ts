import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { createLlm } from '../../../src/adapters/llm/create.ts';
import { llmProbe } from '../../../src/adapters/llm/probe.ts';
import { testClock } from '../../helpers/clock.ts';

test('a provider is asked at most once a minute, and a key it refuses is said', async () => {
  let asked = 0;
  const server = createServer((_request, response) => {
    asked++;
    response.writeHead(401, { 'content-type': 'application/json' }).end('{"error":{"message":"wrong key"}}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const unused = { apiKey: '', baseUrl: '' };
  const model = createLlm({
    provider: 'openai',
    model: 'm',
    openai: { apiKey: 'wrong', baseUrl: `http://127.0.0.1:${port}/v1` },
    anthropic: unused,
    bedrock: { region: '', endpoint: '', credentials: null },
    ollama: unused,
  });
  const clock = testClock();
  const probe = llmProbe(model, clock);
  const answers = await Promise.all([probe(), probe(), probe()]);
  expect(answers[0]).toMatchObject({ status: 'degraded', provider: 'openai', model: 'm', detail: expect.any(String) });
  expect(asked).toBe(1);
  clock.advance(61_000);
  await probe();
  expect(asked).toBe(2);
});
