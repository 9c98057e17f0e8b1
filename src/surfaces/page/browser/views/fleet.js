/** The fleet at a glance: what stands out as a sentence, figures, how scores are spread, groups, the worst with their reasons, and everything in a list. */
import { API, useApi } from '../api.js';
import { count, one, relative, STATUS_NAMES, whole } from '../format.js';
import { Card, Empty, Head, Loaded, Machine, ScoreBadge, ScoreRing } from '../parts/basics.js';
import { Sparkline } from '../parts/charts.js';
import { FleetForecast } from '../parts/fleetForecast.js';
import { MachineList } from '../parts/machineList.js';
import { setQuery, useAddress, withQuery } from '../router.js';
import { html } from '../vendor/preact.js';
import { FirstMinute } from './firstMinute.js';

const WORST = 6;
const STATUSES = ['healthy', 'at_risk', 'critical', 'unreachable', 'unknown'];

export function Fleet() {
  const { query } = useAddress();
  const groupBy = query.group ?? 'persona';
  const fleet = useApi(withQuery(`${API}/fleet`, { worst: WORST, group_by: groupBy }), ['machines']);
  const kpis = useApi(`${API}/kpis?lookback_days=7`, ['alerts']);
  if (fleet.data?.total === 0) return html`<${FirstMinute} reload=${fleet.reload} />`;
  return html`<${Head} title="Fleet" lead=${fleet.data && html`<${Finding} fleet=${fleet.data} openAlerts=${kpis.data?.open_alerts} />`} />
    <${Loaded} answer=${fleet}>${(data) => html`<${Overview} fleet=${data} kpis=${kpis.data} groupBy=${groupBy} />`}<//>
    <${MachineList} />`;
}

/** What somebody who looks for three seconds has to know. */
function Finding({ fleet, openAlerts }) {
  const urgent = fleet.critical + fleet.at_risk;
  const [worst] = fleet.worst.filter(({ score_status }) => score_status === 'critical' || score_status === 'at_risk');
  const alerts = openAlerts ? html` <a href="/alerts">${count(openAlerts, 'alert')} open.</a>` : '';
  if (!worst)
    return html`${fleet.healthy === fleet.total ? 'Every machine is healthy.' : `No machine is at risk; ${count(fleet.total - fleet.healthy, 'machine')} without a current score.`}${alerts}`;
  return html`${count(urgent, 'machine needs', 'machines need')} attention. Worst is <${Machine} hostname=${worst.hostname} /> at ${one(worst.score)}${worst.reasons[0] ? `: ${worst.reasons[0]}` : ''}.${alerts}`;
}

function Overview({ fleet, kpis, groupBy }) {
  const history = (kpis?.fleet_score_history ?? []).map(({ at, avg_score }) => ({ at, value: avg_score }));
  return html`
    <div class="tiles">
      <div class="tile tile-wide">
        <div><div class="tile-name">Fleet score</div><div class="tile-value">${one(fleet.avg_score)}<small>of 100</small></div>
        <div class="faint small">${whole(fleet.scored)} of ${count(fleet.total, 'machine')} scored</div></div>
        ${history.length > 0 && html`<figure class="tile-figure"><${Sparkline} points=${history} low=${Math.max(0, Math.min(...history.map(({ value }) => value)) - 4)} high=${100} width=${220} height=${62} /><figcaption class="faint small">7 days</figcaption></figure>`}
      </div>
      ${STATUSES.map((status) => html`<${StatusTile} key=${status} status=${status} number=${fleet[status]} total=${fleet.total} />`)}
    </div>
    <div class="grid fleet-grid">
      <${Card} title="Spread of scores" id="spread" note="click a bar to list its machines"><${Distribution} fleet=${fleet} /><//>
      <${Card} title="Needs attention" id="worst" className="span-two">
        <${Worst} machines=${fleet.worst.filter(({ score_status }) => score_status !== 'healthy')} openAlerts=${kpis?.open_alerts} />
      <//>
      <${FleetForecast} />
      <${Card} title="Groups" id="groups" className="span-all" actions=${html`<${GroupKeys} keys=${fleet.group_keys} chosen=${groupBy} />`}>
        <${Groups} groups=${fleet.groups} groupKey=${groupBy} thresholds=${fleet.thresholds} />
      <//>
    </div>`;
}

/** A filter as a link: pressed again it is lifted. */
function useFilter(fields) {
  const { path, query } = useAddress();
  const isOn = Object.entries(fields).every(([name, value]) => query[name] === String(value));
  const lifted = Object.fromEntries(Object.keys(fields).map((name) => [name, null]));
  return { isOn, href: withQuery(path, { ...query, ...(isOn ? lifted : fields) }) };
}

function StatusTile({ status, number, total }) {
  const { isOn, href } = useFilter({ status });
  return html`<a class=${`tile tile-${status} ${number === 0 ? 'tile-none' : ''}`} href=${href} aria-current=${isOn ? 'true' : undefined}>
    <div class="tile-name">${STATUS_NAMES[status]}</div>
    <div class="tile-value">${whole(number)}</div>
    <div class="faint small">${total === 0 ? '' : `${one((100 * number) / total)} %`}</div>
  </a>`;
}

