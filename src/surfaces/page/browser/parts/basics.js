/** Small parts that every view uses: icons, badges, times, the score's ring, and what stands where data is missing. */
import { dateTime, one, relative, STATUS_NAMES, sentence, statusName, words } from '../format.js';
import { html, useEffect, useState } from '../vendor/preact.js';

const ICONS = {
  fleet: 'M3 4h18v12H3zM8 20h8M12 16v4',
  alerts: 'M12 3 2.5 20h19zM12 10v4M12 17v.5',
  incidents: 'M12 3v4M12 17v4M3 12h4M17 12h4M12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6',
  approvals: 'M4 12l5 5L20 6',
  kpis: 'M4 20V10M10 20V4M16 20v-7M21 20H3',
  feedback: 'M4 5h16v11H9l-5 4z',
  add: 'M12 5v14M5 12h14',
  settings: 'M4 7h10M18 7h2M4 17h2M10 17h10M16 5v4M8 15v4',
  runbooks: 'M5 4h11l3 3v13H5zM9 9h6M9 13h6M9 17h3',
  scan: 'M4 12a8 8 0 0 1 14-5l2 2M20 4v5h-5M20 12a8 8 0 0 1-14 5l-2-2M4 20v-5h5',
  search: 'M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13M15.5 15.5 20 20',
  sun: 'M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8M12 2v2M12 20v2M4 12H2M22 12h-2M5 5l1.5 1.5M17.5 17.5 19 19M5 19l1.5-1.5M17.5 6.5 19 5',
  moon: 'M20 14.5A8 8 0 0 1 9.5 4 8 8 0 1 0 20 14.5',
  up: 'M12 19V5M6 11l6-6 6 6',
  person: 'M12 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8M4 20c1-4 4-5.5 8-5.5s7 1.5 8 5.5',
};

export function Icon({ name }) {
  return html`<svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"><path d=${ICONS[name]} /></svg>`;
}

const GOOD = new Set(['fixed', 'completed', 'approved', 'resolved', 'done']);
const BAD = new Set(['failed', 'not_fixed', 'critical', 'denied', 'interrupted']);
const BUSY = new Set(['running', 'queued', 'verifying', 'waiting_approval', 'pending', 'pending_approval', 'active']);

/** The look of a status of whatever kind: its colour never stands alone, its name is always beside it. */
function tone(status) {
  if (status in STATUS_NAMES || status === 'warning') return status;
  if (GOOD.has(status)) return 'good';
  if (BAD.has(status)) return 'critical';
  return BUSY.has(status) ? 'accent' : '';
}

export function Badge({ status, children }) {
  return html`<span class=${`badge ${tone(status)}`}>${children ?? STATUS_NAMES[status] ?? sentence(words(status))}</span>`;
}

/** The badge of a score's status. */
export function ScoreBadge({ status, score }) {
  return html`<${Badge} status=${status}>${statusName(status, score)}<//>`;
}

/** Renders anew every half minute, so that "3 min ago" does not stay. */
export function Ago({ at }) {
  const [, tick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => tick((n) => n + 1), 30_000);
    return () => clearInterval(timer);
  }, []);
  if (!at) return html`<span>never</span>`;
  return html`<time datetime=${at} title=${dateTime(at)}>${relative(at)}</time>`;
}

const RING = 2 * Math.PI * 42;

/** A score as a ring, in its status's colour. */
export function ScoreRing({ score, status, size = 96 }) {
  const share = score === null || score === undefined ? 0 : score / 100;
  const label =
    score === null || score === undefined
      ? 'No score'
      : `Score ${one(score)} of 100, ${statusName(status, score).toLowerCase()}`;
  return html`<svg class=${`ring ring-${status}`} width=${size} height=${size} viewBox="0 0 100 100" role="img" aria-label=${label}>
    <circle class="ring-track" cx="50" cy="50" r="42" />
    <circle class="ring-value" cx="50" cy="50" r="42" stroke-dasharray=${`${RING * share} ${RING}`} transform="rotate(-90 50 50)" />
    <text x="50" y="51" text-anchor="middle" dominant-baseline="central">${score === null || score === undefined ? '–' : Math.round(score)}</text>
  </svg>`;
}

export function Card({ title, note, children, className = '', id, actions }) {
  return html`<section class=${`card ${className}`} aria-labelledby=${id}>
    <header><h2 id=${id}>${title}</h2>${note && html`<span class="note">${note}</span>`}${actions}</header>
    ${children}
  </section>`;
}

export function Empty({ title, children }) {
  return html`<div class="empty"><strong>${title}</strong>${children}</div>`;
}

export function Problem({ error }) {
  return html`<div class="notice critical" role="alert"><span>${error.message}</span></div>`;
}

/** What an answer shows, or that it is awaited, or why it does not come; an old answer stays in sight. */
export function Loaded({ answer, children, lines = 4 }) {
  if (answer.data) return html`${answer.error && html`<${Problem} error=${answer.error} />`}${children(answer.data)}`;
  if (answer.error) return html`<${Problem} error=${answer.error} />`;
  return html`<div class="stack" aria-busy="true" aria-label="Loading">
    ${Array.from({ length: lines }, (_, i) => html`<div class="skeleton" key=${i} />`)}
  </div>`;
}

/** The heading of a view; it gets the focus when the view is shown, so that a screen reader says where one is. */
export function Head({ title, lead, children }) {
  useEffect(() => {
    document.title = `${title} · DexOps`;
  }, [title]);
  return html`<div class="head">
    <div class="grow"><h1 tabindex="-1" id="title">${title}</h1>${lead && html`<div class="lead">${lead}</div>`}</div>
    ${children && html`<div class="row">${children}</div>`}
  </div>`;
}

export function Machine({ hostname }) {
  return html`<a href=${`/machines/${encodeURIComponent(hostname)}`}>${hostname}</a>`;
}
