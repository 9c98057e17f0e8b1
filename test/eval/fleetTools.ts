/** The tools of a scenario's fleet: look-ups in its data, and changes that only note that they were made. */
import type { TestTool } from '../helpers/mcpServer.ts';
import type { Fleet } from './scenario.ts';

const text = (description: string) => ({ type: 'string', description });
const hostname = { hostname: text('The endpoint’s name.') };
const alertId = { alert_id: { type: 'integer', description: 'The alert’s number.' } };

export function fleetTools(fleet: Fleet): Record<string, TestTool> {
  const endpoint = (input: Record<string, unknown>) => {
    const found = fleet.endpoints[String(input.hostname)];
    if (!found) throw new Error(`There is no endpoint ${input.hostname}.`);
    return found;
  };
  const score = (input: Record<string, unknown>) => {
    const found = endpoint(input).score;
    if (!found) throw new Error(`${input.hostname} was never scored.`);
    return found;
  };
  const open = (input: Record<string, unknown>) =>
    fleet.alerts.filter(({ hostname: of }) => input.hostname === undefined || of === input.hostname);
  const measured = (what: string): TestTool => ({
    description: `Measures ${what} of one endpoint now.`,
    properties: hostname,
    run: (input) => {
      const value = endpoint(input).measurements[what];
      if (value === undefined)
        throw new Error(`${what} could not be measured: the agent has no permission to read it.`);
      return value;
    },
  });
  return {
    get_fleet: { description: 'How the fleet stands.', run: () => fleet.summary },
    list_endpoints: {
      description: 'All endpoints with site, persona and latest score.',
      run: () =>
        Object.entries(fleet.endpoints).map(([name, found]) => ({
          hostname: name,
          ...found.endpoint,
          score: found.score?.score ?? null,
        })),
    },
    get_score: { description: 'Latest score with its deductions.', properties: hostname, run: score },
    get_score_history: { description: 'Scores, newest first.', properties: hostname, run: (i) => endpoint(i).history },
    get_trends: { description: 'Where metrics are heading.', properties: hostname, run: (i) => endpoint(i).trends },
    list_alerts: {
      description: 'Open alerts, of one endpoint or of the whole fleet.',
      properties: { hostname: text('Only this endpoint’s.') },
      run: open,
    },
    list_incidents: { description: 'Endpoints and groups with several open alerts.', run: () => fleet.incidents },
    get_kpis: { description: 'Indicators of the last seven days.', run: () => fleet.kpis },
    get_feedback_summary: { description: 'What employees said.', run: () => fleet.feedback },
    search_runbooks: {
      description: 'Runbooks that fit a question.',
      properties: { q: text('Words to look for.') },
      run: () => fleet.runbooks,
    },
    measure_device: measured('device'),
    measure_network: measured('network'),
    measure_apps: measured('apps'),
    acknowledge_alert: {
      effect: 'write',
      description: 'Silences one alert for some hours.',
      properties: { ...alertId, hours: { type: 'number' } },
      run: () => 'acknowledged',
    },
    remediate_alert: {
      effect: 'destructive',
      description: 'Runs the remediation that is mapped to an alert.',
      properties: alertId,
      run: () => 'remediated',
    },
  };
}