function toneOf(score, { warning, critical }) {
  if (score === null) return 'unknown';
  return score < critical ? 'critical' : score > warning ? 'healthy' : 'at_risk';
}

function Distribution({ fleet }) {
  const most = Math.max(1, ...fleet.distribution);
  return html`<ol class="bars">${fleet.distribution.map((number, ten) => html`<${Bar} key=${ten} ...${{ ten, number, most, tone: toneOf(ten * 10 + 5, fleet.thresholds) }} />`)}</ol>`;
}

function Bar({ ten, number, most, tone }) {
  const below = ten === 9 ? 101 : (ten + 1) * 10;
  const { isOn, href } = useFilter({ min: ten * 10, below });
  const height = number === 0 ? 0 : Math.max(3, (100 * number) / most);
  return html`<li><a href=${href} aria-current=${isOn ? 'true' : undefined}>
    <span class="bar-number">${number > 0 ? whole(number) : ''}</span><span class="sr-only">${number > 0 ? '' : 'no'} machines with a score from</span>
    <svg viewBox="0 0 10 100" preserveAspectRatio="none" aria-hidden="true"><rect class="bar-ground" width="10" height="100" rx="1.5" /><rect class=${`fill-${tone}`} y=${100 - height} width="10" height=${height} rx="1.5" /></svg>
    <span class="bar-name">${ten * 10}</span>
  </a></li>`;
}

function Worst({ machines, openAlerts }) {
  if (machines.length === 0 && openAlerts)
    return html`<${Empty} title="No score is low">Every machine with a score is healthy, but <a href="/alerts">${count(openAlerts, 'alert')} ${openAlerts === 1 ? 'is' : 'are'} open</a>.<//>`;
  if (machines.length === 0)
    return html`<${Empty} title="Nothing needs attention">Every machine with a score is healthy, and no alert is open.<//>`;
  return html`<ul class="worst">${machines.map(
    ({ hostname, score, score_status, owner_email, reasons, scored_at }) => html`<li key=${hostname}>
      <a class="worst-link" href=${`/machines/${encodeURIComponent(hostname)}`}>
        <${ScoreRing} score=${score} status=${score_status} size=${52} />
        <span class="grow"><span class="row"><strong>${hostname}</strong><${ScoreBadge} status=${score_status} score=${score} />${owner_email && html`<span class="faint small">${owner_email}</span>`}</span>
        <span class="soft small">${reasons.length > 0 ? reasons.join(' · ') : `scored ${relative(scored_at)}`}</span></span>
      </a></li>`,
  )}</ul>`;
}

const KEY_NAMES = { persona: 'Persona', os_platform: 'System', criticality_tier: 'Tier' };

function GroupKeys({ keys = [], chosen }) {
  return html`<div class="segments" role="group" aria-label="Group by">${keys
    .slice(0, 7)
    .map(
      (key) =>
        html`<button key=${key} type="button" aria-pressed=${key === chosen} onClick=${() => setQuery({ group: key === 'persona' ? null : key })}>${KEY_NAMES[key] ?? key}</button>`,
    )}</div>`;
}

/** One block a group: its area is its share of the fleet, its colours say how its machines are. */
function Groups({ groups = [], groupKey, thresholds }) {
  return html`<ul class="map">${groups.map((group) => html`<${Group} key=${group.group} ...${{ group, groupKey, thresholds }} />`)}</ul>`;
}

function groupFilter(key, name) {
  if (key === 'persona') return { persona: name };
  if (key === 'criticality_tier') return { tier: name.replace('tier ', '') };
  if (key === 'os_platform') return { search: null };
  return { tag: `${key}=${name}` };
}

function Group({ group, groupKey, thresholds }) {
  const { isOn, href } = useFilter(groupFilter(groupKey, group.group));
  const tone = toneOf(group.avg_score, thresholds);
  let from = 0;
  const parts = STATUSES.map((status) => {
    const width = (100 * group[status]) / group.total;
    from += width;
    return { status, x: from - width, width };
  });
  const canFilter = groupKey !== 'os_platform' && group.group !== 'none';
  const inner = html`<span class="row"><strong>${group.group}</strong><span class=${`map-score text-${tone}`}>${one(group.avg_score)}</span></span>
    <svg class="share" viewBox="0 0 100 8" preserveAspectRatio="none" role="img" aria-label=${STATUSES.filter(
      (status) => group[status] > 0,
    )
      .map((status) => `${group[status]} ${STATUS_NAMES[status].toLowerCase()}`)
      .join(', ')}>
      ${parts.map(({ status, x, width }) => html`<rect key=${status} class=${`fill-${status}`} x=${x} width=${width} height="8" />`)}
    </svg>
    <span class="faint small">${count(group.total, 'machine')}${group.critical + group.at_risk > 0 ? ` · ${whole(group.critical + group.at_risk)} need attention` : ''}</span>`;
  return html`<li class=${`tone-${tone}`}>${canFilter ? html`<a class="map-cell" href=${href} aria-current=${isOn ? 'true' : undefined}>${inner}</a>` : html`<div class="map-cell">${inner}</div>`}</li>`;
}
