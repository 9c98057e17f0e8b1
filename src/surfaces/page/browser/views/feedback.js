/** What employees say, as far as it can be shown without showing who said it. */
import { API, useApi } from '../api.js';
import { count, one, sentence } from '../format.js';
import { Card, Empty, Head, Loaded } from '../parts/basics.js';
import { TimeChart } from '../parts/charts.js';
import { setQuery, useAddress } from '../router.js';
import { html } from '../vendor/preact.js';

const PERIODS = [30, 90, 365];
const AGREEMENT = {
  people_unhappy: 'people are unhappy although their machines do well',
  machines_unwell: 'people are content although their machines do not do well',
};
const signed = (value) => (value > 0 ? `+${one(value)}` : one(value));

export function Feedback() {
  const { query } = useAddress();
  const days = PERIODS.includes(Number(query.days)) ? Number(query.days) : 30;
  const answer = useApi(`${API}/feedback/summary?lookback_days=${days}`);
  return html`<${Head} title="Feedback" lead="What employees say of their machines. Nothing is shown that leads to one person.">
      <div class="segments" role="group" aria-label="Period">${PERIODS.map((each) => html`<button key=${each} type="button" aria-pressed=${each === days} onClick=${() => setQuery({ days: each === 30 ? null : each })}>${each} days</button>`)}</div>
    <//>
    <${Loaded} answer=${answer}>${(said) =>
      said.enps === null
        ? html`<section class="card"><${Empty} title="Too few answers to publish">${said.suppressed} ${said.waiting > 0 ? `${count(said.waiting, 'answer')} wait.` : ''}<//></section>`
        : html`<${Said} said=${said} />`}<//>`;
}

function Said({ said }) {
  return html`<div class="figures">
      <div class="tile"><div class="tile-name">eNPS</div><div class="tile-value">${signed(said.enps)}</div><div class="faint small">likely ${signed(said.enps_low)} to ${signed(said.enps_high)}</div></div>
      <div class="tile"><div class="tile-name">Answers</div><div class="tile-value">${said.responses}</div><div class="faint small">${said.waiting > 0 ? `${said.waiting} more wait until they can be published` : 'all of them are published'}</div></div>
      <div class="tile"><div class="tile-name">Average rating</div><div class="tile-value">${one(said.avg_rating)}<small>of 5</small></div><div class="faint small">${said.promoters} promoters, ${said.passives} passives, ${said.detractors} detractors</div></div>
      <div class="tile"><div class="tile-name">Score of their machines</div><div class="tile-value">${one(said.avg_dex_score)}</div><div class="faint small">${said.dex_correlation === null ? 'too few groups to compare' : `correlation with eNPS ${one(said.dex_correlation)}`}</div></div>
    </div>
    <div class="grid two">
      <${Card} title="Groups" id="groups">${
        said.groups.length === 0
          ? html`<${Empty} title="No group has enough answers" />`
          : html`<ul class="list">${said.groups.map(
              ({ group, enps, enps_low, enps_high, responses, avg_dex_score, agreement }) =>
                html`<li class="item" key=${group}><div class="grow"><strong>${group}</strong> <span class="soft">eNPS ${signed(enps)}</span><p class="faint small">likely ${signed(enps_low)} to ${signed(enps_high)}, ${count(responses, 'answer')}${avg_dex_score === null ? '' : `, machines ${one(avg_dex_score)}`}${AGREEMENT[agreement] ? `; ${AGREEMENT[agreement]}` : ''}</p></div></li>`,
            )}</ul>`
      }<//>
      <${Card} title="What it is about" id="about"><ul>${said.top_categories.map(({ category, responses }) => html`<li class="hbar" key=${category}><span>${sentence(category)}</span><svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true"><rect class="bar-ground" width="100" height="10" /><rect class="fill-accent" width=${(100 * responses) / said.responses} height="10" /></svg><span class="number">${responses}</span></li>`)}</ul><//>
      <${Card} title="Over time" id="time"><${History} history=${said.history} /><//>
      <${Card} title="Comments" id="comments">${(said.comments ?? []).length === 0 ? html`<${Empty} title="No comments to show">They are shown from a number of answers on that hides who wrote them.<//>` : html`<ul class="list">${said.comments.map(({ category, comment }, i) => html`<li class="item" key=${i}><div class="grow">“${comment}” <span class="badge plain">${category}</span></div></li>`)}</ul>`}<//>
    </div>`;
}

function History({ history }) {
  if (history.length < 2)
    return html`<${Empty} title="One point so far">The next answers that are published draw the line.<//>`;
  const line = (name, look, pick) => ({
    name,
    look,
    points: history.flatMap((point) => (pick(point) === null ? [] : [{ at: point.on, value: pick(point) }])),
  });
  return html`<${TimeChart} range=${[-105, 105]} lines=${[line('eNPS', 'accent', ({ enps }) => enps), line('score of the machines', 'second', ({ avg_dex_score }) => avg_dex_score)]} label=${`eNPS went from ${signed(history[0].enps)} to ${signed(history.at(-1).enps)}`} />`;
}
