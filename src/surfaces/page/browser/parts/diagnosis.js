/** Why a machine is as it is: ranked causes, each with its evidence and what to do. */
import { host, useApi } from '../api.js';
import { count, shortTime } from '../format.js';
import { html } from '../vendor/preact.js';
import { Card, Empty, Loaded } from './basics.js';

const SHOWN = 3;

export function Diagnosis({ hostname }) {
  const answer = useApi(`${host(hostname)}/diagnosis`, ['machines']);
  const compared = answer.data?.compared_with;
  const note =
    compared &&
    `compared with ${count(compared.own_days, 'day')} of its own and ${count(compared.peers, 'machine')} like it`;
  return html`<${Card} title="Why" id="diagnosis" className="gap" note=${note}><${Loaded} answer=${answer}>${(found) => html`<${Causes} found=${found} />`}<//><//>`;
}

function Causes({ found: { causes: all, changed_before: changes, notes, not_measured: missing } }) {
  const causes = all.filter(({ upkeep }) => !upkeep);
  const upkeep = all.filter((cause) => cause.upkeep);
  return html`${
    causes.length === 0
      ? html`<${Empty} title="No cause stands out">It is as it usually is, and as others like it are.<//>`
      : html`<ol class="causes">${causes.slice(0, SHOWN).map((cause) => html`<${Cause} key=${cause.cause} cause=${cause} />`)}</ol>`
  }
  ${upkeep.length > 0 && html`<h3 class="small soft">Upkeep, which nobody at the machine feels</h3><ol class="causes">${upkeep.map((cause) => html`<${Cause} key=${cause.cause} cause=${cause} />`)}</ol>`}
  ${
    changes.length > 0 &&
    html`<p class="small soft">Changed before: ${changes
      .slice(0, 4)
      .map(({ text, at }) => `${text} (${shortTime(at)})`)
      .join('; ')}</p>`
  }
  ${notes.map((note) => html`<p key=${note} class="small soft">${note}</p>`)}
  ${missing.length > 0 && html`<details><summary>${count(missing.length, 'signal', 'signals')} that could say more, not measured</summary><ul class="small soft">${missing.map(({ signal, reason }) => html`<li key=${signal}>${signal}: ${reason}</li>`)}</ul></details>`}`;
}

function Cause({ cause: { title, confidence, evidence, since, advice, runbook, alerts } }) {
  return html`<li>
    <div class="row"><strong>${title}</strong><span class="badge plain accent">${Math.round(confidence * 100)} % sure</span>${since && html`<span class="faint small">since ${shortTime(since)}</span>`}</div>
    <ul class="evidence small soft">${evidence.slice(0, 5).map(({ text }) => html`<li key=${text}>${text}</li>`)}</ul>
    <p>${advice}</p>
    <p class="small row">${runbook && html`<a href=${`/runbooks/${encodeURIComponent(runbook.doc_id)}`}>${runbook.title}</a>`}${alerts.map(({ id, alert_name }) => html`<a key=${id} href=${`/alerts/${id}`}>${alert_name}</a>`)}</p>
  </li>`;
}
