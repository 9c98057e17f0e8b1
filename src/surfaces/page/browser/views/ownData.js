/** What DexOps knows about one computer, for the person who works on it: every signal, who looked, how long it is kept, and what they may decide. */
import { API, host, useApi, useSession } from '../api.js';
import { count, dateTime, sentence, words } from '../format.js';
import { Ask, act } from '../parts/actions.js';
import { Ago, Card, Empty, Head, Loaded } from '../parts/basics.js';
import { navigate } from '../router.js';
import { html, useState } from '../vendor/preact.js';

const TITLE = 'What DexOps knows about my computer';
const PAUSES = [30, 60, 120];
const DATA = `${API}/endpoints/:hostname/data`;

export function OwnData({ hostname }) {
  const answer = useApi(`${host(hostname)}/data`, ['machines']);
  return html`<${Loaded} answer=${answer} lines=${8}>${(data) => html`<${Whole} data=${data} reload=${answer.reload} />`}<//>`;
}

function Whole({ data, reload }) {
  const { hostname, mode, paused_until: pausedUntil, signals, as_of: asOf } = data;
  const measured = signals.filter(({ measured_at: at }) => at !== null);
  const missing = signals.filter(({ measured_at: at }) => at === null);
  const isPaused = pausedUntil !== null && pausedUntil > asOf;
  return html`<${Head} title=${TITLE} lead=${`${hostname}: ${measured.length} of ${signals.length} signals are measured. ${mode === 'pseudonymous' ? 'IT sees a pseudonym in the place of its name and yours.' : 'IT sees its name and its owner.'}`}>
      <${Decisions} hostname=${hostname} reload=${reload} />
    <//>
    ${isPaused && html`<div class="notice gap" role="status">Nothing is measured until ${dateTime(pausedUntil)}. It goes on by itself.</div>`}
    <${Card} title="What is measured" id="measured" className="gap" note=${measured.length > 0 && html`last <${Ago} at=${measured[0].measured_at} />`}>
      ${measured.length === 0 ? html`<${Empty} title="Nothing was measured yet" />` : html`<ul class="list">${measured.map((signal) => html`<${Signal} key=${signal.signal} signal=${signal} />`)}</ul>`}
      ${missing.length > 0 && html`<details class="missing"><summary>${count(missing.length, 'signal is', 'signals are')} not measured here</summary><dl class="facts">${missing.map(({ signal, label, value }) => html`<div key=${signal}><dt>${sentence(label)}</dt><dd>${value}</dd></div>`)}</dl></details>`}
    <//>
    <div class="grid two">
      <${Card} title="Who looked" id="looked" note="by role and day, never by name"><${Looked} data=${data} /><//>
      <${Card} title="How long it is kept" id="kept"><dl class="facts">${data.kept.map(({ what, kept }) => html`<div key=${what}><dt>${what}</dt><dd>${kept}</dd></div>`)}</dl><//>
    </div>`;
}

function Signal({ signal: { label, value, purpose, personal, measured_at: at } }) {
  return html`<li class="item"><div class="grow">
    <div class="row"><strong>${sentence(label)}</strong><span>${value}</span>${personal && html`<span class="badge plain">personal</span>`}<span class="faint small"><${Ago} at=${at} /></span></div>
    <p class="soft small">${purpose}</p>
  </div></li>`;
}

function Looked({ data: { accesses, reveals } }) {
  if (accesses.length === 0 && reveals.length === 0)
    return html`<${Empty} title="Nobody else looked">Each look of IT staff or of an assistant is counted here.<//>`;
  return html`${
    reveals.length > 0 &&
    html`<h3 class="group-name">Your name was shown</h3><ul class="list">${reveals.map(({ at, until, role, reason }) => html`<li class="item" key=${at + reason}><div class="grow"><strong>To an IT ${role}</strong> <span class="faint small">${dateTime(at)}${until ? ` to ${dateTime(until)}` : ', not yet agreed to'}</span><p class="soft small">${reason}</p></div></li>`)}</ul>`
  }
  ${
    accesses.length > 0 &&
    html`<ul class="list">${accesses.map(({ day, role, via, tool, times }) => html`<li class="item" key=${[day, role, via, tool].join()}><div class="grow">${sentence(words(tool))} <span class="faint small">${day}, ${role} by ${via}</span></div><span>${times}×</span></li>`)}</ul>`
  }`;
}

function Decisions({ hostname, reload }) {
  const { can } = useSession();
  const [asked, setAsked] = useState(null);
  const [minutes, setMinutes] = useState(60);
  const pause = async () => {
    const done = ({ paused_until: until }) => `Nothing is measured until ${dateTime(until)}`;
    if (await act('POST', `${host(hostname)}/pause`, { minutes }, done)) reload();
  };
  const erase = async () => {
    const done = ({ rows_deleted: rows, backups_rewritten: backups }) =>
      `Erased: ${count(rows, 'row')}, and the name in ${count(backups, 'backup')}`;
    if (await act('POST', `${host(hostname)}/data/erase`, {}, done)) navigate('/');
  };
  return html`${can('POST', `${API}/endpoints/:hostname/pause`) && html`<button type="button" class="button primary" onClick=${() => setAsked('pause')}>Pause measuring…</button>`}
    ${can('GET', `${DATA}/export`) && html`<a class="button" href=${`${host(hostname)}/data/export`} download=${`${hostname}.json`} data-document>Give me a copy</a>`}
    ${can('POST', `${DATA}/erase`) && html`<button type="button" class="button danger" onClick=${() => setAsked('erase')}>Erase my data…</button>`}
    ${
      asked === 'pause' &&
      html`<${Ask} title="Pause measuring" text="For a meeting or whatever is nobody’s business. It goes on by itself." confirm=${`Pause for ${minutes} minutes`} onConfirm=${pause} onClose=${() => setAsked(null)}>
        <div class="segments" role="group" aria-label="For how long">${PAUSES.map((each) => html`<button key=${each} type="button" aria-pressed=${each === minutes} onClick=${() => setMinutes(each)}>${each} min</button>`)}</div>
      <//>`
    }
    ${asked === 'erase' && html`<${Ask} title="Erase everything about this computer?" text="What was measured is deleted at once, and the names disappear from everything else and from the backups beside the service. It cannot be taken back. The computer is watched no more; its agent has to be uninstalled." confirm="Erase" kind="danger" onConfirm=${erase} onClose=${() => setAsked(null)} />`}`;
}
