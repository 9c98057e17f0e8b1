/** KPIs over a period, each beside the period before. */
import { API, useApi } from '../api.js';
import { minutes, one, sentence, whole, words } from '../format.js';
import { Card, Empty, Head, Loaded, Machine } from '../parts/basics.js';
import { TimeChart } from '../parts/charts.js';
import { setQuery, useAddress } from '../router.js';
import { html } from '../vendor/preact.js';

const PERIODS = [7, 14, 30, 90];

const FIGURES = [
  { name: 'mtta_minutes', title: 'Time to acknowledge', text: minutes, better: 'lower' },
  { name: 'mttr_minutes', title: 'Time to resolve', text: minutes, better: 'lower' },
  {
    name: 'auto_resolution_rate_pct',
    title: 'Resolved by remediation',
    text: (value) => `${one(value)} %`,
    better: 'higher',
  },
  {
    name: 'confirmed_fix_rate_pct',
    title: 'Fixes confirmed by owners',
    text: (value) => `${one(value)} %`,
    better: 'higher',
  },
  { name: 'approval_latency_minutes', title: 'Time to approve', text: minutes, better: 'lower' },
  { name: 'avg_fleet_dex_score', title: 'Fleet score', text: one, better: 'higher' },
  { name: 'total_alerts', title: 'Alerts', text: whole, better: 'lower' },
  { name: 'enps', title: 'eNPS', text: (value) => (value > 0 ? `+${value}` : String(value)), better: 'higher' },
];

export function Kpis() {
  const { query } = useAddress();
  const days = PERIODS.includes(Number(query.days)) ? Number(query.days) : 7;
  const answer = useApi(`${API}/kpis?lookback_days=${days}`, ['alerts']);
  return html`<${Head} title="KPIs" lead=${`The last ${days} days, beside the ${days} days before`}>
      <div class="segments" role="group" aria-label="Period">${PERIODS.map((each) => html`<button key=${each} type="button" aria-pressed=${each === days} onClick=${() => setQuery({ days: each === 7 ? null : each })}>${each} days</button>`)}</div>
    <//>
    <${Loaded} answer=${answer}>${(kpis) => html`<${Figures} kpis=${kpis} />`}<//>`;
}

function Figures({ kpis }) {
  return html`<div class="figures">${FIGURES.map((figure) => html`<${Figure} key=${figure.name} figure=${figure} now=${kpis[figure.name]} before=${kpis.before?.[figure.name] ?? null} reason=${kpis.reasons[figure.name]} />`)}</div>
    <${Card} title="Fleet score" id="score" className="gap"><${ScoreChart} kpis=${kpis} /><//>
    <div class="grid two">
      <${Card} title="Alerts by name" id="names"><${Bars} amounts=${kpis.by_alert_name} /><//>
      <${Card} title="How alerts ended" id="ends"><${Bars} amounts=${kpis.by_resolution} /><//>
      <${Card} title="Repairs" id="playbooks">${
        kpis.by_playbook.length === 0
          ? html`<${Empty} title="No repair ran in this time" />`
          : html`<div class="scroll-x" tabindex="0" role="region" aria-label="Repairs by playbook"><table class="plain-table"><thead><tr><th>Playbook</th><th>Runs</th><th>Fixed</th><th>Confirmed</th></tr></thead><tbody>${kpis.by_playbook.map(
              ({ playbook, runs, fixed, confirmed, denied }) =>
                html`<tr key=${playbook}><td>${playbook}</td><td>${runs}</td><td>${fixed}</td><td>${confirmed} of ${confirmed + denied}</td></tr>`,
            )}</tbody></table></div>`
      }<//>
      <${Card} title="Noisiest machines" id="noisy">${
        kpis.noisiest.length === 0
          ? html`<${Empty} title="No machine had an alert" />`
          : html`<ul class="list">${kpis.noisiest.slice(0, 8).map(({ hostname, alerts, flaps }) => html`<li class="item" key=${hostname}><span class="grow"><${Machine} hostname=${hostname} /></span><span class="soft">${alerts} alerts${flaps > 0 ? `, ${flaps} came back` : ''}</span></li>`)}</ul>`
      }<//>
    </div>`;
}

function Figure({ figure: { title, text, better }, now, before, reason }) {
  const change = now === null || before === null ? null : now - before;
  const isBetter = change !== null && (better === 'higher' ? change > 0 : change < 0);
  const tone = !change ? '' : isBetter ? 'better' : 'worse';
  return html`<div class="tile"><div class="tile-name">${title}</div>
    <div class="tile-value">${now === null ? '–' : text(now)}</div>
    ${now === null ? html`<div class="faint small">${reason}</div>` : html`<div class=${`delta ${tone}`}>${before === null ? 'nothing to compare with' : change === 0 ? `as before (${text(before)})` : `${isBetter ? 'better' : 'worse'}: was ${text(before)}`}</div>`}
  </div>`;
}

function ScoreChart({ kpis }) {
  const points = kpis.fleet_score_history.map(({ at, avg_score }) => ({ at, value: avg_score }));
  if (points.length < 2)
    return html`<${Empty} title="Too few scans for a line">Each scan of the whole fleet adds a point.<//>`;
  const values = points.map(({ value }) => value);
  const least = Math.max(0, Math.floor((Math.min(...values) - 5) / 10) * 10);
  return html`<${TimeChart} lines=${[{ name: 'average score', look: 'accent', points }]} range=${[least, 101]} label=${`The fleet's average score went from ${one(values[0])} to ${one(values.at(-1))}; lowest ${one(Math.min(...values))}.`} />`;
}

function Bars({ amounts }) {
  const rows = Object.entries(amounts)
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, 10);
  if (rows.length === 0) return html`<${Empty} title="None in this time" />`;
  const most = Math.max(...rows.map(([, amount]) => amount));
  return html`<ul>${rows.map(
    ([name, amount]) =>
      html`<li class="hbar" key=${name}><span class="clip">${sentence(words(name))}</span><svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true"><rect class="bar-ground" width="100" height="10" /><rect class="fill-accent" width=${(100 * amount) / most} height="10" /></svg><span class="number">${whole(amount)}</span></li>`,
  )}</ul>`;
}
