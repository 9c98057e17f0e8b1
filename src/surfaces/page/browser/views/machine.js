/** One machine: how it is, what would make it better, what was measured, where it is heading, and what is done about it. */
import { API, host, useApi, useSession } from '../api.js';
import { one, sentence, words } from '../format.js';
import { Action, Ask, act, toast } from '../parts/actions.js';
import { AlertList } from '../parts/alertList.js';
import { Ago, Badge, Card, Empty, Head, Icon, Loaded, ScoreBadge, ScoreRing } from '../parts/basics.js';
import { Diagnosis } from '../parts/diagnosis.js';
import { EditMachine } from '../parts/editMachine.js';
import { Forecast } from '../parts/forecast.js';
import { RemediationList } from '../parts/remediations.js';
import { RunbookList } from '../parts/runbooks.js';
import { ScoreHistory } from '../parts/scoreHistory.js';
import { Signals } from '../parts/signals.js';
import { Timeline } from '../parts/timeline.js';
import { navigate } from '../router.js';
import { html, useState } from '../vendor/preact.js';

export function MachineView({ hostname }) {
  const endpoint = useApi(host(hostname), ['machines']);
  if (endpoint.error?.status === 404) {
    return html`<${Head} title=${hostname} /><${Empty} title="No machine of this name is watched">${endpoint.error.message} <a href="/">To the fleet</a><//>`;
  }
  return html`<${Loaded} answer=${endpoint}>${({ endpoint: machine }) => html`<${Whole} machine=${machine} reload=${endpoint.reload} />`}<//>`;
}

