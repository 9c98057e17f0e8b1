/** Settings that can be changed while the service runs: keys, how far ahead alerts are predicted, surveys, backups; and who did what. */
import { API, useApi, useSession } from '../api.js';
import { count, one, words } from '../format.js';
import { Action, Ask, act } from '../parts/actions.js';
import { Ago, Badge, Card, Empty, Head, Loaded } from '../parts/basics.js';
import { html, useState } from '../vendor/preact.js';

export function Settings() {
  const { can, provider } = useSession();
  return html`<${Head} title="Settings" lead="What can be changed while the service runs. The rest stands in its configuration.">${can('POST', `${API}/plan`) && html`<a class="button" href="/plan">Try an edit of the rules</a>`}<//>
    <div class="grid two">
      ${can('GET', '/api/v1/keys') && html`<${Keys} />`}
      ${provider && can('GET', SESSIONS) && html`<${Sessions} />`}
      ${can('GET', `${API}/predictions/accuracy`) && html`<${Predictions} />`}
      ${can('GET', '/api/v1/dex/surveys') && html`<${Surveys} />`}
      ${can('POST', '/api/v1/backups') && html`<${Backups} />`}
      ${can('GET', '/api/v1/audit') && html`<${Audit} />`}
    </div>`;
}

const KEYS = '/api/v1/keys';

function Keys() {
  const answer = useApi(KEYS);
  const [form, setForm] = useState({ name: '', role: 'viewer' });
  const [token, setToken] = useState(null);
  const [asked, setAsked] = useState(null);
  const create = async (event) => {
    event.preventDefault();
    const made = await act('POST', KEYS, form);
    if (made) setToken(made.token);
    answer.reload();
  };
  return html`<${Card} title="API keys" id="keys">
    <form class="row" onSubmit=${create}>
      <input class="input pick grow" required placeholder="name, as grafana" aria-label="Name of the key" value=${form.name} onInput=${(event) => setForm({ ...form, name: event.target.value })} />
      <select class="input pick" aria-label="Role" value=${form.role} onChange=${(event) => setForm({ ...form, role: event.target.value })}><option value="viewer">viewer</option><option value="operator">operator</option><option value="admin">admin</option></select>
      <button class="button">Create</button>
    </form>
    ${token && html`<div class="gap-small"><p class="small soft">Shown only now:</p><code class="secret">${token}</code></div>`}
    <${Loaded} answer=${answer}>${({ api_keys: keys }) =>
      keys.length === 0
        ? html`<${Empty} title="No key was handed out" />`
        : html`<ul class="list">${keys.map(
            (
              key,
            ) => html`<li class="item" key=${key.name + key.created_at}><div class="grow"><div class="row"><strong>${key.name}</strong><span class="badge plain">${key.role}</span><span class="badge plain">${key.holder}</span></div><p class="faint small">${key.revoked_at ? html`revoked <${Ago} at=${key.revoked_at} />` : html`used <${Ago} at=${key.last_used_at} />`}</p></div>
            ${!key.revoked_at && html`<button type="button" class="button small danger" onClick=${() => setAsked(key.name)}>Revoke…</button>`}</li>`,
          )}</ul>`}<//>
    ${
      asked &&
      html`<${Ask} title=${`Revoke the key ${asked}?`} text="The next call with it is refused." confirm="Revoke" kind="danger" onClose=${() => setAsked(null)} onConfirm=${async () => {
        await act('DELETE', `${KEYS}/${encodeURIComponent(asked)}`, undefined, `${asked} is revoked.`);
        answer.reload();
      }} />`
    }
  <//>`;
}

const SESSIONS = '/api/v1/sessions';

function Sessions() {
  const answer = useApi(SESSIONS);
  const [asked, setAsked] = useState(null);
  return html`<${Card} title="Who is signed in" id="sessions">
    <${Loaded} answer=${answer}>${({ sessions }) =>
      sessions.length === 0
        ? html`<${Empty} title="Nobody by the identity provider" />`
        : html`<ul class="list">${sessions.map(
            (
              session,
            ) => html`<li class="item" key=${session.id}><div class="grow"><div class="row"><strong>${session.person}</strong><span class="badge plain">${session.channel === 'cli' ? 'command line' : session.client}</span></div><p class="faint small">used <${Ago} at=${session.last_used_at} />, confirmed <${Ago} at=${session.confirmed_at} /></p></div>
            <button type="button" class="button small danger" aria-label=${`End the session of ${session.person}`} onClick=${() => setAsked(session)}>End…</button></li>`,
          )}</ul>`}<//>
    ${
      asked &&
      html`<${Ask} title=${`End the session of ${asked.person}?`} text="They have to sign in again. Whoever should not come back is locked at the identity provider." confirm="End" kind="danger" onClose=${() => setAsked(null)} onConfirm=${async () => {
        await act('DELETE', `${SESSIONS}/${asked.id}`, undefined, `The session of ${asked.person} has ended.`);
        answer.reload();
      }} />`
    }
  <//>`;
}

