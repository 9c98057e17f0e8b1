/** Charts: time series by uPlot in the theme's colours, and small lines as SVG. */
import { shortTime } from '../format.js';
import { html, useEffect, useRef, useState } from '../vendor/preact.js';

/** Told apart by dashes too, not by colour alone. */
const LOOKS = {
  accent: { color: '--accent', dash: [] },
  second: { color: '--series-2', dash: [7, 4] },
  third: { color: '--series-3', dash: [2, 3] },
  fourth: { color: '--series-4', dash: [9, 3, 2, 3] },
  soft: { color: '--faint', dash: [4, 4] },
};

const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** Renders anew when the theme changes: what is drawn on a canvas keeps its colours. */
function useTheme() {
  const [theme, setTheme] = useState(0);
  useEffect(() => {
    const changed = () => setTheme((n) => n + 1);
    const system = matchMedia('(prefers-color-scheme: dark)');
    system.addEventListener('change', changed);
    addEventListener('dexops-theme', changed);
    return () => {
      system.removeEventListener('change', changed);
      removeEventListener('dexops-theme', changed);
    };
  }, []);
  return theme;
}

/**
 * @param {{ lines: { name: string, look: keyof typeof LOOKS, points: { at: string, value: number }[], isDotted?: boolean }[],
 *   band?: { at: string, low: number, high: number }[], limits?: { name: string, value: number }[],
 *   marks?: { name: string, at: string }[], range?: [number, number], unit?: string, height?: number, label: string }} props
 *   label: what the chart shows, as a sentence
 */
export function TimeChart(props) {
  const place = useRef(null);
  const theme = useTheme();
  const { lines, band = [], height = 220, label } = props;
  const key = JSON.stringify([lines, band, props.limits, props.marks, props.range]);
  useEffect(() => {
    const chart = new window.uPlot(options(props, place.current.clientWidth), dataOf(props), place.current);
    const watcher = new ResizeObserver(([{ contentRect }]) => chart.setSize({ width: contentRect.width, height }));
    watcher.observe(place.current);
    return () => {
      watcher.disconnect();
      chart.destroy();
    };
  }, [key, theme]);
  return html`<figure class="chart">
    <div ref=${place} role="img" aria-label=${label} />
    <figcaption class="legend">${lines.map(({ name, look }) => html`<span key=${name}><${Key} look=${look} />${name}</span>`)}
      ${band.length > 0 && html`<span><i class="key-band" />${props.bandName ?? 'likely range'}</span>`}
    </figcaption>
  </figure>`;
}

function Key({ look }) {
  const { dash } = LOOKS[look];
  return html`<svg class=${`key key-${look}`} width="22" height="8" aria-hidden="true"><line x1="1" y1="4" x2="21" y2="4" stroke-dasharray=${dash.join(' ')} /></svg>`;
}

const seconds = (at) => new Date(at).getTime() / 1000;

/** Columns over one axis of times: each line, then the band's lower and upper end. */
function dataOf({ lines, band = [] }) {
  const table = (points, pick) => [points.map(({ at }) => seconds(at)), points.map(pick)];
  const tables = [
    ...lines.map(({ points }) => table(points, ({ value }) => value)),
    ...(band.length > 0 ? [table(band, ({ low }) => low), table(band, ({ high }) => high)] : []),
  ].filter(([times]) => times.length > 0);
  return tables.length === 0 ? [[]] : window.uPlot.join(tables);
}

function options({ lines, band = [], limits = [], marks = [], range, unit = '', height = 220 }, width) {
  const grid = { stroke: css('--line'), width: 1 };
  const axis = { stroke: css('--faint'), grid, ticks: { show: false }, font: `11px ${css('--font')}` };
  const drawn = lines.filter(({ points }) => points.length > 0);
  const first = drawn.length + 1;
  return {
    width,
    height,
    legend: { show: false },
    cursor: { y: false, points: { size: 7 }, drag: { x: false, y: false } },
    padding: [14, 26, 0, 0],
    scales: { y: { range: range ?? ((_chart, low, high) => [Math.min(0, low), high <= 0 ? 1 : high * 1.12]) } },
    axes: [
      { ...axis, space: 76, values: (_chart, splits, _axis, _space, step) => splits.map((at) => timeLabel(at, step)) },
      { ...axis, size: 44, values: (_chart, values) => values.map((value) => `${value}${unit}`) },
    ],
    series: [
      {},
      ...drawn.map(({ look, points, isDotted }) => ({
        stroke: css(LOOKS[look].color),
        width: look === 'accent' ? 2.2 : 1.6,
        dash: LOOKS[look].dash,
        spanGaps: true,
        points: { show: isDotted || points.length < 3, size: 6, fill: css(LOOKS[look].color) },
      })),
      ...(band.length > 0
        ? [0, 1].map(() => ({ stroke: 'transparent', spanGaps: true, points: { show: false } }))
        : []),
    ],
    bands: band.length > 0 ? [{ series: [first + 1, first], fill: `${css('--accent')}29` }] : [],
    hooks: { draw: [(chart) => drawLimits(chart, limits, marks)] },
    plugins: [tooltip(drawn, unit)],
  };
}

