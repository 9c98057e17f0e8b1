/** Adding machines: one that is tested before it is saved, many by a line that they run themselves, or a list. */
import { API, call, useApi, useSession } from '../api.js';
import { count, sentence, words } from '../format.js';
import { Action, act } from '../parts/actions.js';
import { Ago, Badge, Card, Empty, Head, Loaded } from '../parts/basics.js';
import { PERSONAS } from '../parts/editMachine.js';
import { navigate, setQuery, useAddress } from '../router.js';
import { html, useState } from '../vendor/preact.js';

const WAYS = [
  { way: 'one', name: 'One machine' },
  { way: 'enrol', name: 'Machines that join by themselves' },
  { way: 'list', name: 'A list' },
];
const COLLECTORS = [
  ['node_exporter', 'node_exporter (Linux, macOS)'],
  ['windows_exporter', 'windows_exporter'],
  ['ssh', 'SSH'],
  ['local', 'this very machine'],
  ['push', 'its own agent'],
];
const SYSTEMS = ['linux', 'macos', 'windows', 'other'];

export function Add() {
  const { query } = useAddress();
  const { can } = useSession();
  const way = query.way ?? 'one';
  if (!can('POST', `${API}/endpoints`))
    return html`<${Head} title="Add machines" /><${Empty} title="Your role may look">An operator adds machines.<//>`;
  return html`<${Head} title="Add machines">
      <div class="segments" role="group" aria-label="How">${WAYS.map((each) => html`<button key=${each.way} type="button" aria-pressed=${each.way === way} onClick=${() => setQuery({ way: each.way === 'one' ? null : each.way })}>${each.name}</button>`)}</div>
    <//>
    ${way === 'enrol' ? html`<${Enrol} />` : way === 'list' ? html`<${List} />` : html`<${One} />`}`;
}

