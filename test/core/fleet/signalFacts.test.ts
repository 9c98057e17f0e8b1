/** What a scan read of one machine is said by every tool that shows it, with what is shown and not judged. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { machines, WELL } from '../../helpers/machines.ts';
import { startTestService, type TestService } from '../../helpers/service.ts';

const DISC = { item: 'E:', reason: 'optical disc' };
let service: TestService;
beforeAll(async () => {
  const readings = {
    diskPct: {
      items: [
        { item: 'C:', value: 61 },
        { item: DISC.item, value: 100, setAside: DISC.reason },
      ],
    },
    wifiSignalDbm: { items: [{ item: 'wlan0', value: -58 }] },
  };
  service = await startTestService({}, { collector: machines(new Map([['pc-1', { ...WELL, readings }]])) });
  await service.call('POST', '/api/v1/dex/endpoints', { hostname: 'pc-1' });
  const { body } = await service.call('POST', '/api/v1/dex/endpoints/pc-1/scan');
  await service.finished(body.run_id);
});
afterAll(() => service.stop());

test.each([
  ['the machine whole', 'get_endpoint', '/api/v1/dex/endpoints/pc-1'],
  ['its signals', 'get_signals', '/api/v1/dex/endpoints/pc-1/signals'],
])('%s', async (_what, tool, path) => {
  const { body } = await service.call('GET', path);
  expect(body.set_aside).toEqual([DISC]);
  const human = { id: 'test', name: 'test', kind: 'human', via: 'cli', role: 'admin' } as const;
  const { text } = await service.app.invoke(tool, { hostname: 'pc-1' }, human);
  expect(text).toMatch(/disk.*61 %/i);
  expect(text).toMatch(/Wi-Fi.*-58 dBm|Wi-Fi.*−58 dBm/i);
  expect(text).toMatch(/shown, not judged: E:, optical disc/i);
  expect(text).not.toMatch(/disk.*100 %/i);
});
