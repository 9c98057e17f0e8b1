/** Where disk, memory and processor are heading, with the range in which the truth likely lies. */
import { host, useApi } from '../api.js';
import { one, sentence, words } from '../format.js';
import { withQuery } from '../router.js';
import { html, useState } from '../vendor/preact.js';
import { Card, Empty, Loaded } from './basics.js';
import { TimeChart } from './charts.js';

const NAMES = { disk_pct: 'Disk', memory_pct: 'Memory', cpu_pct: 'Processor' };

export function Forecast({ hostname }) {
  const [metric, setMetric] = useState(null);
  const answer = useApi(withQuery(`${host(hostname)}/trends`, { metric }), ['machines']);
  const chosen = answer.data?.history?.metric ?? metric;
  const segments = html`<div class="segments" role="group" aria-label="What is predicted">${(
    answer.data?.trends ?? []
  ).map(
    ({ metric: each }) =>
      html`<button key=${each} type="button" aria-pressed=${each === chosen} onClick=${() => setMetric(each)}>${NAMES[each] ?? each}</button>`,
  )}</div>`;
  return html`<${Card} title="Forecast" id="forecast" actions=${segments}>
    <${Loaded} answer=${answer}>${(data) => html`<${Chart} data=${data} />`}<//>
  <//>`;
}

function Chart({ data: { trends, history } }) {
  const trend = trends.find(({ metric }) => metric === history?.metric);
  if (!history || !trend || history.points.length < 2)
    return html`<${Empty} title="Too little was measured for a forecast">It begins with the first hours of samples.<//>`;
  const name = NAMES[history.metric] ?? history.metric;
  const finding =
    trend.time_to_impact && trend.time_to_impact !== 'now'
      ? `${name} reaches ${history.limit_pct} % in ${trend.time_to_impact}`
      : `${name} at ${one(trend.current)} %: ${words(trend.status)}`;
  return html`<p class=${`finding ${trend.status === 'alert' ? 'text-critical' : ''}`}>${finding}</p>
    <p class="soft small">${sentence(trend.reason)}</p>
    <${TimeChart} label=${`${finding}. ${trend.reason}`} unit=" %" range=${[0, 104]} height=${200}
      lines=${[
        { name: 'measured', look: 'accent', points: history.points },
        ...(history.fit.length > 0 ? [{ name: 'trend', look: 'second', points: history.fit }] : []),
      ]}
      band=${history.fit.filter(({ low, high }) => low !== null && high !== null)}
      limits=${[{ name: `${history.limit_pct} %`, value: history.limit_pct }]}
      marks=${[
        { name: 'now', at: history.now },
        ...(history.impact_at && trend.time_to_impact !== 'now'
          ? [{ name: `${history.limit_pct} % in ${trend.time_to_impact}`, at: history.impact_at }]
          : []),
      ]} />`;
}
