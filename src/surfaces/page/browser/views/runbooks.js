/** Runbooks: all of them, a search through them, and one to read. */
import { API, useApi, useSession } from '../api.js';
import { count } from '../format.js';
import { Action, act } from '../parts/actions.js';
import { Empty, Head, Loaded } from '../parts/basics.js';
import { Markdown } from '../parts/markdown.js';
import { setQuery, useAddress, withQuery } from '../router.js';
import { html, useState } from '../vendor/preact.js';

export function Runbooks() {
  const { query } = useAddress();
  const [typed, setTyped] = useState(query.q ?? '');
  const all = useApi(`${API}/runbooks?limit=500`);
  const found = useApi(query.q ? withQuery('/api/v1/rag/search', { q: query.q, k: 10 }) : null);
  const search = (event) => {
    event.preventDefault();
    setQuery({ q: typed.trim() });
  };
  return html`<${Head} title="Runbooks" lead=${all.data && count(all.data.total, 'page')} />
    <form class="filters" role="search" onSubmit=${search}><label class="search"><input class="input plain-search" type="search" aria-label="Search runbooks" placeholder="What is wrong, in your own words" value=${typed} onInput=${(event) => setTyped(event.target.value)} /></label><button class="button">Search</button></form>
    <section class="card" aria-label="Pages">
      ${query.q ? html`<${Loaded} answer=${found}>${({ results, note }) => html`${note && html`<p class="notice gap">${note}</p>`}<${Pages} pages=${results} />`}<//>` : html`<${Loaded} answer=${all}>${({ runbooks }) => html`<${Pages} pages=${runbooks} />`}<//>`}
    </section>`;
}

function Pages({ pages }) {
  if (pages.length === 0)
    return html`<${Empty} title="No page fits">Look for the name of an alert, or for what people would say.<//>`;
  return html`<ul class="list">${pages.map(
    ({
      doc_id,
      title,
      alerts = [],
      excerpt,
      playbook,
      votes,
      fix_rate_pct,
    }) => html`<li class="item" key=${doc_id}><div class="grow"><div class="row"><a class="strong" href=${`/runbooks/${encodeURIComponent(doc_id)}`}>${title}</a>${alerts.map((alert) => html`<span key=${alert} class="badge plain">${alert}</span>`)}</div>
      <p class="soft small">${excerpt ?? ''}${playbook ? ` repairs by itself with ${playbook}` : ''}${votes > 0 ? ` · helped in ${fix_rate_pct} % of ${votes}` : ''}</p></div></li>`,
  )}</ul>`;
}

export function Runbook({ doc_id: id }) {
  const { can } = useSession();
  const path = `${API}/runbooks/${encodeURIComponent(id)}`;
  const answer = useApi(path);
  const vote = async (helped) => {
    await act('POST', `${path}/feedback`, { helped }, 'Thank you; it counts when runbooks are suggested.');
    answer.reload();
  };
  return html`<${Loaded} answer=${answer}>${({ title, content, votes, fix_rate_pct, playbook }) => html`
    <${Head} title=${title} lead=${votes > 0 ? `Helped in ${fix_rate_pct} % of ${count(votes, 'vote')}.` : 'Nobody has said yet whether it helps.'}>
      ${can('POST', `${API}/runbooks/:doc_id/feedback`) && html`<span class="soft small">Did it help?</span><${Action} kind="small" onAct=${() => vote(true)}>Yes<//><${Action} kind="small" onAct=${() => vote(false)}>No<//>`}
    <//>
    <article class="card prose">${playbook && html`<p class="notice">Repairs by itself with ${playbook}.</p>`}<${Markdown} text=${content} title=${title} /></article>`}<//>`;
}
