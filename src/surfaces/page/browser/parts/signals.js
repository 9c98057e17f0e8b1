/** Everything that is measured on a machine, each with its last day as a small line. */
import { host, useApi } from '../api.js';
import { count, sentence } from '../format.js';
import { html } from '../vendor/preact.js';
import { Ago, Card, Empty, Loaded } from './basics.js';
import { Sparkline } from './charts.js';

const GROUPS = [
  { component: 'device', name: 'Device' },
  { component: 'network', name: 'Network' },
  { component: 'app', name: 'Apps and system' },
];

export function Signals({ hostname }) {
  const answer = useApi(`${host(hostname)}/signals`, ['machines']);
  return html`<${Card} title="Signals" id="signals" className="gap" note=${answer.data?.collected_at && html`measured <${Ago} at=${answer.data.collected_at} />, lines of 24 hours`}>
    <${Loaded} answer=${answer}>${({ signals, set_aside: setAside }) =>
      signals.length === 0
        ? html`<${Empty} title="Nothing was measured yet">A scan reads them.<//>`
        : html`<${Groups} signals=${signals} setAside=${setAside} />`}<//>
  <//>`;
}

function Groups({ signals, setAside }) {
  const measured = signals.filter(({ text }) => text !== null);
  const missing = signals.filter(({ text }) => text === null);
  return html`${GROUPS.map(({ component, name }) => {
    const own = measured.filter((signal) => signal.component === component);
    return (
      own.length > 0 &&
      html`<h3 class="group-name">${name}</h3><ul class="signals">${own.map((signal) => html`<${Signal} key=${signal.metric} signal=${signal} />`)}</ul>`
    );
  })}
  ${
    setAside.length > 0 &&
    html`<details class="missing"><summary>${count(setAside.length, 'item is', 'items are')} shown, not judged</summary>
    <dl class="facts">${setAside.map(({ item, reason }) => html`<div key=${item}><dt>${item}</dt><dd>${reason}</dd></div>`)}</dl></details>`
  }
  ${
    missing.length > 0 &&
    html`<details class="missing"><summary>${count(missing.length, 'signal was', 'signals were')} not measured</summary>
    <dl class="facts">${missing.map(({ metric, label, missing: why }) => html`<div key=${metric}><dt>${sentence(label)}</dt><dd>${why}</dd></div>`)}</dl></details>`
  }`;
}

function Signal({ signal }) {
  const { label, text, item, items, names, about, history, unit } = signal;
  const isShare = unit === '%';
  return html`<li title=${about}>
    <div class="signal-head"><span class="signal-name">${sentence(label)}</span>${item && html`<span class="faint small clip">${item}</span>`}</div>
    <div class="signal-value">${text}</div>
    <${Sparkline} points=${history} low=${isShare ? 0 : undefined} high=${isShare ? 100 : undefined} />
    ${items.length > 1 && html`<details><summary>${items.length} in all</summary><ul class="small soft">${items.map((each) => html`<li key=${each.item}>${each.item}: ${each.text}</li>`)}</ul></details>`}
    ${names.length > 0 && html`<p class="small soft">${names.join(', ')}</p>`}
  </li>`;
}
