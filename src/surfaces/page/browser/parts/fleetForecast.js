/** What will break in the fleet within a week, most certain first, and of how many machines nothing can be predicted. */
import { API, useApi } from '../api.js';
import { count, sentence } from '../format.js';
import { html } from '../vendor/preact.js';
import { Card, Empty, Loaded, Machine } from './basics.js';

const DAYS = 7;
const SHOWN = 6;

export function FleetForecast() {
  const answer = useApi(`${API}/forecast?days=${DAYS}&limit=${SHOWN}`, ['machines', 'alerts']);
  return html`<${Card} title="What will break this week" id="forecast" className="span-all" note=${answer.data && coverage(answer.data)}>
    <${Loaded} answer=${answer}>${(data) => html`<${Forecasts} ...${data} />`}<//>
  <//>`;
}

function Forecasts({ forecasts, total, endpoints, unwatched, precision }) {
  if (total === 0)
    return endpoints === unwatched
      ? html`<${Empty} title="Too little is known to predict">It begins with the first hours of samples.<//>`
      : html`<${Empty} title="Nothing is predicted to break">Of ${count(endpoints - unwatched, 'machine')} that could be predicted.<//>`;
  return html`<ol class="list">${forecasts.map(
    ({ hostname, metric, label, severity, probability, limit_pct, impact, owner_email }) => {
      const certain = Math.round(probability * 100);
      return html`<li key=${hostname + metric} class=${`item edge-${severity}`}><div class="grow">
        <div class="row"><span class="strong"><${Machine} hostname=${hostname} /></span><span>${sentence(label)} reaches ${limit_pct} % ${impact === 'now' ? 'now' : `in ${impact}`}</span>${owner_email && html`<span class="faint small">${owner_email}</span>`}</div>
        <div class="compare"><span class="small soft">certain</span><svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true"><rect class="bar-ground" width="100" height="8" /><rect class=${`fill-${severity === 'critical' ? 'critical' : 'at_risk'}`} width=${certain} height="8" /></svg><span class="small number">${certain} %</span></div>
      </div></li>`;
    },
  )}</ol>
  <p class="small soft">${total > forecasts.length ? `${count(total - forecasts.length, 'more prediction', 'more predictions')} on the machines' own pages. ` : ''}${precision === null ? 'Too few predictions were judged yet to say how often they come true.' : `${Math.round(precision * 100)} % of the last four weeks' predictions came true.`}</p>`;
}

/** Of how many machines something could be predicted: none predicted is not none in danger. */
function coverage({ endpoints, unwatched }) {
  return `${endpoints - unwatched} of ${count(endpoints, 'machine')} predicted${unwatched > 0 ? `; ${unwatched} too new or not answering` : ''}`;
}
