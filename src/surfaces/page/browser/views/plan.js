/** Trying an edit of the rules: what it would have changed in the last weeks, beside what happened. */
import { API, call, useSession } from '../api.js';
import { count, one, STATUS_NAMES } from '../format.js';
import { Action } from '../parts/actions.js';
import { Badge, Card, Empty, Head, Machine } from '../parts/basics.js';
import { html, useState } from '../vendor/preact.js';

const SIDES = [
  ['fired', 'fired'],
  ['flapped', 'came back'],
  ['ended', 'ended'],
  ['healed', 'healed at once'],
  ['asked', 'asked for'],
];
const SHOWN = 20;

export function Plan() {
  const { can } = useSession();
  const [form, setForm] = useState({
    score: '',
    map: '',
    alert_threshold: '',
    critical_threshold: '',
    for: '',
    days: '14',
  });
  const [found, setFound] = useState(null);
  const [problem, setProblem] = useState(null);
  const lead = 'An edit is replayed over what is stored of every machine. Nothing is changed by it.';
  if (!can('POST', `${API}/plan`))
    return html`<${Head} title="Try an edit of the rules" /><${Empty} title="Your role may look">An operator plans edits.<//>`;
  const set = (name) => (event) => setForm({ ...form, [name]: event.target.value });
  const file = (name) => async (event) => {
    const [chosen] = event.target.files;
    if (chosen) setForm({ ...form, [name]: await chosen.text() });
  };
  const plan = async () => {
    setProblem(null);
    const { for: scans, days, ...rest } = form;
    const pairs = scans.split(',').map((pair) => pair.split('=').map((part) => part.trim()));
    const body = {
      ...Object.fromEntries(Object.entries(rest).filter(([, value]) => value.trim() !== '')),
      ...(scans.trim() !== '' && { for: Object.fromEntries(pairs) }),
      days: Number(days),
    };
    await call('POST', `${API}/plan`, body).then(setFound, (error) => {
      setFound(null);
      setProblem(error.message);
    });
  };
  const input = (name, label, more = {}) =>
    html`<label class="field">${label}<input class="input" value=${form[name]} onInput=${set(name)} ...${more} /></label>`;
  const text = (name, label) =>
    html`<div class="field"><label for=${`edit-${name}`}>${label}</label><textarea id=${`edit-${name}`} class="input mono" rows="6" placeholder="as it is now" value=${form[name]} onInput=${set(name)} />
      <input type="file" class="small" accept=".yaml,.yml" aria-label=${`File with ${label}`} onChange=${file(name)} /></div>`;
  return html`<${Head} title="Try an edit of the rules" lead=${lead} />
    <div class="stack">
      <section class="card" aria-label="The edit"><div class="grid two">${text('score', 'dex_score.yaml')}${text('map', 'dex_remediation_map.yaml')}</div>
        <div class="form gap">${input('alert_threshold', 'Alert line', { inputmode: 'decimal', placeholder: 'as it is now' })}${input('critical_threshold', 'Critical line', { inputmode: 'decimal', placeholder: 'as it is now' })}${input('for', 'Scans in a row', { placeholder: 'HighCpu=5' })}${input('days', 'Days', { inputmode: 'numeric' })}
          <div class="wide row"><${Action} kind="primary" onAct=${plan}>Replay<//></div></div>
        ${problem && html`<div class="notice critical" role="alert">${problem}</div>`}
      </section>
      <div aria-live="polite" class="stack">${found && html`<${Found} found=${found} />`}</div>
    </div>`;
}

function Found({ found }) {
  const {
    machines,
    weeks,
    alerts,
    status_changes,
    status_change_count,
    would_open,
    would_open_count,
    healing,
    would_close_count,
  } = found;
  const known = machines.replayed + machines.without_samples;
  if (known > 0 && machines.replayed === 0)
    return html`<${Empty} title="Nothing is stored yet">There is no history of any machine to replay.<//>`;
  const differing = alerts.filter(differs);
  const rows = [
    ...weeks.map((week) => ({ ...week, name: `Week from ${week.from.slice(0, 10)}` })),
    ...differing.slice(0, SHOWN).map((each) => ({ ...each, name: each.alert_name })),
  ];
  return html`<${Card} title="Beside what happened" id="compared" note=${known > 0 && `${machines.replayed} of ${count(machines.total, 'machine')} replayed`}>
      ${machines.without_samples > 0 && html`<p class="notice warning">${count(machines.without_samples, 'machine')} without history ${machines.without_samples === 1 ? 'is' : 'are'} not in this.</p>`}
      ${machines.with_gaps > 0 && html`<p class="soft small">${count(machines.with_gaps, 'machine')} with gaps of more than a day: what happened then is not in this.</p>`}
      <div class="scroll-x" tabindex="0" role="region" aria-label="Weeks and alerts"><table class="plain-table"><thead><tr><th></th>${SIDES.map(([, name]) => html`<th key=${name}>${name}</th>`)}</tr></thead>
      <tbody>${rows.map((row) => html`<tr key=${row.name}><td><strong>${row.name}</strong></td>${SIDES.map(([side]) => html`<td key=${side} class="number">${cell(row, side)}</td>`)}</tr>`)}</tbody></table></div>
      ${differing.length === 0 && html`<p class="soft">No alert fires, comes back or ends otherwise.</p>`}
    <//>
    <${Card} title="Machines that change status" id="changes" note=${count(status_change_count, 'machine')}>
      ${
        status_change_count === 0
          ? html`<${Empty} title="No machine changes status" />`
          : html`<ul class="list">${status_changes
              .slice(0, SHOWN)
              .map(
                ({ hostname, from, to, score_from, score_to }) =>
                  html`<li class="item" key=${hostname}><div class="grow row"><span class="strong"><${Machine} hostname=${hostname} /></span><span class="soft">${STATUS_NAMES[from]} ${score_from === null ? '' : one(score_from)} → </span><${Badge} status=${to} /><span class="soft">${score_to === null ? 'no score' : one(score_to)}</span></div></li>`,
              )}</ul>`
      }
    <//>
    <${Card} title="In force now" id="now">
      <p>It would open ${count(would_open_count, 'alert')} and close ${would_close_count}.</p>
      ${healing === 'off' && html`<p>Self-healing is off, so nothing is healed or asked for, whatever the map says.</p>`}
      <ul class="list">${would_open
        .slice(0, SHOWN)
        .map(
          ({ hostname, alert_name, severity }) =>
            html`<li class="item" key=${hostname + alert_name}><div class="grow row"><strong>${alert_name}</strong><${Machine} hostname=${hostname} /><${Badge} status=${severity} /></div></li>`,
        )}</ul>
    <//>`;
}

function differs({ happened, planned }) {
  return SIDES.some(([side]) => happened[side] !== planned[side]);
}

function cell({ happened, planned }, side) {
  return happened[side] === planned[side]
    ? planned[side]
    : html`<strong>${planned[side]}</strong> <span class="faint">was ${happened[side]}</span>`;
}
