/** Alerts as a list, each with what can be done about it. */
import { API, useSession } from '../api.js';
import { dateTime, words } from '../format.js';
import { html, useState } from '../vendor/preact.js';
import { Action, Ask, act } from './actions.js';
import { Ago, Badge, Machine } from './basics.js';

const SILENCES = [
  { label: 'for 1 hour', body: { hours: 1 } },
  { label: 'for 4 hours', body: { hours: 4 } },
  { label: 'for 24 hours', body: { hours: 24 } },
  { label: 'until it clears', body: { until_clear: true } },
];

export function AlertList({ alerts, withMachine = true, onDone }) {
  return html`<ul class="list">${alerts.map((alert) => html`<${AlertRow} key=${alert.id} ...${{ alert, withMachine, onDone }} />`)}</ul>`;
}

function AlertRow({ alert, withMachine, onDone }) {
  return html`<li class=${`item edge-${alert.status === 'resolved' ? 'unknown' : alert.severity}`}>
    <div class="grow">
      <div class="row">
        <a class="strong" href=${`/alerts/${alert.id}`}>${alert.alert_name}</a>
        ${withMachine && html`<span class="faint">on</span> <${Machine} hostname=${alert.hostname} />`}
        <${Badge} status=${alert.severity} />
        ${alert.status !== 'active' && html`<${Badge} status=${alert.status} />`}
        ${alert.alert_type === 'predictive' && html`<span class="badge plain accent">predicted</span>`}
        ${alert.flaps > 0 && html`<span class="badge plain">came back ${alert.flaps}×</span>`}
      </div>
      <p class="soft">${alert.message}</p>
      <p class="faint small">
        <${Ago} at=${alert.created_at} />
        ${alert.predicted_time_to_impact && alert.status !== 'resolved' && html` · expected in ${alert.predicted_time_to_impact}`}
        ${alert.status === 'acknowledged' && html` · snoozed ${alert.acknowledged_until ? `until ${dateTime(alert.acknowledged_until)}` : 'until it clears'} by ${alert.acknowledged_by}`}
        ${alert.ticket && html` · ticket ${alert.ticket.url ? html`<a href=${alert.ticket.url} target="_blank" rel="noreferrer">${alert.ticket.id}</a>` : alert.ticket.id}`}
        ${alert.stale && html` · the machine has not answered lately`}
        ${alert.resolution && html` · ${words(alert.resolution)} ${html`<${Ago} at=${alert.resolved_at} />`}`}
      </p>
    </div>
    ${alert.status !== 'resolved' && html`<${AlertActions} alert=${alert} onDone=${onDone} />`}
  </li>`;
}

/** What the signed-in role may do about an open alert. */
export function AlertActions({ alert, onDone = () => {} }) {
  const { can } = useSession();
  const [asked, setAsked] = useState(null);
  const path = `${API}/alerts/${alert.id}`;
  const close = () => setAsked(null);
  const send = async (deed, body, done) => {
    await act('POST', `${path}/${deed}`, body, done);
    onDone();
  };
  const may = (deed) => can('POST', `${API}/alerts/:alert_id/${deed}`);
  const about = `${alert.alert_name} on ${alert.hostname}`;
  return html`<div class="row">
    ${
      may('acknowledge') &&
      html`<select class="input pick" aria-label=${`Snooze ${about}`} value="" onChange=${(event) => {
        const silence = SILENCES[Number(event.target.value)];
        event.target.value = '';
        if (silence) send('acknowledge', silence.body, `${about} is snoozed ${silence.label}.`);
      }}>
      <option value="">Snooze…</option>
      ${SILENCES.map(({ label }, i) => html`<option key=${label} value=${i}>${label}</option>`)}
    </select>`
    }
    ${may('remediate') && html`<button type="button" class="button small" onClick=${() => setAsked('remediate')}>Repair…</button>`}
    ${may('resolve') && html`<button type="button" class="button small" onClick=${() => setAsked('resolve')}>Resolve…</button>`}
    ${
      asked === 'resolve' &&
      html`<${Ask} title=${`Resolve ${about}?`} text="If the problem still holds, the next scan opens it again." confirm="Resolve" reason="optional" onClose=${close}
        onConfirm=${(reason) => send('resolve', reason ? { reason } : {}, `${about} is resolved.`)} />`
    }
    ${
      asked === 'remediate' &&
      html`<${Ask} title=${`Repair ${about}?`} text="The remediation map says how; its limits and the need for approval hold." confirm="Repair now" onClose=${close}
        onConfirm=${() => send('remediate', {}, repairText)}>
        <${Action} onAct=${async () => {
          await send('remediate', { dry_run: true }, repairText);
          close();
        }}>Dry run first: change nothing<//>
      <//>`
    }
  </div>`;
}

function repairText({ remediation }) {
  const what = `${remediation.dry_run ? 'The dry run of ' : ''}${remediation.playbook} on ${remediation.hostname}`;
  return remediation.status === 'waiting_approval'
    ? `${what} waits for approval.`
    : `${what}: ${words(remediation.status)}.`;
}
