/** The history of a machine's score, with its parts. */
import { host, useApi } from '../api.js';
import { one } from '../format.js';
import { html, useState } from '../vendor/preact.js';
import { Card, Empty, Loaded } from './basics.js';
import { TimeChart } from './charts.js';

const RANGES = [
  { name: '1 day', hours: 24 },
  { name: '7 days', hours: 168 },
  { name: '30 days', hours: 720 },
];
const PARTS = [
  { name: 'device', look: 'second' },
  { name: 'network', look: 'third' },
  { name: 'app', look: 'fourth' },
];

export function ScoreHistory({ hostname }) {
  const [hours, setHours] = useState(168);
  const answer = useApi(`${host(hostname)}/history?limit=2000`, ['machines']);
  const segments = html`<div class="segments" role="group" aria-label="How far back">${RANGES.map(
    (range) =>
      html`<button key=${range.hours} type="button" aria-pressed=${range.hours === hours} onClick=${() => setHours(range.hours)}>${range.name}</button>`,
  )}</div>`;
  return html`<${Card} title="Score over time" id="history" actions=${segments}>
    <${Loaded} answer=${answer}>${({ history }) => html`<${Chart} hostname=${hostname} points=${within(history, hours)} />`}<//>
  <//>`;
}

function within(history, hours) {
  const since = Date.now() - hours * 3_600_000;
  return history.filter(({ scored_at }) => new Date(scored_at).getTime() >= since).toReversed();
}

function Chart({ hostname, points }) {
  if (points.length < 2)
    return html`<${Empty} title=${points.length === 0 ? 'No score in this time' : 'One score so far'}>The next scan draws the line.<//>`;
  const line = (name, look, pick) => ({
    name,
    look,
    points: points.flatMap((point) => (pick(point) === null ? [] : [{ at: point.scored_at, value: pick(point) }])),
  });
  const scores = points.map(({ score }) => score);
  const [low, high] = [Math.min(...scores), Math.max(...scores)];
  const hours = points.filter(({ hourly }) => hourly !== null);
  const least = Math.max(
    0,
    Math.floor(
      (Math.min(low, ...points.flatMap(({ components }) => PARTS.map(({ name }) => components[name] ?? 100))) - 5) / 10,
    ) * 10,
  );
  return html`<${TimeChart} label=${`Score of ${hostname}: now ${one(scores.at(-1))}, lowest ${one(low)}, highest ${one(high)} over ${points.length} scans`}
    lines=${[
      line('score', 'accent', ({ score }) => score),
      ...PARTS.map(({ name, look }) => line(name, look, ({ components }) => components[name])),
    ].filter((each) => each.points.length > 1)}
    band=${hours.map(({ scored_at, hourly }) => ({ at: scored_at, low: hourly.lowest, high: hourly.highest }))} bandName="range of the hour" range=${[least, 101]} />`;
}
