/** All machines as a table of which only the rows in sight exist: ten thousand scroll like ten. */
import { API, call } from '../api.js';
import { one, STATUS_NAMES, whole, words } from '../format.js';
import { onChanges } from '../live.js';
import { setQuery, useAddress, withQuery } from '../router.js';
import { html, useEffect, useRef, useState } from '../vendor/preact.js';
import { Ago, Empty, Icon, Problem, ScoreBadge } from './basics.js';

const ROW_PX = 46;
const PART = 100;
/** Rows drawn above and below what is in sight. */
const MARGIN = 8;
const TYPING_MS = 200;
const RELOAD_MS = 5000;

const COLUMNS = [
  { sort: 'hostname', name: 'Machine' },
  { sort: 'score', name: 'Score' },
  { sort: null, name: 'Status' },
  { sort: 'persona', name: 'Persona', extra: true },
  { sort: 'criticality_tier', name: 'Tier', extra: true },
  { sort: 'owner_email', name: 'Owner', extra: true },
  { sort: 'last_seen_at', name: 'Last seen', extra: true },
];
const PERSONAS = ['developer', 'salesperson', 'executive', 'tech', 'general'];
const STATES = ['fresh', 'stale', 'never_seen'];

/** The query of the API for what the address says. */
function questionOf(query) {
  return {
    search: query.q,
    score_status: query.status,
    persona: query.persona,
    criticality_tier: query.tier,
    tag: query.tag,
    state: query.state,
    min_score: query.min,
    below_score: query.below,
    sort: query.sort ?? 'score',
  };
}

/** Rows by index, fetched in parts as they come into sight. */
function useRows(question) {
  const key = JSON.stringify(question);
  const [state, setState] = useState({ key, rows: new Map(), total: null, error: null });
  const parts = useRef(new Map());
  const current = useRef(key);

  const fetchPart = async (part) => {
    const mine = current.current;
    try {
      const { endpoints, total } = await call(
        'GET',
        withQuery(`${API}/endpoints`, { ...question, limit: PART, offset: part * PART }),
      );
      if (current.current !== mine) return;
      setState((before) => {
        const rows = before.key === mine ? new Map(before.rows) : new Map();
        for (const [i, endpoint] of endpoints.entries()) rows.set(part * PART + i, endpoint);
        return { key: mine, rows, total, error: null };
      });
    } catch (error) {
      parts.current.delete(part);
      if (current.current === mine) setState((before) => ({ ...before, error }));
    }
  };
  const need = (from, to) => {
    for (let part = Math.floor(from / PART); part <= Math.floor(to / PART); part++) {
      if (part < 0 || parts.current.has(part)) continue;
      parts.current.set(part, true);
      fetchPart(part);
    }
  };
  useEffect(() => {
    current.current = key;
    parts.current = new Map();
    need(0, 0);
  }, [key]);
  useEffect(() => {
    let timer = 0;
    const stop = onChanges((topics) => {
      if (timer !== 0 || (topics !== null && !topics.includes('machines'))) return;
      timer = setTimeout(() => {
        timer = 0;
        for (const part of parts.current.keys()) fetchPart(part);
      }, RELOAD_MS);
    });
    return () => {
      stop();
      clearTimeout(timer);
    };
  }, [key]);
  return { ...state, isCurrent: state.key === key, need };
}

