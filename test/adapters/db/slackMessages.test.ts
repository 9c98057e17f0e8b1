import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openTestStore, STORE_KINDS, type TestStore } from '../../helpers/stores.ts';

describe.each(STORE_KINDS)('Slack messages in %s', (kind) => {
  let opened: TestStore;
  beforeAll(async () => {
    opened = await openTestStore(kind);
  });
  afterAll(() => opened.close());

  test('are found by what they tell of, the newer in place of the older', async () => {
    const { slackMessages } = opened.store;
    const message = { subject: 'alert:1', channel: 'C1', ts: '1.1', digest: true };
    await slackMessages.keep([message, { ...message, subject: 'alert:2' }]);
    expect(await slackMessages.find('alert:1')).toEqual(message);
    await slackMessages.keep([{ ...message, ts: '2.2', digest: false }]);
    expect(await slackMessages.find('alert:1')).toEqual({ ...message, ts: '2.2', digest: false });
    expect(await slackMessages.find('alert:2')).toEqual({ ...message, subject: 'alert:2' });
    expect(await slackMessages.find('alert:3')).toBeNull();
    await slackMessages.keep([{ ...message, subject: 'run:7' }]);
    expect((await slackMessages.about('run:')).map(({ subject }) => subject)).toEqual(['run:7']);
    await slackMessages.forget('run:7');
    expect(await slackMessages.about('run:')).toEqual([]);
    expect(await slackMessages.about('alert:')).toHaveLength(2);
  });
});
