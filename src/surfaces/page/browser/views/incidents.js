/** Incidents: machines with several problems, and problems that machines with something in common share. */
import { API, useApi } from '../api.js';
import { count, whole } from '../format.js';
import { Ago, Badge, Card, Empty, Head, Loaded, Machine } from '../parts/basics.js';
import { html } from '../vendor/preact.js';

const percent = (part, all) => (all === 0 ? 0 : Math.round((100 * part) / all));

export function Incidents() {
  const answer = useApi(`${API}/incidents`, ['alerts']);
  return html`<${Head} title="Incidents" lead="Machines with two or more open alerts, and groups in which one problem is far more frequent than elsewhere." />
    <${Loaded} answer=${answer}>${({ incidents, cohorts, total }) => html`<div class="stack">
      <${Card} title="Shared problems" id="cohorts" note=${cohorts.length > 0 && count(cohorts.length, 'group')}>
        ${cohorts.length === 0 ? html`<${Empty} title="No group stands out">No alert is more frequent among machines that have something in common.<//>` : html`<ul class="list">${cohorts.map((cohort) => html`<${Cohort} key=${cohort.alert_name + cohort.attribute + cohort.value} cohort=${cohort} />`)}</ul>`}
      <//>
      <${Card} title="Machines with several alerts" id="incidents" note=${count(total, 'machine')}>
        ${
          incidents.length === 0
            ? html`<${Empty} title="No machine has two open alerts" />`
            : html`<ul class="list">${incidents.map(
                ({
                  hostname,
                  severity,
                  alerts,
                  since,
                }) => html`<li key=${hostname} class=${`item edge-${severity}`}><div class="grow">
                <div class="row"><span class="strong"><${Machine} hostname=${hostname} /></span><${Badge} status=${severity} /><span class="faint small">since <${Ago} at=${since} /></span></div>
                <ul class="soft small">${alerts.map((alert) => html`<li key=${alert.id}><a href=${`/alerts/${alert.id}`}>${alert.alert_name}</a>: ${alert.message}</li>`)}</ul></div></li>`,
              )}</ul>`
        }
      <//></div>`}<//>`;
}

function Cohort({ cohort }) {
  const {
    alert_name,
    attribute,
    value,
    affected,
    size,
    rest_affected,
    rest_size,
    lift,
    expected_by_chance,
    hostnames,
    at_risk,
    severity,
    since,
  } = cohort;
  const chance =
    expected_by_chance === 0 || 1 / expected_by_chance > 1_000_000
      ? 'This is not chance.'
      : `Chance shows the like once in ${whole(Math.floor(1 / expected_by_chance))} analyses.`;
  const bar = (name, part, all, tone) =>
    html`<div class="compare"><span class="small soft">${name}</span><svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true"><rect class="bar-ground" width="100" height="8" /><rect class=${`fill-${tone}`} width=${percent(part, all)} height="8" /></svg><span class="small number">${part} of ${all} (${percent(part, all)} %)</span></div>`;
  return html`<li class=${`item edge-${severity}`}><div class="grow">
    <div class="row"><strong>${alert_name}</strong><span class="soft">with ${attribute}</span><span class="badge plain accent">${value}</span><${Badge} status=${severity} />${lift !== null && html`<span class="badge plain">${lift}× as frequent</span>`}<span class="faint small">since <${Ago} at=${since} /></span></div>
    ${bar(value, affected, size, severity === 'critical' ? 'critical' : 'at_risk')}
    ${bar('Elsewhere', rest_affected, rest_size, 'unknown')}
    <p class="small soft">${chance} ${at_risk.length > 0 ? `${count(at_risk.length, 'machine')} of the group ${at_risk.length === 1 ? 'does' : 'do'} not have it yet.` : ''}</p>
    <p class="small">${hostnames.slice(0, 12).map((hostname, i) => html`${i > 0 ? ', ' : ''}<${Machine} hostname=${hostname} />`)}${hostnames.length > 12 && ` and ${affected - 12} more`}</p>
  </div></li>`;
}