function Predictions() {
  const { can, actor } = useSession();
  const answer = useApi(`${API}/predictions/accuracy`);
  const mayTune = actor.kind === 'human' && can('POST', `${API}/predictions/thresholds/:alert_name`);
  const tune = async (name, horizon) => {
    await act(
      'POST',
      `${API}/predictions/thresholds/${name}`,
      { horizon },
      `${name} is announced as chosen from now on.`,
    );
    answer.reload();
  };
  return html`<${Card} title="Predictions" id="predictions"><${Loaded} answer=${answer}>${(ledger) => html`
    <p class="soft">${ledger.predictions === 0 ? 'No limit was predicted in the last four weeks.' : `${count(ledger.predictions, 'prediction')} in ${ledger.lookback_days} days: ${ledger.hits} came when predicted, ${ledger.false_alarms} did not come, ${ledger.averted} averted${ledger.lead_hours_median === null ? '' : `, ${one(ledger.lead_hours_median)} h of warning`}.`}</p>
    <ul class="list">${ledger.thresholds.map(
      ({
        alert_name,
        horizon_hours,
        default_hours,
        proposed_hours,
        reason,
        set_by,
      }) => html`<li class="item" key=${alert_name}><div class="grow"><strong>${alert_name}</strong> <span class="soft">up to ${horizon_hours} h ahead</span><p class="faint small">${proposed_hours === null ? reason : `proposed: ${proposed_hours} h`}${set_by ? ` · set by ${set_by}` : ''}</p></div>
        ${mayTune && proposed_hours !== null && html`<${Action} kind="small" onAct=${() => tune(alert_name, 'proposed')}>Use ${proposed_hours} h<//>`}
        ${mayTune && horizon_hours !== default_hours && html`<${Action} kind="small quiet" onAct=${() => tune(alert_name, 'default')}>Back to ${default_hours} h<//>`}</li>`,
    )}</ul>`}<//><//>`;
}

function Surveys() {
  const { can } = useSession();
  const answer = useApi(`${API}/surveys?limit=5`);
  const [asked, setAsked] = useState(false);
  return html`<${Card} title="Surveys" id="surveys" actions=${can('POST', `${API}/surveys`) && html`<button type="button" class="button small" onClick=${() => setAsked(true)}>Ask employees…</button>`}>
    <${Loaded} answer=${answer}>${({ surveys }) =>
      surveys.length === 0
        ? html`<${Empty} title="No survey yet" />`
        : html`<ul class="list">${surveys.map((survey) => html`<li class="item" key=${survey.id}><div class="grow"><${Badge} status=${survey.status} /> <span class="soft small">began <${Ago} at=${survey.started_at} />, ${survey.answered} of ${survey.invited} answered</span></div></li>`)}</ul>`}<//>
    ${
      asked &&
      html`<${Ask} title="Ask employees how well their machines serve them?" text="Everybody with a registered machine who has not opted out gets one question." confirm="Ask" onClose=${() => setAsked(false)} onConfirm=${async () => {
        await act('POST', `${API}/surveys`, {}, 'The survey has begun.');
        answer.reload();
      }} />`
    }
  <//>`;
}

function Backups() {
  return html`<${Card} title="Backup" id="backup"><p class="soft gap">Writes everything that is stored into one file on the service's disk.</p>
    <${Action} onAct=${() => act('POST', '/api/v1/backups', {}, ({ file }) => `Written: ${file}`)}>Back up now<//><//>`;
}

function Audit() {
  const answer = useApi('/api/v1/audit?limit=200', ['alerts', 'approvals', 'runs']);
  return html`<${Card} title="Who did what" id="audit" className="span-all"><${Loaded} answer=${answer}>${({ audit }) =>
    html`<div class="scroll-x" tabindex="0" role="region" aria-label="Audit"><table class="plain-table"><thead><tr><th>When</th><th>Who</th><th>What</th><th>Outcome</th></tr></thead><tbody>${audit
      .filter(({ via }) => via !== 'job')
      .slice(0, 20)
      .map(
        (entry, i) =>
          html`<tr key=${i}><td><${Ago} at=${entry.at} /></td><td>${entry.actor} <span class="faint">${entry.via}</span></td><td>${words(entry.tool)}</td><td>${entry.outcome}</td></tr>`,
      )}</tbody></table></div>`}<//><//>`;
}
