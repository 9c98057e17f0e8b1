import { describe, expect, it } from 'vitest';
import { parseOneShots, parseUnits, unitReadings } from '../../../src/adapters/collectors/systemdUnits.ts';

const states = parseUnits(`nginx.service loaded active running A web server
cups.service loaded failed failed CUPS
backup.service loaded inactive dead Nightly backup
slow.service loaded activating start Slow to start
data.mount loaded failed failed /data
docker.socket loaded active listening Docker
`);

const downUnits = (units: Map<string, string>, listed: string[] | undefined) => {
  const { servicesDown } = unitReadings(units, new Set(), listed);
  return servicesDown && 'value' in servicesDown ? servicesDown.value : servicesDown;
};

describe('services that are down', () => {
  it('without a list counts the services that failed, not other units', () => {
    expect(downUnits(states, undefined)).toEqual(['cups']);
  });

  it('with a list counts those of it that neither run nor start, unknown ones included', () => {
    const listed = ['nginx', 'cups.service', 'backup', 'slow', 'docker.socket', 'data.mount', 'sshd'];
    expect(downUnits(states, listed)).toEqual(['cups', 'backup', 'data.mount', 'sshd']);
  });

  it('with an empty list finds nothing down', () => expect(downUnits(states, [])).toEqual([]));

  it('are told from one-shot jobs that failed; a listed one is wanted whatever its kind', () => {
    const failed = parseUnits('cups.service loaded failed failed x\nrefresh.service loaded failed failed x\n');
    const oneShots = parseOneShots('Type=oneshot\nId=refresh.service\n\nId=cups.service\nType=notify\n');
    expect(unitReadings(failed, oneShots, undefined)).toEqual({
      servicesDown: { value: ['cups'] },
      jobsFailed: { value: ['refresh'] },
    });
    expect(unitReadings(failed, oneShots, ['refresh'])).toEqual({
      servicesDown: { value: ['refresh'] },
      jobsFailed: { value: [] },
    });
    expect(unitReadings(new Map(), oneShots, undefined)).toMatchObject({
      servicesDown: { missing: expect.stringContaining('systemd') },
    });
  });
});
