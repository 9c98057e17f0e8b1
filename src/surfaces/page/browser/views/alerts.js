/** Alerts: all of them with filters, and one with its timeline. */
import { API, useApi } from '../api.js';
import { count, words } from '../format.js';
import { AlertActions, AlertList } from '../parts/alertList.js';
import { Ago, Badge, Card, Empty, Head, Loaded, Machine } from '../parts/basics.js';
import { RemediationList } from '../parts/remediations.js';
import { RunbookList } from '../parts/runbooks.js';
import { setQuery, useAddress, withQuery } from '../router.js';
import { html } from '../vendor/preact.js';

const PAGE = 50;
const STATUSES = [
  'open',
  'active',
  'acknowledged',
  'pending_approval',
  'remediating',
  'needs_human',
  'resolved',
  'all',
];

export function Alerts() {
  const { query } = useAddress();
  const limit = Number(query.limit) || PAGE;
  const alerts = useApi(
    withQuery(`${API}/alerts`, {
      status: query.status,
      severity: query.severity,
      type: query.type,
      name: query.name,
      hostname: query.host,
      limit,
    }),
    ['alerts'],
  );
  const pick = (
    name,
    label,
    values,
  ) => html`<select class="input pick" aria-label=${label} value=${query[name] ?? ''} onChange=${(event) => setQuery({ [name]: event.target.value, limit: null })}>
    <option value="">${label}</option>${values.map((value) => html`<option key=${value} value=${value}>${words(value)}</option>`)}
  </select>`;
  return html`<${Head} title="Alerts" lead=${alerts.data && `${count(alerts.data.total, 'alert')}${query.status ? ` (${words(query.status)})` : ' open'}`} />
    <div class="filters">
      ${pick('status', 'Status: open', STATUSES.slice(1))}
      ${pick('severity', 'Severity: any', ['critical', 'warning', 'info'])}
      ${pick('type', 'Type: any', ['reactive', 'predictive'])}
    </div>
    <section class="card" aria-label="Alerts"><${Loaded} answer=${alerts}>${({ alerts: list, total }) =>
      list.length === 0
        ? html`<${Empty} title="No alert matches">${query.status ? 'Choose another status.' : 'Nothing is open. That is how it should be.'}<//>`
        : html`<${AlertList} alerts=${list} onDone=${alerts.reload} />
          ${total > list.length && html`<div class="row more"><button type="button" class="button" onClick=${() => setQuery({ limit: limit + PAGE })}>Show more of ${total}</button></div>`}`}<//></section>`;
}

export function Alert({ alert_id: id }) {
  const answer = useApi(`${API}/alerts/${encodeURIComponent(id)}`, ['alerts']);
  return html`<${Loaded} answer=${answer}>${({ alert, timeline }) => html`
    <${Head} title=${alert.alert_name} lead=${html`on <${Machine} hostname=${alert.hostname} /> since <${Ago} at=${alert.created_at} />`}>
      <${Badge} status=${alert.severity} /><${Badge} status=${alert.status} />
    <//>
    <div class="stack">
      <section class="card" aria-label="What happened"><p class="big">${alert.message}</p>
        ${alert.status !== 'resolved' && html`<div class="row more"><${AlertActions} alert=${alert} onDone=${answer.reload} /></div>`}
      </section>
      <div class="grid two">
        <${Card} title="Timeline" id="timeline"><ol class="timeline">${timeline.map(
          ({ at, from, to, actor, why }, i) =>
            html`<li key=${i}><span class=${`dot dot-${to}`} /><div><strong>${words(to)}</strong> <span class="faint small"><${Ago} at=${at} />${from ? `, was ${words(from)}` : ''}</span><p class="soft small">${why} <span class="faint">· ${actor}</span></p></div></li>`,
        )}</ol><//>
        <div class="stack">
          <${Card} title="Runbooks" id="runbooks"><${RunbookList} hostname=${alert.hostname} alert=${alert.alert_name} /><//>
          <${Card} title="Repairs" id="repairs"><${RemediationList} filter=${{ alert_id: alert.id }} /><//>
        </div>
      </div>
    </div>`}<//>`;
}