function One() {
  const [form, setForm] = useState({
    hostname: '',
    ip_address: '',
    owner_email: '',
    persona: 'general',
    criticality_tier: '2',
    os_platform: 'linux',
    collector: 'node_exporter',
    port: '',
    username: '',
  });
  const [tested, setTested] = useState(null);
  const [problem, setProblem] = useState(null);
  const [token, setToken] = useState(null);
  const set = (name) => (event) => {
    setForm({ ...form, [name]: event.target.value });
    setTested(null);
  };
  const { port, username, ...fields } = form;
  const options = { ...(port && { port: Number(port) }), ...(username && { username }) };
  const body = {
    ...Object.fromEntries(Object.entries(fields).filter(([, value]) => value.trim() !== '')),
    criticality_tier: Number(form.criticality_tier),
    ...(Object.keys(options).length > 0 && { options }),
  };
  const attempt = async (work) => {
    setProblem(null);
    try {
      await work();
    } catch (error) {
      setProblem(error.message);
    }
  };
  const test = () => attempt(async () => setTested(await call('POST', `${API}/endpoints/test`, body)));
  const save = () =>
    attempt(async () => {
      const added = await call('POST', `${API}/endpoints`, body);
      if (added.token) setToken(added.token);
      else {
        await call('POST', `${API}/endpoints/${encodeURIComponent(added.endpoint.hostname)}/scan`, {});
        navigate(`/machines/${encodeURIComponent(added.endpoint.hostname)}`);
      }
    });
  const input = (name, label, more = {}) =>
    html`<label class="field">${label}<input class="input" value=${form[name]} onInput=${set(name)} ...${more} /></label>`;
  const select = (name, label, values) =>
    html`<label class="field">${label}<select class="input" value=${form[name]} onChange=${set(name)}>${values.map(([value, text]) => html`<option key=${value} value=${value}>${text}</option>`)}</select></label>`;
  if (token)
    return html`<section class="card stack" aria-label="Registered"><h2>${form.hostname} is registered</h2><p class="soft">Its agent's token, shown only now:</p><code class="secret">${token}</code><p><a href=${`/machines/${encodeURIComponent(form.hostname)}`}>To the machine</a></p></section>`;
  return html`<form class="card" onSubmit=${(event) => {
    event.preventDefault();
    save();
  }}>
    <div class="form">
      ${input('hostname', 'Name', { required: true, placeholder: 'dev-machine-01', autocomplete: 'off' })}
      ${input('ip_address', 'Address', { placeholder: 'only if the name does not resolve' })}
      ${select(
        'os_platform',
        'System',
        SYSTEMS.map((system) => [system, system]),
      )}
      ${select('collector', 'Read by', COLLECTORS)}
      ${form.collector !== 'local' && form.collector !== 'push' && input('port', 'Port', { inputmode: 'numeric', placeholder: 'the usual one' })}
      ${form.collector === 'ssh' && input('username', 'SSH user')}
      ${input('owner_email', "Owner's mail address", { type: 'email', placeholder: 'alice@example.com' })}
      ${select(
        'persona',
        'Persona',
        PERSONAS.map((persona) => [persona, persona]),
      )}
      ${select('criticality_tier', 'Tier', [
        ['1', '1: critical'],
        ['2', '2: standard'],
        ['3', '3: low priority'],
      ])}
      <div class="wide row">
        ${form.collector !== 'push' && html`<${Action} onAct=${test} disabled=${form.hostname.trim() === ''}>Test<//>`}
        <button class="button primary">Save${form.collector === 'push' ? '' : ' and scan'}</button>
      </div>
      <div class="wide" aria-live="polite">
        ${tested?.reachable === true && html`<div class="notice">${tested.hostname} answers: ${tested.measured} of ${tested.signals} signals in ${tested.duration_ms} ms. Nothing is saved yet.</div>`}
        ${tested?.reachable === false && html`<div class="notice warning">${tested.hostname} does not answer: ${tested.unreachable_reason}</div>`}
        ${problem && html`<div class="notice critical" role="alert">${problem}</div>`}
      </div>
    </div>
  </form>`;
}

function Enrol() {
  const { can } = useSession();
  const answer = useApi(`${API}/enrolments`);
  const [form, setForm] = useState({ days: '7', max_machines: '50', tag: '', owner_rule: '' });
  const [made, setMade] = useState(null);
  const set = (name) => (event) => setForm({ ...form, [name]: event.target.value });
  const make = async () => {
    const [key, ...value] = form.tag.split('=');
    const body = {
      expires_in_hours: Number(form.days) * 24,
      max_machines: Number(form.max_machines),
      ...(key && { tags: { [key.trim()]: value.join('=').trim() } }),
      ...(form.owner_rule && { owner_rule: form.owner_rule }),
    };
    const answered = await act('POST', `${API}/enrolments`, body);
    if (answered) setMade(answered);
    answer.reload();
  };
  const input = (name, label, more = {}) =>
    html`<label class="field">${label}<input class="input" value=${form[name]} onInput=${set(name)} ...${more} /></label>`;
  const revoke = async ({ id }) => {
    await act('DELETE', `${API}/enrolments/${id}`, undefined, 'No machine joins by it any more.');
    answer.reload();
  };
  return html`<div class="stack">
    <section class="card" aria-label="A new enrolment"><p class="soft gap">One line installs the agent on a machine and lets it join. It is good for so many machines and so long, and for nothing else.</p>
      <div class="form">${input('days', 'Days', { inputmode: 'numeric' })}${input('max_machines', 'Machines at most', { inputmode: 'numeric' })}${input('tag', 'Tag for each', { placeholder: 'dept=sales' })}${input('owner_rule', 'Owner', { placeholder: '{user}@example.com' })}
      <div class="wide"><${Action} kind="primary" onAct=${make}>Make the line<//></div></div>
      ${
        made &&
        html`<div class="stack more"><div class="notice">Its secret is shown only now.</div>${[
          ['Linux', made.install.linux],
          ['macOS', made.install.macos],
          ['Windows, as an administrator', made.install.windows],
        ].map(
          ([system, line]) =>
            html`<div key=${system}><p class="small soft">${system}</p><code class="secret">${line}</code></div>`,
        )}</div>`
      }
    </section>
    <${Card} title="Enrolments" id="enrolments"><${Loaded} answer=${answer}>${({ enrolments }) =>
      enrolments.length === 0
        ? html`<${Empty} title="None was made yet" />`
        : html`<ul class="list">${enrolments.map(
            (
              each,
            ) => html`<li class="item" key=${each.id}><div class="grow"><div class="row"><strong>Enrolment ${each.id}</strong><${Badge} status=${each.state} />${Object.entries(each.tags).map(([tag, value]) => html`<span key=${tag} class="badge plain">${tag}: ${value}</span>`)}</div><p class="faint small">${each.machines} of ${count(each.max_machines, 'machine')} joined, expires <${Ago} at=${each.expires_at} />, made by ${each.created_by}</p></div>
            ${each.revoked_at === null && can('DELETE', `${API}/enrolments/:enrolment_id`) && html`<${Action} kind="small danger" onAct=${() => revoke(each)}>Revoke<//>`}</li>`,
          )}</ul>`}<//><//>
  </div>`;
}

const FIELDS = ['hostname', 'ip_address', 'owner_email', 'persona', 'criticality_tier', 'os_platform', 'collector'];

/** Lines of a spreadsheet: a heading with the fields' names, or a name on each line. */
function rowsOf(text) {
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);
  const cells = (line) => line.split(/[,;\t]/).map((cell) => cell.trim().replace(/^"(.*)"$/, '$1'));
  const [first = []] = lines.slice(0, 1).map(cells);
  const hasHeading = first.includes('hostname');
  const names = hasHeading ? first : FIELDS;
  return lines.slice(hasHeading ? 1 : 0).map((line) =>
    Object.fromEntries(
      cells(line)
        .map((cell, i) => [names[i] ?? `column ${i + 1}`, cell])
        .filter(([name, cell]) => cell !== '' && FIELDS.includes(name)),
    ),
  );
}

function List() {
  const [text, setText] = useState('');
  const [results, setResults] = useState([]);
  const rows = rowsOf(text);
  const add = async () => {
    const found = [];
    for (const row of rows) {
      const body = { ...row, ...(row.criticality_tier && { criticality_tier: Number(row.criticality_tier) }) };
      const outcome = await call('POST', `${API}/endpoints`, body).then(
        () => 'added',
        (error) => error.message,
      );
      found.push({ hostname: row.hostname ?? '(no name)', outcome });
      setResults([...found]);
    }
  };
  return html`<section class="card" aria-label="A list of machines">
    <label class="field">Paste it from a spreadsheet<textarea class="input mono" rows="9" placeholder=${`hostname,ip_address,owner_email,persona\ndev-machine-01,10.0.1.42,alice@example.com,developer`} value=${text} onInput=${(event) => setText(event.target.value)} />
      <span class="hint">Columns by their names: ${FIELDS.map(words).join(', ')}. Without a heading they stand in this order.</span></label>
    <div class="row more"><${Action} kind="primary" disabled=${rows.length === 0} onAct=${add}>Add ${count(rows.length, 'machine')}<//></div>
    ${results.length > 0 && html`<ul class="list" aria-live="polite">${results.map(({ hostname, outcome }, i) => html`<li class="item" key=${i}><strong>${hostname}</strong><span class=${outcome === 'added' ? 'soft' : 'text-critical'}>${sentence(outcome)}</span></li>`)}</ul>`}
  </section>`;
}
