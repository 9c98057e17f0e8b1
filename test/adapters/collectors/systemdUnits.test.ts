import { describe, expect, it } from 'vitest';
import { downUnits, parseUnits } from '../../../src/adapters/collectors/systemdUnits.ts';

const states = parseUnits(`nginx.service loaded active running A web server
cups.service loaded failed failed CUPS
backup.service loaded inactive dead Nightly backup
slow.service loaded activating start Slow to start
data.mount loaded failed failed /data
docker.socket loaded active listening Docker
`);

describe('downUnits', () => {
  it('without a list counts the services that failed, not other units', () => {
    expect(downUnits(states, undefined)).toEqual(['cups']);
  });

  it('with a list counts those of it that neither run nor start, unknown ones included', () => {
    const listed = ['nginx', 'cups.service', 'backup', 'slow', 'docker.socket', 'data.mount', 'sshd'];
    expect(downUnits(states, listed)).toEqual(['cups', 'backup', 'data.mount', 'sshd']);
  });

  it('with an empty list finds nothing down', () => expect(downUnits(states, [])).toEqual([]));
});