function Whole({ machine, reload }) {
  const { hostname } = machine;
  const score = useApi(machine.score === null ? null : `${host(hostname)}/score`, ['machines']);
  const alerts = useApi(`${API}/alerts?hostname=${encodeURIComponent(hostname)}`, ['alerts']);
  return html`<${Header} machine=${machine} reload=${reload} />
    ${machine.unreachable_reason && html`<div class="notice warning gap">It did not answer the last scan: ${machine.unreachable_reason}</div>`}
    <div class="grid two">
      <${Card} title="What would raise the score" id="raise" note=${score.data && `${Math.round(score.data.coverage * 100)} % of what counts was measured`}>
        ${machine.score === null ? html`<${Empty} title="No score yet">A scan makes one.<//>` : html`<${Loaded} answer=${score}>${(data) => html`<${Why} score=${data} />`}<//>`}
      <//>
      <${Card} title="Open alerts" id="alerts">
        <${Loaded} answer=${alerts}>${({ alerts: list }) =>
          list.length === 0
            ? html`<${Empty} title="No open alert">Nothing is known to be wrong.<//>`
            : html`<${AlertList} alerts=${list} withMachine=${false} onDone=${alerts.reload} />`}<//>
      <//>
    </div>
    <div class="grid two">
      <${ScoreHistory} hostname=${hostname} />
      <${Forecast} hostname=${hostname} />
    </div>
    <${Diagnosis} hostname=${hostname} />
    <${Signals} hostname=${hostname} />
    <div class="grid two">
      <${Card} title="Repairs" id="repairs"><${RemediationList} filter=${{ hostname }} /><//>
      <${Card} title="Runbooks" id="runbooks"><${RunbookList} hostname=${hostname} /><//>
      <${Card} title="Timeline" id="timeline"><${Timeline} hostname=${hostname} /><//>
      <${Card} title="Registered as" id="registered"><${Facts} machine=${machine} /><//>
    </div>`;
}

function Header({ machine, reload }) {
  const { can } = useSession();
  const [asked, setAsked] = useState(null);
  const { hostname } = machine;
  const scan = async () => {
    const started = await act('POST', `${host(hostname)}/scan`, {});
    if (!started) return;
    const ended = await act('GET', `/api/v1/runs/${started.run_id}?wait_seconds=30`);
    if (ended?.error) toast(ended.error, true);
    else if (ended) toast(ended.finished_at ? `${hostname} was scanned.` : 'The scan goes on.');
    reload();
  };
  const remove = async () => {
    if (await act('DELETE', host(hostname), undefined, `${hostname} is no longer watched.`)) navigate('/');
  };
  return html`<div class="head machine-head">
    <${ScoreRing} score=${machine.score} status=${machine.score_status} size=${104} />
    <div class="grow">
      <${Title} title=${hostname} />
      <div class="row"><${ScoreBadge} status=${machine.score_status} score=${machine.score} />${machine.state !== 'fresh' && html`<${Badge} status="unreachable">${sentence(words(machine.state))}<//>`}
        <span class="badge plain">${machine.persona}</span><span class="badge plain">tier ${machine.criticality_tier}</span><span class="badge plain">${machine.os_platform}</span>
        ${Object.entries(machine.tags).map(([tag, value]) => html`<a key=${tag} class="badge plain" href=${`/?tag=${encodeURIComponent(`${tag}=${value}`)}`}>${tag}: ${value}</a>`)}
      </div>
      <p class="soft"><${Icon} name="person" /> ${machine.owner_email ?? 'nobody is registered as its owner'} <span class="faint">· seen <${Ago} at=${machine.last_seen_at} /></span></p>
      ${machine.warnings.map((warning) => html`<p key=${warning} class="small text-at_risk">${warning}</p>`)}
    </div>
    <div class="row">
      ${can('POST', `${API}/endpoints/:hostname/scan`) && html`<${Action} kind="primary" onAct=${scan}><${Icon} name="scan" />Scan now<//>`}
      ${can('GET', `${API}/endpoints/:hostname/data`) && html`<a class="button quiet" href=${`/machines/${encodeURIComponent(hostname)}/data`}>What DexOps knows</a>`}
      ${can('PATCH', `${API}/endpoints/:hostname`) && html`<button type="button" class="button" onClick=${() => setAsked('edit')}>Change…</button>`}
      ${can('DELETE', `${API}/endpoints/:hostname`) && html`<button type="button" class="button quiet" onClick=${() => setAsked('remove')}>Remove…</button>`}
    </div>
    ${asked === 'remove' && html`<${Ask} title=${`Stop watching ${hostname}?`} text="Its open alerts end. Its history is kept, and it can be registered again." confirm="Stop watching" kind="danger" onConfirm=${remove} onClose=${() => setAsked(null)} />`}
    ${asked === 'edit' && html`<${EditMachine} machine=${machine} onDone=${reload} onClose=${() => setAsked(null)} />`}
  </div>`;
}

/** A long name breaks where names do. */
function Title({ title }) {
  document.title = `${title} · DexOps`;
  return html`<h1 tabindex="-1" id="title" class="host">${title}</h1>`;
}

const COMPONENT_NAMES = { device: 'Device', network: 'Network', app: 'Apps and system', remediation: 'Repairs' };

function Why({ score }) {
  const points = (number) => `${number > 0 ? '+' : ''}${one(number)}`;
  return html`${
    score.improvements.length > 0
      ? html`<ul class="gains">${score.improvements
          .slice(0, 5)
          .map(
            ({ metric, gain, reason }) =>
              html`<li key=${metric + reason}><span class="gain">${points(gain)}</span><span>${sentence(reason)}</span></li>`,
          )}</ul>`
      : html`<p class="soft">Nothing that was measured takes points.</p>`
  }
  ${score.caps.map(({ reason }) => html`<div key=${reason} class="notice warning gap-small">${sentence(reason)}</div>`)}
  <dl class="components">${Object.entries(score.components).map(
    ([name, value]) => html`<div key=${name}><dt>${COMPONENT_NAMES[name] ?? name}</dt>
      <dd><svg class="meter" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true"><rect class="bar-ground" width="100" height="6" rx="3" />${value !== null && html`<rect class="fill-accent" width=${value} height="6" rx="3" />`}</svg><span>${value === null ? 'not measured' : one(value)}</span></dd></div>`,
  )}</dl>
  <p class="faint small">Scored <${Ago} at=${score.scored_at} />${score.stale ? ', and not heard of since' : ''}.</p>`;
}

function Facts({ machine }) {
  const facts = [
    ['Address', machine.ip_address ?? 'found by its name'],
    ['Scanned by', words(machine.collector)],
    ['Owner', machine.owner_email ?? 'nobody'],
    ['Also known as', machine.aliases.map(({ value }) => value).join(', ') || 'nothing else'],
    [
      'Options',
      Object.entries(machine.options)
        .map(([name, value]) => `${words(name)}: ${value}`)
        .join(', ') || 'none',
    ],
    ['Registered', html`<${Ago} at=${machine.registered_at} />`],
    ['Last scan', html`<${Ago} at=${machine.last_scan_at} />`],
  ];
  return html`<dl class="facts">${facts.map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}
