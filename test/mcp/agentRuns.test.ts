/** An assistant that starts a run over MCP and sees how it goes. */
import { CallToolResultSchema, type Progress } from '@modelcontextprotocol/sdk/types.js';
import { expect, onTestFinished, test } from 'vitest';
import { connectOverHttp } from '../helpers/mcpClient.ts';
import { answer, startModel } from '../helpers/model.ts';
import { API_KEY, startTestService } from '../helpers/service.ts';

test('a client starts a run, sees its steps as progress, and reads the answer', { timeout: 60_000 }, async () => {
  const model = await startModel();
  onTestFinished(() => model.stop());
  const service = await startTestService(model.env);
  onTestFinished(() => service.stop());
  const { client } = await connectOverHttp(`${service.url}/mcp?structured=1&toolsets=all`, { 'X-API-Key': API_KEY });
  onTestFinished(() => client.close());
  model.says(
    'goal-mcp',
    { calls: [['dexops__get_fleet', {}]], afterMs: 500 },
    { calls: [['dexops__list_alerts', {}]], afterMs: 500 },
    { text: answer('All is well.'), afterMs: 500 },
  );

  const started = CallToolResultSchema.parse(
    await client.callTool({ name: 'start_run', arguments: { goal: 'goal-mcp' } }),
  );
  const seen: Progress[] = [];
  const ended = CallToolResultSchema.parse(
    await client.callTool(
      { name: 'get_run', arguments: { run_id: started.structuredContent?.run_id, wait_seconds: 30 } },
      undefined,
      { onprogress: (progress) => seen.push(progress) },
    ),
  );
  expect(ended.structuredContent).toMatchObject({ status: 'completed', requested_by: 'key:api_key', via: 'mcp' });
  expect(ended.content[0]).toMatchObject({ type: 'text', text: 'All is well.' });
  expect(seen.map(({ message }) => message)).toEqual(
    expect.arrayContaining(['step 1: dexops__get_fleet', 'step 2: dexops__list_alerts']),
  );
});