const DAY_S = 86_400;
const DAY = new Intl.DateTimeFormat('en', { month: 'short', day: 'numeric' });
const TIME = new Intl.DateTimeFormat('en', { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });

/** A day where a day begins, else the time in it. @param step seconds from one label to the next */
function timeLabel(at, step) {
  const date = new Date(at * 1000);
  return step >= DAY_S || (date.getHours() === 0 && date.getMinutes() === 0) ? DAY.format(date) : TIME.format(date);
}

/** Limits across and timestamps down, each with its name on a ground of its own, so that no line crosses it. */
function drawLimits(chart, limits, marks) {
  const { ctx, bbox } = chart;
  const scale = devicePixelRatio;
  ctx.save();
  ctx.font = `${11 * scale}px ${css('--font')}`;
  ctx.textAlign = 'left';
  ctx.textBaseline = 'alphabetic';
  ctx.setLineDash([5 * scale, 4 * scale]);
  ctx.lineWidth = scale;
  const name = (text, x, y, color) => {
    const width = ctx.measureText(text).width;
    const left = Math.max(bbox.left, Math.min(x, bbox.left + bbox.width - width - 6 * scale));
    ctx.fillStyle = css('--surface');
    ctx.fillRect(left, y - 12 * scale, width + 6 * scale, 15 * scale);
    ctx.fillStyle = color;
    ctx.fillText(text, left + 3 * scale, y);
  };
  for (const limit of limits) {
    const y = chart.valToPos(limit.value, 'y', true);
    ctx.strokeStyle = css('--critical');
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
    name(limit.name, bbox.left + 4 * scale, y + 14 * scale, css('--critical-text'));
  }
  for (const [i, mark] of marks.entries()) {
    const x = chart.valToPos(seconds(mark.at), 'x', true);
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.strokeStyle = css('--soft');
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    // Beside its line where there is room, else on the other side of it.
    const width = ctx.measureText(mark.name).width + 10 * scale;
    const isRoom = x + width < bbox.left + bbox.width;
    name(mark.name, isRoom ? x + 4 * scale : x - width, bbox.top + bbox.height - (8 + 18 * i) * scale, css('--soft'));
  }
  ctx.restore();
}

function tooltip(lines, unit) {
  let box = null;
  return {
    hooks: {
      init(chart) {
        box = document.createElement('div');
        box.className = 'chart-tip';
        box.hidden = true;
        chart.over.append(box);
      },
      setCursor(chart) {
        const { idx, left } = chart.cursor;
        box.hidden = idx === null || idx === undefined;
        if (box.hidden) return;
        const values = lines.flatMap(({ name }, i) => {
          const value = chart.data[i + 1]?.[idx];
          return value === null || value === undefined ? [] : [`${name} ${Math.round(value * 10) / 10}${unit}`];
        });
        box.textContent = [shortTime(chart.data[0][idx] * 1000), ...values].join('\n');
        box.style.left = `${Math.min(left + 12, Math.max(0, chart.over.clientWidth - box.offsetWidth - 4))}px`;
      },
    },
  };
}

/** A line without axes; one point is a dot. */
export function Sparkline({ points, low, high, width = 128, height = 34, tone = 'accent' }) {
  if (points.length === 0) return html`<svg class="spark" viewBox=${`0 0 ${width} ${height}`} aria-hidden="true" />`;
  const values = points.map(({ value }) => value);
  const least = low ?? Math.min(...values);
  const most = high ?? Math.max(...values);
  const times = points.map(({ at }) => seconds(at));
  const span = times.at(-1) - times[0] || 1;
  const x = (i) => 3 + ((times[i] - times[0]) / span) * (width - 6);
  const y = (value) => height - 3 - ((value - least) / (most - least || 1)) * (height - 6);
  const path = values.map((value, i) => `${i === 0 ? 'M' : 'L'}${x(i).toFixed(1)} ${y(value).toFixed(1)}`).join('');
  const last = values.length - 1;
  return html`<svg class=${`spark spark-${tone}`} viewBox=${`0 0 ${width} ${height}`} preserveAspectRatio="none" aria-hidden="true">
    ${last > 0 && html`<path class="spark-area" d=${`${path}L${x(last).toFixed(1)} ${height}L${x(0).toFixed(1)} ${height}Z`} /><path class="spark-line" d=${path} />`}
    <circle cx=${last > 0 ? x(last) : width / 2} cy=${y(values[last])} r="2.6" />
  </svg>`;
}
