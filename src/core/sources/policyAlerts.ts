/** Alerts of the policies that a source checks: one for each that a machine fails, which ends when the machine passes it. */

import type { Alert } from '../../domain/alerts/alert.ts';
import type { Observation } from '../../domain/alerts/alertMoves.ts';
import type { Endpoint } from '../../domain/fleet/endpoint.ts';
import { jobActor } from '../actor.ts';
import { announce, observeIn } from '../alerts/alerting.ts';
import type { Ports } from '../ports/ports.ts';
import type { SourcePolicy } from '../ports/sourcePorts.ts';

/** Who raises and ends them, whoever asked for the sync. */
const READER = jobActor('sync');

const LONGEST_NAME = 120;
const LONGEST_TEXT = 500;

interface Checked {
  endpoint: Endpoint;
  /** Null when the source did not say: nothing is known then. */
  policies: SourcePolicy[] | null;
}

/** Brings the alerts in line with what the source says of these machines. */
export async function observePolicies(ports: Ports, source: string, machines: readonly Checked[]): Promise<void> {
  const checked = machines.filter(({ policies }) => policies !== null);
  if (checked.length === 0) return;
  const now = ports.clock.now();
  const changes = await ports.store.transaction(async (store) => {
    const open = Map.groupBy(
      await store.alerts.open(checked.map(({ endpoint }) => endpoint.id)),
      ({ endpointId }) => endpointId,
    );
    const observations = checked.flatMap(({ endpoint, policies }) =>
      observationsOf(source, endpoint, policies ?? [], open.get(endpoint.id) ?? [], now),
    );
    return observations.length === 0 ? null : (await observeIn(ports, store, observations, READER)).changes;
  });
  if (changes) await announce(ports, changes);
}

/** By the policy's id, so that one that is renamed or deleted ends under its old name. */
const seriesOf = (source: string, id: number): string => `policy:${source}:${id}`;

/** What a machine's failure of a policy says, whoever reports it. */
export function firingPolicy(
  source: string,
  { id: endpointId, hostname }: Endpoint,
  { id, name, isCritical, resolution }: Omit<SourcePolicy, 'state'>,
): Observation {
  return {
    endpointId,
    hostname,
    alertName: nameOf(name, id),
    series: seriesOf(source, id),
    state: 'firing',
    alertType: 'metric',
    severity: isCritical ? 'critical' : 'warning',
    message: `it fails the policy "${name}"${resolution ? `: ${resolution}` : ''}`.slice(0, LONGEST_TEXT),
    labels: { policy: name.slice(0, LONGEST_NAME), source },
    startsAt: null,
  };
}

function observationsOf(
  source: string,
  endpoint: Endpoint,
  policies: readonly SourcePolicy[],
  open: readonly Alert[],
  now: Date,
): Observation[] {
  const { id: endpointId, hostname } = endpoint;
  const states = new Map(policies.map((policy) => [seriesOf(source, policy.id), policy]));
  const failing = policies
    .filter(({ state }) => state === 'failing')
    .map((policy) => firingPolicy(source, endpoint, policy));
  const raised = new Set(failing.map(({ alertName, series }) => `${alertName}\n${series}`));
  const ended = open.flatMap(({ alertName, series }) =>
    series
      .filter((each) => each.startsWith(`policy:${source}:`) && !raised.has(`${alertName}\n${each}`))
      // A machine that has not answered yet says nothing.
      .filter((each) => states.get(each)?.state !== 'unknown')
      .map(
        (each): Observation => ({
          endpointId,
          hostname,
          alertName,
          series: each,
          state: 'clear',
          resolution: 'source',
          why:
            states.get(each)?.state === 'passing'
              ? 'it passes the policy'
              : `${source} does not check this policy there any more`,
          startsAt: null,
          endedAt: now,
        }),
      ),
  );
  return [...ended, ...failing];
}

function nameOf(name: string, id: number): string {
  return `Policy: ${name.replace(/\s+/g, ' ').trim().slice(0, LONGEST_NAME) || id}`;
}
