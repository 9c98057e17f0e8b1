/** What happened on a machine, from everything that is kept of it: alerts, repairs and what people asked for. */
import { API, useApi } from '../api.js';
import { words } from '../format.js';
import { withQuery } from '../router.js';
import { html } from '../vendor/preact.js';
import { Ago, Empty, Loaded } from './basics.js';

const MOST = 25;

export function Timeline({ hostname }) {
  const alerts = useApi(withQuery(`${API}/alerts`, { hostname, status: 'all', limit: MOST }), ['alerts']);
  const repairs = useApi(withQuery(`${API}/remediations`, { hostname, limit: MOST }), ['runs', 'alerts']);
  const runs = useApi(withQuery('/api/v1/runs', { hostname, limit: MOST }), ['runs']);
  const entries = [
    ...(alerts.data?.alerts ?? []).flatMap(alertEntries),
    ...(repairs.data?.remediations ?? []).map((each) => ({
      at: each.finished_at ?? each.created_at,
      tone: each.status,
      text: `${each.dry_run ? 'Dry run of ' : ''}${each.playbook} for ${each.alert_name}: ${words(each.status)}`,
      href: `/runs/${each.run_id}`,
    })),
    ...(runs.data?.runs ?? [])
      .filter(({ kind }) => kind !== 'remediation')
      .map((run) => ({
        at: run.finished_at ?? run.created_at,
        tone: run.status,
        text: `${words(run.kind)} asked by ${run.requested_by}: ${words(run.status)}`,
        href: `/runs/${run.run_id}`,
      })),
  ]
    .toSorted((a, b) => (a.at < b.at ? 1 : -1))
    .slice(0, MOST);
  return html`<${Loaded} answer=${alerts} lines=${3}>${() =>
    entries.length === 0
      ? html`<${Empty} title="Nothing happened yet" />`
      : html`<ol class="timeline">${entries.map(
          ({ at, tone, text, href }, i) =>
            html`<li key=${i}><span class=${`dot dot-${tone}`} /><div><a href=${href}>${text}</a> <span class="faint small"><${Ago} at=${at} /></span></div></li>`,
        )}</ol>`}<//>`;
}

function alertEntries(alert) {
  const href = `/alerts/${alert.id}`;
  return [
    { at: alert.created_at, tone: alert.severity, text: `${alert.alert_name}: ${alert.message}`, href },
    ...(alert.resolved_at
      ? [
          {
            at: alert.resolved_at,
            tone: 'resolved',
            text: `${alert.alert_name} ended (${words(alert.resolution)})`,
            href,
          },
        ]
      : []),
  ];
}