export function MachineList() {
  const { query } = useAddress();
  const question = questionOf(query);
  const { rows, total, error, need } = useRows(question);
  const filters = ['q', 'status', 'persona', 'tier', 'tag', 'state', 'min', 'below'].filter((name) => query[name]);
  return html`<section class="card list-card" aria-labelledby="machines-title">
    <header><h2 id="machines-title">Machines</h2><span class="note" aria-live="polite">${total === null ? 'Loading…' : `${whole(total)} ${filters.length > 0 ? 'match' : 'in all'}`}</span></header>
    <${Filters} query=${query} filters=${filters} />
    ${error && html`<${Problem} error=${error} />`}
    ${total === 0 ? html`<${Empty} title="No machine matches">Lift a filter or look for something else.<//>` : html`<${Table} ...${{ rows, total: total ?? 0, need, query }} />`}
  </section>`;
}

function Filters({ query, filters }) {
  const [typed, setTyped] = useState(query.q ?? '');
  const timer = useRef(0);
  useEffect(() => setTyped(query.q ?? ''), [query.q]);
  const type = (event) => {
    const { value } = event.target;
    setTyped(value);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setQuery({ q: value.trim() }), TYPING_MS);
  };
  const pick = (
    name,
    label,
    values,
    text = words,
  ) => html`<select class="input pick" aria-label=${label} value=${query[name] ?? ''} onChange=${(event) => setQuery({ [name]: event.target.value })}>
    <option value="">${label}: all</option>${values.map((value) => html`<option key=${value} value=${value}>${text(value)}</option>`)}
  </select>`;
  const lifted = Object.fromEntries(filters.map((name) => [name, null]));
  return html`<div class="filters">
    <label class="search"><${Icon} name="search" /><input class="input" type="search" placeholder="Name, owner or address" aria-label="Search machines" value=${typed} onInput=${type} /></label>
    ${pick('status', 'Status', Object.keys(STATUS_NAMES), (value) => STATUS_NAMES[value])}
    ${pick('persona', 'Persona', PERSONAS)}
    ${pick('tier', 'Tier', ['1', '2', '3'])}
    ${pick('state', 'Answers', STATES)}
    ${query.tag && html`<span class="badge plain accent">${query.tag}</span>`}
    ${query.min && html`<span class="badge plain accent">score from ${query.min}${query.below ? ` below ${Math.min(100, Number(query.below))}` : ''}</span>`}
    ${filters.length > 0 && html`<button type="button" class="button quiet small" onClick=${() => setQuery(lifted)}>Clear filters</button>`}
  </div>`;
}

function Table({ rows, total, need, query }) {
  const place = useRef(null);
  const [view, setView] = useState({ top: 0, height: 460 });
  const measure = () => place.current && setView({ top: place.current.scrollTop, height: place.current.clientHeight });
  useEffect(() => {
    const watcher = new ResizeObserver(measure);
    watcher.observe(place.current);
    return () => watcher.disconnect();
  }, []);
  useEffect(() => {
    if (place.current) place.current.scrollTop = 0;
    measure();
  }, [JSON.stringify(questionOf(query))]);
  const first = Math.max(0, Math.floor(view.top / ROW_PX) - MARGIN);
  const last = Math.min(total - 1, Math.ceil((view.top + view.height) / ROW_PX) + MARGIN);
  useEffect(() => {
    if (total > 0) need(first, last);
  });
  const shown = Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => first + i);
  const move = (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const row = event.target.closest('[data-row]');
    if (!step || !row) return;
    event.preventDefault();
    const next = Number(row.dataset.row) + step;
    if (next < 0 || next >= total) return;
    const top = next * ROW_PX;
    if (top < place.current.scrollTop) place.current.scrollTop = top;
    if (top + ROW_PX > place.current.scrollTop + view.height) place.current.scrollTop = top + ROW_PX - view.height;
    requestAnimationFrame(() =>
      requestAnimationFrame(() => place.current?.querySelector(`[data-row="${next}"] a`)?.focus()),
    );
  };
  return html`<div class="table" role="table" aria-label="Machines" aria-rowcount=${total + 1}>
    <div role="rowgroup" class="table-head"><div role="row" class="cells">${COLUMNS.map((column) => html`<${Heading} key=${column.name} ...${{ column, query }} />`)}</div></div>
    <div role="rowgroup" class="table-body" ref=${place} tabindex="0" aria-label="Rows" onScroll=${measure} onKeyDown=${move} style=${{ height: `${Math.min(12, Math.max(1, total)) * ROW_PX + 2}px` }}>
      <div role="presentation" style=${{ height: `${total * ROW_PX}px`, position: 'relative' }}>
        ${shown.map((index) => html`<${Row} key=${index} index=${index} endpoint=${rows.get(index)} />`)}
      </div>
    </div>
  </div>`;
}

function Heading({ column, query }) {
  const className = column.extra ? 'extra' : '';
  if (column.sort === null) return html`<div role="columnheader" class=${className}>${column.name}</div>`;
  const sorted = query.sort ?? 'score';
  const isSorted = sorted.replace(/^-/, '') === column.sort;
  const order = sorted.startsWith('-') ? 'desc' : 'asc';
  const sort = () => setQuery({ sort: isSorted && order === 'asc' ? `-${column.sort}` : column.sort });
  return html`<div role="columnheader" class=${className} aria-sort=${isSorted ? `${order}ending` : 'none'}>
    <button type="button" class="sort" onClick=${sort}>${column.name}<span aria-hidden="true">${isSorted ? (order === 'asc' ? '↑' : '↓') : ''}</span></button>
  </div>`;
}

function Row({ index, endpoint }) {
  const style = { transform: `translateY(${index * ROW_PX}px)` };
  if (!endpoint)
    return html`<div role="row" class="cells body-row" aria-rowindex=${index + 2} style=${style}><div role="cell"><div class="skeleton" /></div></div>`;
  const { hostname, score, score_status, persona, criticality_tier, owner_email, last_seen_at } = endpoint;
  return html`<div role="row" class="cells body-row" aria-rowindex=${index + 2} data-row=${index} style=${style}>
    <div role="cell" class="strong"><a href=${`/machines/${encodeURIComponent(hostname)}`}>${hostname}</a></div>
    <div role="cell" class=${`number text-${score_status}`}>${score === null ? '–' : one(score)}</div>
    <div role="cell"><${ScoreBadge} status=${score_status} score=${score} /></div>
    <div role="cell" class="extra">${persona}</div>
    <div role="cell" class="extra number">${criticality_tier}</div>
    <div role="cell" class="extra clip">${owner_email ?? '–'}</div>
    <div role="cell" class="extra faint"><${Ago} at=${last_seen_at} /></div>
  </div>`;
}
