/** Runbooks that fit a machine's problem. */
import { host, useApi } from '../api.js';
import { withQuery } from '../router.js';
import { html } from '../vendor/preact.js';
import { Empty, Loaded } from './basics.js';

export function RunbookList({ hostname, alert }) {
  const answer = useApi(withQuery(`${host(hostname)}/runbooks`, { alert, k: 4 }), ['alerts']);
  return html`<${Loaded} answer=${answer} lines=${2}>${({ runbooks, note }) =>
    runbooks.length === 0
      ? html`<${Empty} title="No runbook fits">${note ?? 'Add one for this alert, and it shows here.'}<//>`
      : html`<ul class="list">${runbooks.map(
          ({
            doc_id,
            title,
            why,
            fix_rate_pct,
            votes,
            playbook,
          }) => html`<li class="item" key=${doc_id}><div class="grow">
            <a class="strong" href=${`/runbooks/${encodeURIComponent(doc_id)}`}>${title}</a>
            <p class="faint small">${why}${votes > 0 ? ` · helped in ${fix_rate_pct} % of ${votes}` : ''}${playbook ? ` · repairs by itself with ${playbook}` : ''}</p>
          </div></li>`,
        )}</ul>`}<//>`;
}
