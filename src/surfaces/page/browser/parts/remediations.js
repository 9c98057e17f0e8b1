/** Repairs, with how they ended, and what somebody can still say or stop. */
import { API, useApi, useSession } from '../api.js';
import { isBusy, words } from '../format.js';
import { withQuery } from '../router.js';
import { html } from '../vendor/preact.js';
import { Action, act } from './actions.js';
import { Ago, Badge, Empty, Loaded, Machine } from './basics.js';

export function RemediationList({ filter, withMachine = false, limit = 10 }) {
  const { can } = useSession();
  const answer = useApi(withQuery(`${API}/remediations`, { ...filter, limit }), ['runs', 'approvals', 'alerts']);
  const mayCancel = can('POST', `${API}/remediations/:remediation_id/cancel`);
  const cancel = async ({ remediation_id }) => {
    await act(
      'POST',
      `${API}/remediations/${remediation_id}/cancel`,
      {},
      'The repair is stopped; its alert goes to a person.',
    );
    answer.reload();
  };
  return html`<${Loaded} answer=${answer} lines=${2}>${({ remediations }) =>
    remediations.length === 0
      ? html`<${Empty} title="Nothing was repaired">Repairs show here with their outcome.<//>`
      : html`<ul class="list">${remediations.map(
          (each) => html`<li class="item" key=${each.remediation_id}><div class="grow">
            <div class="row"><a class="strong" href=${`/runs/${each.run_id}`}>${each.playbook}</a>${withMachine && html`<${Machine} hostname=${each.hostname} />`}<${Badge} status=${each.status} />${each.dry_run && html`<span class="badge plain">dry run</span>`}</div>
            <p class="faint small">for ${each.alert_name}, <${Ago} at=${each.created_at} />${each.reason ? `: ${each.reason}` : ''}${each.owner_says_fixed === null ? '' : each.owner_says_fixed ? ' · the owner says it helped' : ' · the owner says it did not help'}</p>
          </div>
          ${each.status === 'waiting_approval' && html`<a class="button small" href=${`/approvals/${each.approval_id}`}>Decide</a>`}
          ${mayCancel && isBusy(each.status) && html`<${Action} kind="small quiet" label=${`Stop ${words(each.playbook)}`} onAct=${() => cancel(each)}>Stop<//>`}
          </li>`,
        )}</ul>`}<//>`;
}
